//! The fenced code of a documentation, run as a reader would: in a folder with supabase-js, with the keys in the
//! environment.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use plinth::docgen::Document;
use tokio::process::Command;

use super::Subject;
use crate::world::unique;

/// What runs a language's code, and what its files are called.
struct Language {
    fence: &'static str,
    file: &'static str,
    run: fn(&Path) -> Option<Command>,
}

const LANGUAGES: [Language; 3] = [
    Language {
        fence: "js",
        file: "snippet.mjs",
        run: node,
    },
    Language {
        fence: "python",
        file: "snippet.py",
        run: |_| on_path("python3"),
    },
    Language {
        fence: "bash",
        file: "snippet.sh",
        run: |_| {
            on_path("curl")?;
            let mut bash = on_path("bash")?;
            bash.args(["-euo", "pipefail"]);
            Some(bash)
        },
    },
];

/// Far longer than any of them takes.
const LONGEST: Duration = Duration::from_secs(120);

pub async fn all_run(subject: &Subject, content: &str) {
    let folder = std::env::temp_dir().join(format!("plinth-snippets-{}", unique()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut failures = Vec::new();
    for language in &LANGUAGES {
        let snippets = snippets(content, language.fence);
        assert!(
            snippets.len() > 1,
            "there is hardly any {} in\n{content}",
            language.fence
        );
        for snippet in snippets {
            let Some(mut command) = (language.run)(&folder) else {
                skip(language.fence);
                break;
            };
            let file = folder.join(language.file);
            std::fs::write(&file, &snippet).unwrap();
            command
                .arg(&file)
                .current_dir(&folder)
                .env("PLINTH_PUBLISHABLE_KEY", &subject.publishable)
                .env("PLINTH_SECRET_KEY", &subject.secret)
                .stdin(Stdio::null())
                .kill_on_drop(true);
            let ran = tokio::time::timeout(LONGEST, command.output()).await;
            let ran = ran.expect("a snippet does not end").unwrap();
            if !ran.status.success() {
                let said = format!(
                    "{}{}",
                    String::from_utf8_lossy(&ran.stdout),
                    String::from_utf8_lossy(&ran.stderr)
                );
                failures.push(format!("{}:\n{snippet}\n-- {} --\n{said}", language.fence, ran.status));
            }
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(
        failures.is_empty(),
        "{} snippets fail:\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

/// Without supabase-js or an interpreter there is nothing to run it with; where all of it must run, that is a failure.
#[allow(clippy::print_stderr, reason = "a test that runs less than it could says so")]
fn skip(language: &str) {
    let how = "node: `npm ci` in tests/supabase-js; python3, curl, bash: by the system's packages";
    assert!(
        std::env::var_os("PLINTH_SNIPPETS").is_none(),
        "no {language} can be run here: {how}"
    );
    eprintln!("SKIPPED: snippets in {language}, which cannot be run here ({how})");
}

/// The code between fences of that language, of all sections.
fn snippets(content: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    for section in Document::parse(content).sections {
        for part in section.body.split(&format!("```{language}\n")).skip(1) {
            found.push(part.split("\n```").next().unwrap_or_default().to_owned());
        }
    }
    found
}

/// Node of the tests' own folder, or the system's, with supabase-js in reach.
fn node(folder: &Path) -> Option<Command> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("supabase-js/node_modules");
    if !modules.join("@supabase/supabase-js").is_dir() {
        return None;
    }
    let link = folder.join("node_modules");
    if !link.exists() {
        std::os::unix::fs::symlink(&modules, &link).unwrap();
    }
    let own = modules.join(".bin/node");
    let mut command = if own.is_file() {
        Command::new(own)
    } else {
        on_path("node")?
    };
    // Before 22, Node has no WebSocket, which the client wants to see.
    command.args(["--import", "data:text/javascript,globalThis.WebSocket ??= class {}"]);
    Some(command)
}

fn on_path(name: &str) -> Option<Command> {
    let path = std::env::var_os("PATH")?;
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|program: &PathBuf| program.is_file()).map(Command::new)
}
