//! Taking somebody's words out of jobs that other people, or the platform, have asked for.

use serde_json::Value;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::store;
use crate::error::Result;
use crate::ident::ProjectId;

/// What stands where a text was.
pub const ERASED: &str = "[erased]";
/// What is shorter is in too many texts to mean anybody.
const SHORTEST: usize = 4;

/// Replaces every text that holds one of the values (an e-mail address, an id, a number; capitals do not matter) in payload,
/// result, message and error of jobs: of one project's, or of all. `but`: the job that asks for it. How many were changed.
///
/// Shapes stay, so a job that waits still runs.
///
/// # Errors
/// When the database fails.
pub async fn scrub_jobs(
    executor: &impl GenericClient,
    project: Option<ProjectId>,
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
    let found = store::jobs_with(executor, project, &values, but).await?;
    let changed = found.len() as u64;
    for job in found {
        let scrubbed = store::JobTexts {
            payload: scrubbed(job.payload, &values),
            result: job.result.map(|result| scrubbed(result, &values)),
            message: job.message.filter(|text| !holds(text, &values)),
            error: job
                .error
                .map(|text| if holds(&text, &values) { ERASED.to_owned() } else { text }),
            ..job
        };
        store::put_texts(executor, &scrubbed).await?;
    }
    Ok(changed)
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
    values.iter().any(|value| text.contains(value))
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
}
