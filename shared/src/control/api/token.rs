//! Tokens of the client credentials grant: had once, used until shortly before their end.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use reqwest::Client;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Failure, basic, read};
use crate::query::rest::ClientCredentials;
use crate::sensitive::Sensitive;

/// How long a token without an end is used.
const USUAL: u64 = 300;
/// A token is not used in the last tenth of its life, of at most so many seconds.
const MARGIN: u64 = 30;

/// The token that is at hand.
#[derive(Debug, Default)]
pub(super) struct Tokens(Mutex<Option<Token>>);

#[derive(Debug)]
struct Token {
    text: Sensitive,
    until: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Sensitive,
    expires_in: Option<u64>,
}

impl Tokens {
    /// The token, fetched if need be; whoever comes meanwhile waits for it.
    pub(super) async fn get(&self, client: &Client, grant: &ClientCredentials) -> Result<Sensitive, Failure> {
        let mut known = self.0.lock().await;
        let now = Instant::now();
        if let Some(token) = known.as_ref().filter(|token| token.until > now) {
            return Ok(token.text.clone());
        }
        let granted = fetch(client, grant)
            .await
            .map_err(|failed| Failure::Token(Box::new(failed)))?;
        let life = granted.expires_in.unwrap_or(USUAL);
        let text = granted.access_token;
        *known = Some(Token {
            text: text.clone(),
            until: now + Duration::from_secs(life - (life / 10).min(MARGIN)),
        });
        Ok(text)
    }

    /// Forgets the token; says whether there was one.
    pub(super) async fn forget(&self) -> bool {
        self.0.lock().await.take().is_some()
    }
}

async fn fetch(client: &Client, grant: &ClientCredentials) -> Result<Granted, Failure> {
    // RFC 6749, section 2.3.1: both are encoded as in a form.
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let request = client
        .post(&grant.token_url)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(
            AUTHORIZATION,
            basic(&encoded(&grant.client_id), &encoded(&grant.client_secret))?,
        )
        .body(form(grant));
    let reply = request.send().await.map_err(Failure::of)?;
    let status = reply.status();
    if status.is_redirection() {
        return Err(Failure::Redirected);
    }
    if !status.is_success() {
        let status = status.as_u16();
        return Err(Failure::Status {
            status,
            retry_after: None,
        });
    }
    let answer = read(reply).await?;
    // The parser's own error may quote the text.
    serde_json::from_slice(&answer.body).map_err(|_| Failure::NotJson)
}

fn form(grant: &ClientCredentials) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if let Some(scope) = &grant.scope {
        form.append_pair("scope", scope);
    }
    form.finish()
}
