//! The service that writes prose for generated documents, if there is one.

use std::time::Duration;

use super::env::{Env, invalid};
use crate::error::Result;
use crate::sensitive::Sensitive;

/// Where Mistral's models answer, and the one that is asked for there when nothing else is said.
const MISTRAL: &str = "https://api.mistral.ai/v1";
const CODESTRAL: &str = "codestral-latest";

/// A service that speaks OpenAI's chat completions. Without any of `PLINTH_AI_URL`, `PLINTH_AI_KEY` and
/// `PLINTH_AI_KEY_ARN` there is none, and documents are written from the facts alone. A key by itself means Mistral's
/// Codestral.
///
/// The address is the operator's, so it may be a private one: a model of one's own. What is sent is described in
/// `plinth::docs::prose`; neither rows nor keys of projects are ever among it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ai {
    /// The base of its API, as SDKs take it (`PLINTH_AI_URL`, `https://api.mistral.ai/v1` if left out); requests go to
    /// `/chat/completions` below it. `http` only to this machine or a private address, or without a key.
    pub url: String,
    /// The model (`PLINTH_AI_MODEL`); with Mistral's own address `codestral-latest` if left out.
    pub model: String,
    /// What is sent as the bearer token.
    pub key: AiKey,
    /// How long all the writing for one document may take (`PLINTH_AI_TIMEOUT_MS`): a minute if left out, three at most,
    /// as a job's try has four.
    pub timeout: Duration,
}

/// Where the service's key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AiKey {
    /// The key itself (`PLINTH_AI_KEY`).
    Given(Sensitive),
    /// A Secrets Manager secret whose text is the key (`PLINTH_AI_KEY_ARN`); fetched for each document.
    SecretsManager(String),
    /// None: a server that asks for none.
    Absent,
}

impl Ai {
    pub(super) fn from_env(env: &Env) -> Result<Option<Self>> {
        let key = match (env.secret("PLINTH_AI_KEY"), env.get("PLINTH_AI_KEY_ARN")) {
            (Some(key), _) => AiKey::Given(key),
            (None, Some(arn)) => AiKey::SecretsManager(arn.to_owned()),
            (None, None) => AiKey::Absent,
        };
        if key == AiKey::Absent && env.get("PLINTH_AI_URL").is_none() {
            return Ok(None);
        }
        let url = env.get("PLINTH_AI_URL").unwrap_or(MISTRAL).trim_end_matches('/');
        let address = Address::parse(url).ok_or_else(|| {
            invalid(
                "PLINTH_AI_URL",
                "must be an absolute http or https URL without user, query or fragment",
            )
        })?;
        if !address.private_transport && key != AiKey::Absent {
            return Err(invalid("PLINTH_AI_URL", "must be https where a key is sent"));
        }
        if address.is_mistral && key == AiKey::Absent {
            return Err(invalid("PLINTH_AI_KEY", "Mistral needs one"));
        }
        let preset = address.is_mistral.then_some(CODESTRAL);
        let model = env.get("PLINTH_AI_MODEL").or(preset).unwrap_or_default();
        if !is_model(model) {
            return Err(invalid(
                "PLINTH_AI_MODEL",
                "names a model: letters, digits and . _ : / @ -",
            ));
        }
        let timeout: u64 = env.parse("PLINTH_AI_TIMEOUT_MS", 60_000)?;
        if !(1..=180_000).contains(&timeout) {
            return Err(invalid("PLINTH_AI_TIMEOUT_MS", "must be between 1 and 180000"));
        }
        Ok(Some(Self {
            url: url.to_owned(),
            model: model.to_owned(),
            key,
            timeout: Duration::from_millis(timeout),
        }))
    }
}

struct Address {
    is_mistral: bool,
    /// Whether a key may travel there.
    private_transport: bool,
}

impl Address {
    fn parse(url: &str) -> Option<Self> {
        let parsed = reqwest::Url::parse(url).ok()?;
        let host = parsed.host_str()?;
        let bare = parsed.username().is_empty() && parsed.password().is_none();
        let encrypted = match parsed.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        if !bare || parsed.query().is_some() || parsed.fragment().is_some() {
            return None;
        }
        Some(Self {
            is_mistral: host == "mistral.ai" || host.ends_with(".mistral.ai"),
            private_transport: encrypted || is_private(host),
        })
    }
}

fn is_private(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    match address {
        Ok(std::net::IpAddr::V4(address)) => address.is_loopback() || address.is_private(),
        Ok(std::net::IpAddr::V6(address)) => address.is_loopback() || address.is_unique_local(),
        Err(_) => host == "localhost",
    }
}

fn is_model(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._:/@-".contains(c);
    (1..=100).contains(&name.len()) && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<Ai>> {
        let named = |(name, value): &(&str, &str)| (format!("PLINTH_AI_{name}"), (*value).to_owned());
        Ai::from_env(&Env::of(pairs.iter().map(named)))
    }

    #[test]
    fn a_key_alone_is_mistrals_codestral() {
        assert_eq!(read(&[]).unwrap(), None);
        assert_eq!(read(&[("MODEL", "x"), ("TIMEOUT_MS", "5")]).unwrap(), None);
        let ai = read(&[("KEY", "k")]).unwrap().unwrap();
        assert_eq!((ai.url.as_str(), ai.model.as_str()), (MISTRAL, CODESTRAL));
        let ai = read(&[("KEY_ARN", "arn:x"), ("MODEL", "mistral-small-latest")])
            .unwrap()
            .unwrap();
        assert_eq!(
            (ai.key, ai.model.as_str()),
            (AiKey::SecretsManager("arn:x".to_owned()), "mistral-small-latest")
        );
    }

    #[test]
    fn a_server_of_ones_own_needs_a_model_and_no_key() {
        let ai = read(&[("URL", "http://10.0.0.7:8000/v1/"), ("MODEL", "qwen2.5-coder:7b")]);
        assert_eq!(ai.unwrap().unwrap().url, "http://10.0.0.7:8000/v1");
        for (pairs, variable) in [
            (&[("URL", "http://ollama:11434/v1")][..], "PLINTH_AI_MODEL"),
            (&[("URL", "https://api.mistral.ai/v1")], "PLINTH_AI_KEY"),
            (
                &[("URL", "http://models.example/v1"), ("MODEL", "m"), ("KEY", "k")],
                "PLINTH_AI_URL",
            ),
            (
                &[("URL", "https://user:pw@models.example/v1"), ("MODEL", "m")],
                "PLINTH_AI_URL",
            ),
            (
                &[("URL", "https://models.example/v1?key=1"), ("MODEL", "m")],
                "PLINTH_AI_URL",
            ),
            (&[("URL", "file:///etc/passwd"), ("MODEL", "m")], "PLINTH_AI_URL"),
            (&[("URL", "models"), ("MODEL", "m")], "PLINTH_AI_URL"),
            (&[("KEY", "k"), ("MODEL", "two words")], "PLINTH_AI_MODEL"),
            (&[("KEY", "k"), ("TIMEOUT_MS", "180001")], "PLINTH_AI_TIMEOUT_MS"),
        ] {
            let refused = read(pairs).unwrap_err();
            assert!(
                refused.details().unwrap().starts_with(variable),
                "{pairs:?}: {refused:?}"
            );
        }
        for url in [
            "http://127.0.0.1:1/v1",
            "http://localhost/v1",
            "http://[::1]/v1",
            "http://192.168.1.2",
        ] {
            assert!(read(&[("URL", url), ("MODEL", "m"), ("KEY", "k")]).is_ok(), "{url}");
        }
    }

    #[test]
    fn the_key_does_not_show() {
        let ai = read(&[("KEY", "planted-secret")]).unwrap();
        assert!(!format!("{ai:?}").contains("planted-secret"));
    }
}
