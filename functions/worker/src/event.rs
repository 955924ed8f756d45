//! What wakes the worker: a batch of SQS messages, or anything else (the schedule, an operator).

use serde::{Deserialize, Serialize};

/// An event of Lambda's, as far as it matters here. A message's text does not: it only wakes.
#[derive(Debug, Default, Deserialize)]
pub struct Event {
    #[serde(default, rename = "Records")]
    records: Vec<Record>,
}

#[derive(Debug, Deserialize)]
struct Record {
    #[serde(rename = "messageId")]
    message_id: String,
}

impl Event {
    /// The ids of the messages.
    pub fn messages(&self) -> Vec<&str> {
        self.records.iter().map(|record| record.message_id.as_str()).collect()
    }
}

/// The reply that SQS wants (`ReportBatchItemFailures`): messages it shall send again.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

impl Failures {
    /// Names a message.
    pub fn add(&mut self, message: &str) {
        self.batch_item_failures.push(Failure {
            item_identifier: message.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_event_names_its_messages_and_a_schedule_none() {
        let queue =
            r#"{"Records":[{"messageId":"a","body":"{}","eventSource":"aws:sqs"},{"messageId":"b","body":"x"}]}"#;
        let event: Event = serde_json::from_str(queue).unwrap();
        assert_eq!(event.messages(), ["a", "b"]);
        let schedule = r#"{"source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#;
        assert!(serde_json::from_str::<Event>(schedule).unwrap().messages().is_empty());
    }

    #[test]
    fn failures_are_named_as_the_queue_reads_them() {
        let mut failures = Failures::default();
        assert_eq!(serde_json::to_string(&failures).unwrap(), r#"{"batchItemFailures":[]}"#);
        failures.add("a");
        let text = serde_json::to_string(&failures).unwrap();
        assert_eq!(text, r#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#);
    }
}
