//! What holds whatever a tenant calls things, and a small document to read.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options as Dialect, Parser, Tag};
use serde_json::json;

use super::*;
use crate::schema::policy::Command;

const NASTY: &[&str] = &[
    "a|b",
    "`",
    "``x`",
    "<script>alert(1)</script>",
    "</code><img src=x onerror=y>",
    "\n## Heading\n",
    "\n```\nfence",
    "a \"b\" c",
    "%%{init: {}}%%",
    "}\n  x ||--o{ y : z",
    "[x](javascript:y)",
    "![x](y)",
    "$x$",
    "&lt;b&gt;",
    "| --- |",
    "\u{202e}abc",
    "'; drop table x; --",
    "${x}",
    "\\",
    "\\|",
    " ",
    "é 名前",
    "*/ // #",
];

fn nasty() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(NASTY).prop_map(str::to_owned),
        proptest::collection::vec(proptest::sample::select(NASTY), 1..4).prop_map(|parts| parts.concat()),
        "[ -~\n\t]{1,20}",
        "\\PC{1,10}",
    ]
}

/// Facts where every text is one that somebody chose.
fn facts(texts: &[String]) -> Facts {
    let mut next = texts.iter().cycle();
    let mut text = || next.next().cloned().unwrap_or_default();
    let column = |name: String, data_type: String, comment: String| ColumnFacts {
        name,
        data_type,
        default: Some(comment.clone()),
        comment: Some(comment),
        ..ColumnFacts::default()
    };
    let table = |name: String, other: String, text: &mut dyn FnMut() -> String| TableFacts {
        comment: Some(text()),
        columns: vec![
            column("id".to_owned(), "integer".to_owned(), text()),
            column(text(), text(), text()),
        ],
        primary_key: vec!["id".to_owned()],
        foreign_keys: vec![ForeignKeyFacts {
            name: text(),
            columns: vec!["id".to_owned()],
            table: other,
            references: vec![text()],
            on_delete: Some("cascade".to_owned()),
        }],
        checks: vec![CheckFacts {
            name: text(),
            expression: text(),
        }],
        indexes: vec![IndexFacts {
            name: text(),
            columns: vec![text()],
            unique: false,
            method: text(),
            predicate: Some(text()),
        }],
        access: AccessFacts {
            row_security: true,
            secret_unbound: true,
            anyone: Rights::ALL,
            signed_in: Rights::ALL,
            secret: Rights::ALL,
            policies: vec![PolicyFacts {
                name: text(),
                command: Command::All,
                restrictive: false,
                anyone: true,
                signed_in: true,
                secret: false,
                using: Some(text()),
                check: None,
            }],
        },
        writable: Rights::ALL,
        name,
        ..TableFacts::default()
    };
    let (one, other) = (format!("1{}", text()), format!("2{}", text()));
    let function = FunctionFacts {
        name: text(),
        comment: Some(text()),
        arguments: vec![ArgumentFacts {
            name: text(),
            data_type: text(),
            required: true,
        }],
        returns: ReturnFacts::Columns(vec![(text(), text())]),
        set: true,
        read_only: true,
        anyone: true,
        signed_in: true,
    };
    let path = format!("/{}", text());
    Facts {
        project: ProjectFacts {
            name: text(),
            reference: "abcdefghijklmnopqrst".to_owned(),
            url: "http://127.0.0.1:1/p/abcdefghijklmnopqrst".to_owned(),
        },
        keys: vec![KeyFacts {
            name: text(),
            secret: true,
        }],
        enums: [(text(), vec![text()])].into(),
        functions: vec![function],
        openapi: json!({ "paths": { path: { "get": { "summary": text(), "responses": { "200": { "description": text(),
            "schema": { "type": "object", "properties": { text(): { "type": "string", "example": text() } } } } } } } } }),
        tables: vec![
            table(one.clone(), other.clone(), &mut text),
            table(other, one, &mut text),
        ],
        ..Facts::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// No text of a tenant's is markup: there is no HTML, no link or picture but our own, no heading or section more.
    #[test]
    fn names_and_comments_never_become_markup(texts in proptest::collection::vec(nasty(), 5..40)) {
        let facts = facts(&texts);
        for audience in [Audience::Newcomer, Audience::Developer] {
            let options = Options { audience, ..Options::default() };
            let text = &texts[0];
            let prose = Prose {
                overview: Some(text.clone()),
                note: Some(text.clone()),
                tables: [(facts.tables[0].name.clone(), text.clone())].into(),
                ..Prose::default()
            };
            let document = render(&facts, &options, None, &prose);
            let markdown = document.to_markdown();
            prop_assert_eq!(&Document::parse(&markdown), &document, "{}", markdown);
            let ids: Vec<_> = document.sections.iter().map(|section| section.id.as_str()).collect();
            prop_assert_eq!(ids, SectionId::ALL.map(SectionId::name));
            for event in Parser::new_ext(&markdown, Dialect::ENABLE_TABLES | Dialect::ENABLE_STRIKETHROUGH) {
                match event {
                    Event::Html(html) | Event::InlineHtml(html) => prop_assert!(false, "HTML {} in {}", html, markdown),
                    Event::Start(Tag::Image { .. }) => prop_assert!(false, "a picture in {}", markdown),
                    Event::Start(Tag::Link { dest_url, .. }) => prop_assert!(dest_url.starts_with('#'), "{}", dest_url),
                    _ => {}
                }
            }
            diagrams_are_lines_of_ours(&markdown)?;
            // The same facts make the same text.
            prop_assert_eq!(&render(&facts, &options, None, &prose), &document);
        }
    }

    /// Nothing has changed when nothing has changed, whatever things are called.
    #[test]
    fn a_document_is_unchanged_beside_itself(texts in proptest::collection::vec(nasty(), 5..40)) {
        let facts = facts(&texts);
        let before = render(&facts, &Options::default(), None, &Prose::default());
        let after = render(&facts, &Options::default(), Some(&before), &Prose::default());
        let changes = &after.section("changes").unwrap().body;
        prop_assert_eq!(changes, "No table, column or function has changed since the version before.");
    }
}

/// Each line of a diagram has one of the few shapes that we write.
fn diagrams_are_lines_of_ours(markdown: &str) -> Result<(), TestCaseError> {
    for diagram in markdown.split("```mermaid\n").skip(1) {
        let body = diagram.split("```").next().unwrap_or_default();
        for line in body.lines() {
            let quoted = line.matches('"').count();
            let relation = line.starts_with("  \"") && (line.contains("--o{") || line.contains("--o|")) && quoted == 6;
            let entity = line.starts_with("  \"") && quoted == 2;
            let word = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let mut words = line.trim_start().split(' ');
            let attribute = line.starts_with("    ")
                && words.next().is_some_and(word)
                && words.next().is_some_and(word)
                && (quoted == 0 || quoted == 2);
            let known = line == "erDiagram" || line == "  }" || relation || entity || attribute;
            prop_assert!(known, "{line} in {body}");
        }
    }
    Ok(())
}

fn small() -> Facts {
    let column = |name: &str, data_type: &str, nullable: bool, default: Option<&str>| ColumnFacts {
        name: name.to_owned(),
        data_type: data_type.to_owned(),
        nullable,
        default: default.map(str::to_owned),
        ..ColumnFacts::default()
    };
    let own = "(user_id = ( SELECT auth.uid() AS uid))";
    let policy = |name: &str, command, anyone, using: &str| PolicyFacts {
        name: name.to_owned(),
        command,
        restrictive: false,
        anyone,
        signed_in: true,
        secret: false,
        using: Some(using.to_owned()),
        check: None,
    };
    let lists = TableFacts {
        name: "lists".to_owned(),
        comment: Some("Things to do that belong together.".to_owned()),
        columns: vec![
            column("id", "bigint", false, Some("nextval('lists_id_seq'::regclass)")),
            column("title", "text", false, None),
        ],
        primary_key: vec!["id".to_owned()],
        access: AccessFacts {
            row_security: true,
            secret_unbound: true,
            anyone: Rights {
                select: true,
                ..Rights::default()
            },
            signed_in: Rights {
                select: true,
                ..Rights::default()
            },
            secret: Rights::ALL,
            policies: vec![policy("read", Command::Select, true, "true")],
        },
        writable: Rights::ALL,
        ..TableFacts::default()
    };
    let todos = TableFacts {
        name: "todos".to_owned(),
        columns: vec![
            column("id", "uuid", false, Some("gen_random_uuid()")),
            column("list_id", "bigint", true, None),
            column("user_id", "uuid", false, None),
            column("title", "character varying(80)", false, None),
            column("state", "state", false, Some("'open'::state")),
            column("priority", "smallint", true, None),
        ],
        primary_key: vec!["id".to_owned()],
        foreign_keys: vec![ForeignKeyFacts {
            name: "todos_list_id_fkey".to_owned(),
            columns: vec!["list_id".to_owned()],
            table: "lists".to_owned(),
            references: vec!["id".to_owned()],
            on_delete: Some("cascade".to_owned()),
        }],
        checks: vec![CheckFacts {
            name: "todos_priority_check".to_owned(),
            expression: "((priority >= 1) AND (priority <= 5))".to_owned(),
        }],
        access: AccessFacts {
            row_security: true,
            secret_unbound: true,
            anyone: Rights::default(),
            signed_in: Rights::ALL,
            secret: Rights::ALL,
            policies: vec![policy("own", Command::All, false, own)],
        },
        writable: Rights::ALL,
        ..TableFacts::default()
    };
    Facts {
        project: ProjectFacts {
            name: "Things".to_owned(),
            reference: "abcdefghijklmnopqrst".to_owned(),
            url: "https://plinth.example/p/abcdefghijklmnopqrst".to_owned(),
        },
        keys: vec![
            KeyFacts {
                name: "web".to_owned(),
                secret: false,
            },
            KeyFacts {
                name: "server".to_owned(),
                secret: true,
            },
        ],
        backend: BackendFacts {
            tier: "managed".to_owned(),
            engine: "PostgreSQL".to_owned(),
            isolation: Some("schema".to_owned()),
            capabilities: [
                "embeds",
                "filters",
                "order",
                "pages",
                "return-inserted",
                "write-by-filter",
            ]
            .map(str::to_owned)
            .into(),
            ..BackendFacts::default()
        },
        enums: [("state".to_owned(), vec!["open".to_owned(), "done".to_owned()])].into(),
        auth: AuthFacts {
            offered: true,
            sign_up: true,
            autoconfirm: true,
            password_length: 6,
            token_seconds: 3600,
            outside: false,
        },
        limits: vec![LimitFacts {
            what: "Body of a request".to_owned(),
            value: "1 MB".to_owned(),
            beyond: "413 http/too-large".to_owned(),
        }],
        openapi: json!({ "paths": {
            "/lists": { "get": { "summary": "Lists", "responses": { "200": { "description": "OK" } } } },
            "/todos": { "post": { "requestBody": { "content": { "application/json": { "schema": {} } } },
                "responses": { "201": { "description": "Created" } } } },
        } }),
        tables: vec![lists, todos],
        ..Facts::default()
    }
}

#[test]
fn a_small_project_reads_well() {
    let mut facts = small();
    facts.errors = errors(false, false, false);
    facts.errors.truncate(2);
    let document = render(&facts, &Options::default(), None, &Prose::default());
    let shown = document.to_markdown();
    // In the file, so that it can be read as it stands.
    insta::assert_snapshot!("small", shown);
}

#[test]
fn a_section_alone_leaves_the_others_as_they_were() {
    let mut facts = small();
    let mut before = render(&facts, &Options::default(), None, &Prose::default());
    before.sections[0].body = "Edited by hand.".to_owned();
    before.sections.push(Section {
        id: "our-own".to_owned(),
        title: "Our own".to_owned(),
        body: "Kept.".to_owned(),
    });
    facts.tables[0].columns[1].data_type = "character varying(10)".to_owned();
    facts.tables.truncate(1);
    let options = Options {
        sections: sections(&["tables".to_owned(), "changes".to_owned()]).unwrap(),
        ..Options::default()
    };
    let after = render(&facts, &options, Some(&before), &Prose::default());
    let ids = |document: &Document| -> Vec<String> { document.sections.iter().map(|it| it.id.clone()).collect() };
    assert_eq!(ids(&after), ids(&before));
    assert_eq!(after.sections[0].body, "Edited by hand.");
    assert!(!after.section("tables").unwrap().body.contains("todos"));
    assert!(
        after.section("data-model").unwrap().body.contains("todos"),
        "it was not asked for"
    );
    insta::assert_snapshot!(after.section("changes").unwrap().body, @"
    Since the version before:

    - Changed: table `lists`
      - changed: `title` (was `text`, is `character varying(10)`)
      - no longer: Referred to from [`todos`](#table-todos) by `list_id`
    - Gone: table `todos`
    ");
    assert_eq!(
        sections(&["nonsense".to_owned()]).unwrap_err().code(),
        "documents/sections"
    );
}

#[test]
fn prose_of_an_ai_is_marked() {
    let facts = small();
    let prose = Prose {
        overview: Some("A list of `todos`.".to_owned()),
        note: Some("Prose by a model.".to_owned()),
        ..Prose::default()
    };
    let document = render(&facts, &Options::default(), None, &prose);
    assert_eq!(document.preamble, "Prose by a model.");
    let overview = &document.section("overview").unwrap().body;
    assert!(
        overview.starts_with("A list of `todos`.\n\n*Written by an AI from the facts below.*"),
        "{overview}"
    );
}
