//! Taking somebody's words out of jobs that other people, or the platform, have asked for.

use serde_json::Value;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::store;
use crate::error::Result;
use crate::ident::{ProjectId, UserId};

/// What stands where a text was.
pub const ERASED: &str = "[erased]";
/// What is shorter is in too many texts to mean anybody.
const SHORTEST: usize = 4;

/// Jobs looked at at once: each may hold a large result.
const AT_ONCE: i64 = 100;

/// Whose jobs are meant. Never everybody's: what somebody is known by may stand in another tenant's and mean somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobsOf {
    /// A project's.
    Project(ProjectId),
    /// Those of all projects that a platform user is a member of, and those they asked for.
    Member(UserId),
}

impl JobsOf {
    pub(super) fn ids(self) -> (Option<Uuid>, Option<Uuid>) {
        match self {
            Self::Project(project) => (Some(project.0), None),
            Self::Member(user) => (None, Some(user.0)),
        }
    }
}

/// Replaces every text in which one of the values (an e-mail address, an id, a number; capitals do not matter) stands by
/// itself in payload, result, message and error of jobs. `but`: the job that asks for it. How many were changed.
///
/// Shapes stay, so a job that waits still runs.
///
/// # Errors
/// When the database fails.
pub async fn scrub_jobs(
    executor: &impl GenericClient,
    jobs: JobsOf,
    values: &[String],
    but: Option<Uuid>,
) -> Result<u64> {
    let values: Vec<String> = values
        .iter()
        .map(|value| value.to_lowercase())
        .filter(|value| value.chars().count() >= SHORTEST)
        .collect();
    if values.is_empty() {
        return Ok(0);
    }
    let (mut changed, mut after) = (0, Uuid::nil());
    loop {
        let found = store::jobs_with(executor, jobs, &values, but, (after, AT_ONCE)).await?;
        for job in &found {
            let scrubbed = without(job.clone(), &values);
            if scrubbed != *job {
                store::put_texts(executor, &scrubbed).await?;
                changed += 1;
            }
        }
        match found.last() {
            Some(last) => after = last.id,
            None => return Ok(changed),
        }
    }
}

fn without(job: store::JobTexts, values: &[String]) -> store::JobTexts {
    store::JobTexts {
        payload: scrubbed(job.payload, values),
        result: job.result.map(|result| scrubbed(result, values)),
        message: job.message.filter(|text| !holds(text, values)),
        error: job
            .error
            .map(|text| if holds(&text, values) { ERASED.to_owned() } else { text }),
        ..job
    }
}

fn scrubbed(value: Value, values: &[String]) -> Value {
    match value {
        Value::String(text) if holds(&text, values) => Value::from(ERASED),
        Value::Array(items) => items.into_iter().map(|item| scrubbed(item, values)).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| {
                let key = if holds(&key, values) { ERASED.to_owned() } else { key };
                (key, scrubbed(value, values))
            })
            .collect(),
        other => other,
    }
}

fn holds(text: &str, values: &[String]) -> bool {
    let text = text.to_lowercase();
    let alone = |value: &String| {
        let mut places = text.match_indices(value.as_str());
        places.any(|(at, found)| stands_alone(value, &text[..at], &text[at + found.len()..]))
    };
    values.iter().any(alone)
}

/// Whether what is around a value is no part of the same word: `joann@example.com` is not Ann, `2026-11-22T05:00` no number.
fn stands_alone(value: &str, before: &str, after: &str) -> bool {
    let address = value.contains('@');
    let (left, right) = if address {
        ("._%+-", "_-")
    } else if value.contains(|sign: char| sign.is_ascii_digit()) {
        ("_-", "_-")
    } else {
        ("_", "_")
    };
    let joins =
        |sign: Option<char>, signs: &str| sign.is_some_and(|sign| sign.is_alphanumeric() || signs.contains(sign));
    let goes_on = |rest: &str| address && rest.starts_with(char::is_alphanumeric);
    !joins(before.chars().next_back(), left)
        && !joins(after.chars().next(), right)
        && !after.strip_prefix('.').is_some_and(goes_on)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_go_wherever_they_are_and_the_shape_stays() {
        let values = ["ann@example.com".to_owned()];
        let before = json!({"a": ["Write to Ann@Example.com", 1, null], "ann@example.com": {"b": true}, "c": "else"});
        assert_eq!(
            scrubbed(before, &values),
            json!({"a": [ERASED, 1, null], ERASED: {"b": true}, "c": "else"})
        );
    }

    #[test]
    fn a_value_counts_where_it_stands_by_itself() {
        for (value, text, there) in [
            ("ann@example.com", "Ask Ann@Example.com.", true),
            ("ann@example.com", "<ann@example.com>", true),
            ("ann@example.com", "joann@example.com", false),
            ("ann@example.com", "jo.ann@example.com", false),
            ("ann@example.com", "ann@example.com.br", false),
            ("0170 1234567", "call 0170 1234567!", true),
            ("2026-11-2", "2026-11-22T05:00:00Z", false),
            ("2026-11-22", "2026-11-22T05:00:00Z", false),
            ("4912345", "+4912345", true),
            ("4912345", "14912345", false),
            ("ann example", "for Ann Example's sake", true),
            ("ann example", "Joann Example", false),
            ("9f8e7d6c-1234", "9f8e7d6c-1234-4321", false),
        ] {
            assert_eq!(holds(text, &[value.to_owned()]), there, "{value} in {text}");
        }
    }
}
