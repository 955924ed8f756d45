//! Chat completions: one request, one reply, within bounds.

use std::time::Duration;

use reqwest::{Client, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::prompt::Messages;
use crate::config::{Ai, AiKey};
use crate::control::fetch;
use crate::sensitive::Sensitive;
use crate::vault;

/// Bytes of a reply that are read.
const LARGEST: usize = 256 << 10;
/// Tokens that a reply may have: what a batch needs, with room to spare.
const TOKENS: u32 = 6_000;
/// The pause before the second try, where the service names none.
const PAUSE: Duration = Duration::from_millis(500);

/// Why there is no reply. What the service said is in none of them: it may quote what it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// No connection, or it broke before the reply began.
    Unreachable,
    /// All the time that there was is over.
    Late,
    /// The service answered with that status; 429 and 5xx twice.
    Status(u16),
    /// The reply is larger than is read.
    TooLarge,
    /// The reply ended before its end.
    BrokenOff,
    /// The model stopped before it had finished.
    Unfinished,
    /// The reply is not what was asked for.
    Malformed,
    /// The key could not be fetched, or cannot be sent.
    Key,
}

impl Failure {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Unreachable => "ai/unreachable",
            Self::Late => "ai/timeout",
            Self::Status(401 | 403) => "ai/refused",
            Self::Status(429) => "ai/rate-limited",
            Self::Status(_) => "ai/status",
            Self::TooLarge => "ai/too-large",
            Self::BrokenOff => "ai/broken-off",
            Self::Unfinished => "ai/unfinished",
            Self::Malformed => "ai/malformed",
            Self::Key => "ai/key",
        }
    }

    pub(super) fn said(self) -> String {
        let said = match self {
            Self::Unreachable => "the service could not be reached",
            Self::Late => "the service took too long",
            Self::Status(status @ (401 | 403)) => return format!("the service did not accept the key ({status})"),
            Self::Status(429) => "the service was asked too often (429)",
            Self::Status(status) => return format!("the service answered {status}"),
            Self::TooLarge => "the reply was too large",
            Self::BrokenOff => "the reply broke off",
            Self::Unfinished => "the reply was not finished",
            Self::Malformed => "the reply did not have the form that was asked for",
            Self::Key => "the key of the service could not be read",
        };
        said.to_owned()
    }
}

/// A failed try, and whether another one makes sense.
struct Tried {
    failure: Failure,
    /// After this pause.
    again: Option<Duration>,
}

impl From<Failure> for Tried {
    fn from(failure: Failure) -> Self {
        Self { failure, again: None }
    }
}

/// The service, with its key.
pub(super) struct Service<'a> {
    settings: &'a Ai,
    client: Client,
    key: Option<Sensitive>,
}

impl<'a> Service<'a> {
    pub(super) async fn new(settings: &'a Ai, until: Instant) -> Result<Self, Failure> {
        let key = match &settings.key {
            AiKey::Absent => None,
            AiKey::Given(key) => Some(key.clone()),
            AiKey::SecretsManager(arn) => {
                let fetched = timeout_at(until, vault::aws::secret(arn))
                    .await
                    .map_err(|_| Failure::Late)?;
                let text = fetched.map_err(|_| Failure::Key)?;
                Some(Sensitive::new(text.expose().trim()))
            }
        };
        // No guard: the operator names this host, and may name a private one.
        let client = fetch::client(None, None, settings.timeout).map_err(|_| Failure::Unreachable)?;
        Ok(Self { settings, client, key })
    }

    /// The object that the model answers with. A try that failed for now is repeated once.
    pub(super) async fn complete(&self, messages: Messages, until: Instant) -> Result<Value, Failure> {
        let within = timeout_at(until, self.twice(&messages, until));
        within.await.unwrap_or(Err(Failure::Late))
    }

    async fn twice(&self, messages: &Messages, until: Instant) -> Result<Value, Failure> {
        let first = match self.once(messages).await {
            Ok(answer) => return Ok(answer),
            Err(first) => first,
        };
        let Some(pause) = first.again else {
            return Err(first.failure);
        };
        // A pause beyond the deadline is not worth beginning.
        if Instant::now().checked_add(pause).is_none_or(|then| then >= until) {
            return Err(first.failure);
        }
        tokio::time::sleep(pause).await;
        self.once(messages).await.map_err(|second| second.failure)
    }

    async fn once(&self, messages: &Messages) -> Result<Value, Tried> {
        let body = json!({
            "model": self.settings.model,
            "temperature": 0.1,
            "max_tokens": TOKENS,
            "response_format": { "type": "json_object" },
            "messages": [
                { "role": "system", "content": messages.system },
                { "role": "user", "content": messages.user },
            ],
        });
        let mut request = self
            .client
            .post(format!("{}/chat/completions", self.settings.url))
            .json(&body);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose());
        }
        let request = request.build().map_err(|_| Failure::Key)?;
        let reply = self.client.execute(request).await.map_err(|error| of(&error))?;
        let status = reply.status();
        if !status.is_success() {
            let again = (status.as_u16() == 429 || status.is_server_error()).then(|| pause(&reply));
            let failure = Failure::Status(status.as_u16());
            return Err(Tried { failure, again });
        }
        Ok(answer(&whole(reply).await?)?)
    }
}

fn of(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        Failure::Late
    } else {
        Failure::Unreachable
    }
}

/// What `Retry-After` says (RFC 9110, 10.2.3), in seconds; a date is as good as nothing.
fn pause(reply: &Response) -> Duration {
    let said = reply.headers().get(http::header::RETRY_AFTER);
    let seconds = said.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    seconds.map_or(PAUSE, Duration::from_secs)
}

async fn whole(mut reply: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        match reply.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > LARGEST => return Err(Failure::TooLarge),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) if error.is_timeout() => return Err(Failure::Late),
            Err(_) => return Err(Failure::BrokenOff),
        }
    }
}

#[derive(Deserialize)]
struct Completion {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<String>,
}

/// The object in the first choice.
fn answer(body: &[u8]) -> Result<Value, Failure> {
    let completion: Completion = serde_json::from_slice(body).map_err(|_| Failure::Malformed)?;
    let choice = completion.choices.into_iter().next().ok_or(Failure::Malformed)?;
    if choice.finish_reason.is_some_and(|reason| reason != "stop") {
        return Err(Failure::Unfinished);
    }
    let content = choice.message.content.ok_or(Failure::Malformed)?;
    let answer: Value = serde_json::from_str(&content).map_err(|_| Failure::Malformed)?;
    answer.is_object().then_some(answer).ok_or(Failure::Malformed)
}
