//! A document as a web page: rendered, then sanitised, so that whoever writes it can make no reader's browser run or
//! fetch anything.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pulldown_cmark::{CowStr, Event, Parser, Tag, TagEnd, html};
use sha2::{Digest, Sha256};

use super::sections::dialect;

/// What may stand in a page: text, structure and tables. No image, form, frame or anything that loads or runs.
const TAGS: &[&str] = &[
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "dd",
    "del",
    "details",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
    "var",
];
const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0 auto;max-width:60rem;padding:1.5rem;font:1rem/1.6 system-ui,sans-serif;overflow-wrap:break-word}\
h1,h2,h3,h4{line-height:1.25;margin:1.8em 0 .6em}h1{margin-top:.4em}h2{border-bottom:1px solid #8885;padding-bottom:.2em}\
pre,code{font:.9em/1.5 ui-monospace,monospace;background:#8882;border-radius:.25em}code{padding:.1em .3em}\
pre{padding:.8em 1em;overflow-x:auto}pre code{background:none;padding:0}\
table{border-collapse:collapse;display:block;overflow-x:auto}th,td{border:1px solid #8886;padding:.3em .7em;text-align:left}\
blockquote{margin:1em 0;padding:0 1em;border-left:.25em solid #8886}footer{margin-top:3em;font-size:.85em;opacity:.7}";

/// The `Content-Security-Policy` that pages go with: their own style sheet and nothing else.
pub(super) static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         sandbox"
    )
});

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(sanitiser);

/// The whole page. `note` is plain text for its foot.
pub(super) fn page(markdown: &str, note: &str) -> String {
    let (title, body) = body(markdown);
    let title = escaped(title.as_deref().unwrap_or("Documentation"));
    let note = escaped(note);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n<footer>{note}</footer>\n</body>\n</html>\n"
    )
}

/// The first heading of the first level, and the sanitised body.
fn body(markdown: &str) -> (Option<String>, String) {
    let mut events: Vec<Event<'_>> = Parser::new_ext(markdown, dialect()).filter_map(harmless).collect();
    let title = name_headings(&mut events);
    let mut rendered = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut rendered, events.into_iter());
    (title, SANITISER.clean(&rendered).to_string())
}

/// Images become their descriptions, as nothing may be fetched; boxes of task lists become characters.
fn harmless(event: Event<'_>) -> Option<Event<'_>> {
    match event {
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::TaskListMarker(done) => Some(Event::Text(if done { "☑ " } else { "☐ " }.into())),
        other => Some(other),
    }
}

/// Gives each heading an id made of its text, as others do (`#data-model`), and a number from the second of a kind on.
fn name_headings(events: &mut [Event<'_>]) -> Option<String> {
    let mut taken: HashMap<String, usize> = HashMap::new();
    let mut title = None;
    for at in 0..events.len() {
        let Event::Start(Tag::Heading { level, .. }) = &events[at] else {
            continue;
        };
        let first = title.is_none() && *level == pulldown_cmark::HeadingLevel::H1;
        let text = heading_text(&events[at + 1..]);
        let name = unique(slug(&text), &mut taken);
        if let Event::Start(Tag::Heading { id, .. }) = &mut events[at] {
            *id = Some(CowStr::from(name));
        }
        if first {
            title = Some(text);
        }
    }
    title
}

fn heading_text(events: &[Event<'_>]) -> String {
    let until_end = events
        .iter()
        .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
    until_end
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            Event::SoftBreak | Event::HardBreak => Some(" "),
            _ => None,
        })
        .collect()
}

fn slug(text: &str) -> String {
    let kept = text.to_lowercase();
    let kept = kept.chars().filter_map(|c| match c {
        ' ' | '-' => Some('-'),
        c if c.is_alphanumeric() || c == '_' => Some(c),
        _ => None,
    });
    let slug: String = kept.take(250).collect();
    if slug.is_empty() { "section".to_owned() } else { slug }
}

fn unique(slug: String, taken: &mut HashMap<String, usize>) -> String {
    let mut name = slug.clone();
    // A heading may be called as a numbered one is: on to the next number, from where the last search ended.
    while taken.contains_key(&name) {
        let count = taken.entry(slug.clone()).or_default();
        *count += 1;
        name = format!("{slug}-{count}");
    }
    taken.insert(name.clone(), 0);
    name
}

fn sanitiser() -> Builder<'static> {
    let mut attributes: HashMap<&str, HashSet<&str>> = HashMap::new();
    attributes.insert("a", HashSet::from(["href"]));
    attributes.insert("code", HashSet::from(["class"]));
    attributes.insert("details", HashSet::from(["open"]));
    attributes.insert("ol", HashSet::from(["start"]));
    for heading in ["h1", "h2", "h3", "h4", "h5", "h6"] {
        attributes.insert(heading, HashSet::from(["id"]));
    }
    let mut builder = Builder::empty();
    builder
        .tags(TAGS.iter().copied().collect())
        .clean_content_tags(HashSet::from([
            "script", "style", "template", "noscript", "iframe", "object", "title",
        ]))
        .tag_attributes(attributes)
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        // Within the page only: what is relative elsewhere would be a path of ours.
        .url_relative(UrlRelative::Custom(Box::new(within_page)))
        .link_rel(Some("noopener noreferrer nofollow"))
        .attribute_filter(|_, attribute, value| match attribute {
            "class" => is_language(value).then_some(Cow::Borrowed(value)),
            "id" => is_slug(value).then_some(Cow::Borrowed(value)),
            _ => Some(Cow::Borrowed(value)),
        });
    builder
}

fn within_page(url: &str) -> Option<Cow<'_, str>> {
    url.starts_with('#').then_some(Cow::Borrowed(url))
}

fn is_language(class: &str) -> bool {
    let name = class.strip_prefix("language-").unwrap_or_default();
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "+-_#.".contains(c))
}

fn is_slug(id: &str) -> bool {
    id.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(markdown: &str) -> String {
        body(markdown).1
    }

    #[test]
    fn structure_is_rendered_and_headings_can_be_linked_to() {
        let markdown = "# My `shop`\n\n[Model](#data-model) [out](https://example.com/?a=1&b=2)\n\n## Data model\n\n\
            | a | b |\n|---|--:|\n| 1 | ~~2~~ |\n\n- [x] done\n\n## Data model\n\n```mermaid\ngraph <TD>\n```\n\n![alt](https://x/y.png)\n";
        insta::assert_snapshot!(shown(markdown), @r##"
        <h1 id="my-shop">My <code>shop</code></h1>
        <p><a href="#data-model" rel="noopener noreferrer nofollow">Model</a> <a href="https://example.com/?a=1&amp;b=2" rel="noopener noreferrer nofollow">out</a></p>
        <h2 id="data-model">Data model</h2>
        <table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>
        <tr><td>1</td><td><del>2</del></td></tr>
        </tbody></table>
        <ul>
        <li>☑ done</li>
        </ul>
        <h2 id="data-model-1">Data model</h2>
        <pre><code class="language-mermaid">graph &lt;TD&gt;
        </code></pre>
        <p>alt</p>
        "##);
    }

    #[test]
    fn ids_of_headings_never_repeat() {
        let ids: Vec<_> = ["a", "a-1", "a", "a", "A!", "a-1", "!", "?"]
            .iter()
            .fold((Vec::new(), HashMap::new()), |(mut ids, mut taken), text| {
                ids.push(unique(slug(text), &mut taken));
                (ids, taken)
            })
            .0;
        assert_eq!(ids, ["a", "a-1", "a-2", "a-3", "a-4", "a-1-1", "section", "section-1"]);
    }

    #[test]
    fn a_page_is_titled_by_its_first_heading_escaped() {
        let made = page("# A </title><script>x</script> & b\n# C\n", "v <1>");
        assert!(
            made.contains("<title>A &lt;/title&gt;") || made.contains("<title>A "),
            "{made}"
        );
        assert!(made.contains("<footer>v &lt;1&gt;</footer>"));
        assert!(!made.contains("<script"), "{made}");
        assert!(page("text", "").contains("<title>Documentation</title>"));
    }

    #[test]
    fn the_policy_allows_the_pages_style_and_nothing_else() {
        let style = STANDARD.encode(Sha256::digest(STYLE));
        assert!(page("x", "").contains(&format!("<style>{STYLE}</style>")));
        assert!(POLICY.starts_with("default-src 'none';") && POLICY.contains(&style));
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }
}
