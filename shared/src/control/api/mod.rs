//! Requests to the REST API of a user: what is sent, what is let in, and why it failed. Drivers and connection tests ask
//! through the same value.

mod failure;
mod token;

pub use failure::Failure;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LINK, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, Url};

use super::trust::Trust;
use super::{fetch, outbound};
use crate::config::Outbound;
use crate::error::Error;
use crate::query::rest::{Api, Ask, Auth, Verb};
use token::Tokens;

/// No request takes longer; whoever asks has a deadline of their own.
const LONGEST: Duration = Duration::from_secs(60);
/// Bytes of a reply that are read.
pub const LARGEST: usize = 8 << 20;
/// Redirections within the API that a read follows.
const MOST_HOPS: usize = 3;

/// Asks one API.
#[derive(Debug)]
pub struct Caller {
    api: Arc<Api>,
    base: Url,
    client: Client,
    tokens: Tokens,
}

/// What an API answered; 2xx.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, whole.
    pub body: Bytes,
}

impl Answer {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<String> {
        Some(self.headers.get(name)?.to_str().ok()?.to_owned())
    }

    /// The URL of the next part (RFC 8288).
    pub fn next_link(&self) -> Option<String> {
        let values = self.headers.get_all(LINK);
        let links = values
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(','));
        let mut next = links.filter_map(|link| {
            let (target, params) = link.split_once('>')?;
            let is_next = params.split(';').any(|param| {
                let param = param.trim().to_ascii_lowercase();
                param == "rel=next" || param == "rel=\"next\""
            });
            let target = target.trim().strip_prefix('<')?;
            is_next.then(|| target.to_owned())
        });
        next.next()
    }
}

impl Caller {
    /// For that API. Connects nothing yet.
    ///
    /// # Errors
    /// When one of its URLs may not be fetched.
    pub fn new(api: Arc<Api>, guard: Option<Arc<Outbound>>, trust: &Trust) -> Result<Self, Failure> {
        let client = fetch::client(guard.clone(), Some(trust), LONGEST).map_err(Failure::Settings)?;
        Self::with(api, guard.as_deref(), client)
    }

    /// Asks by a client that was made for it.
    ///
    /// # Errors
    /// As [`Caller::new`].
    pub fn with(api: Arc<Api>, guard: Option<&Outbound>, client: Client) -> Result<Self, Failure> {
        let base = Url::parse(&api.base_url).map_err(|_| Failure::Refused(outbound::Refused::Url))?;
        if let Some(guard) = guard {
            outbound::check_url(guard, &api.base_url).map_err(Failure::Refused)?;
            if let Auth::OAuth2(grant) = &api.auth {
                outbound::check_url(guard, &grant.token_url).map_err(Failure::Refused)?;
            }
        }
        Ok(Self {
            api,
            base,
            client,
            tokens: Tokens::default(),
        })
    }

    /// What is known of it.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Makes sure that there is a token, where one is needed.
    ///
    /// # Errors
    /// [`Failure::Token`].
    pub async fn sign_in(&self) -> Result<(), Failure> {
        if let Auth::OAuth2(grant) = &self.api.auth {
            self.tokens.get(&self.client, grant).await?;
        }
        Ok(())
    }

    /// Asks. A read follows redirections within the API.
    ///
    /// # Errors
    /// Whatever is not 2xx, too.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer, Failure> {
        let mut url = self.url(&format!("{}{}", self.api.base_url, ask.path))?;
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&ask.query);
        }
        self.fetch(ask, url).await
    }

    /// Asks for what a reply points to; it must be the same API's.
    ///
    /// # Errors
    /// [`Failure::Redirected`] when it is not; as [`Caller::ask`].
    pub async fn follow(&self, ask: &Ask, link: &str) -> Result<Answer, Failure> {
        let url = self.base.join(link).map_err(|_| Failure::Redirected)?;
        self.fetch(ask, self.own(url)?).await
    }

    async fn fetch(&self, ask: &Ask, mut url: Url) -> Result<Answer, Failure> {
        let mut hops = 0;
        let mut renewed = false;
        loop {
            let request = self.request(ask, url.clone()).await?;
            let reply = request.send().await.map_err(Failure::of)?;
            let status = reply.status();
            if status.is_success() {
                return read(reply).await;
            }
            // Nothing was done: the token may have been taken back.
            if status == http::StatusCode::UNAUTHORIZED && !renewed && self.tokens.forget().await {
                renewed = true;
                continue;
            }
            if !status.is_redirection() {
                let retry_after = reply.headers().get(RETRY_AFTER).and_then(seconds);
                return Err(Failure::Status {
                    status: status.as_u16(),
                    retry_after,
                });
            }
            hops += 1;
            let target = reply.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            match target.and_then(|target| url.join(target).ok()) {
                Some(target) if ask.verb == Verb::Get && hops <= MOST_HOPS => url = self.own(target)?,
                _ => return Err(Failure::Redirected),
            }
        }
    }

    async fn request(&self, ask: &Ask, mut url: Url) -> Result<RequestBuilder, Failure> {
        if let Auth::Query { name, value } = &self.api.auth {
            let others = url.query_pairs().filter(|(known, _)| known != name);
            let others: Vec<_> = others
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            url.query_pairs_mut()
                .clear()
                .extend_pairs(others)
                .append_pair(name, value);
        }
        let method = match ask.verb {
            Verb::Get => Method::GET,
            Verb::Post => Method::POST,
            Verb::Patch => Method::PATCH,
            Verb::Put => Method::PUT,
            Verb::Delete => Method::DELETE,
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in &self.api.headers {
            headers.insert(header_name(name)?, secret(value)?);
        }
        match &self.api.auth {
            Auth::None | Auth::Query { .. } => {}
            Auth::Bearer { token } => drop(headers.insert(AUTHORIZATION, secret(&format!("Bearer {token}"))?)),
            Auth::Basic { username, password } => drop(headers.insert(AUTHORIZATION, basic(username, password)?)),
            Auth::Header { name, value } => drop(headers.insert(header_name(name)?, secret(value)?)),
            Auth::OAuth2(grant) => {
                let token = self.tokens.get(&self.client, grant).await?;
                headers.insert(AUTHORIZATION, secret(&format!("Bearer {}", token.expose()))?);
            }
        }
        let mut request = self.client.request(method, url);
        if let Some(body) = &ask.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            request = request.body(body.clone());
        }
        Ok(request.headers(headers))
    }

    fn url(&self, text: &str) -> Result<Url, Failure> {
        let url = Url::parse(text).map_err(|_| Failure::Refused(outbound::Refused::Url))?;
        self.own(url)
    }

    /// Credentials go to the API's own origin, and nowhere else.
    fn own(&self, url: Url) -> Result<Url, Failure> {
        let same = url.origin() == self.base.origin() && url.username().is_empty() && url.password().is_none();
        if same { Ok(url) } else { Err(Failure::Redirected) }
    }
}

/// The body, unless it is too large or a page for people.
async fn read(mut reply: Response) -> Result<Answer, Failure> {
    let headers = reply.headers().clone();
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if text(CONTENT_TYPE).is_some_and(|media| media.contains("html")) {
        return Err(Failure::NotJson);
    }
    let length: Option<usize> = text(CONTENT_LENGTH).and_then(|length| length.parse().ok());
    if length.is_some_and(|length| length > LARGEST) {
        return Err(Failure::TooLarge);
    }
    let mut body = Vec::with_capacity(length.unwrap_or_default());
    while let Some(chunk) = reply.chunk().await.map_err(Failure::of)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(Failure::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<') {
        return Err(Failure::NotJson);
    }
    Ok(Answer {
        status: reply.status().as_u16(),
        headers,
        body: body.into(),
    })
}

/// What `Retry-After` says in seconds; a date is not read.
fn seconds(value: &HeaderValue) -> Option<u32> {
    value.to_str().ok()?.trim().parse().ok()
}

fn header_name(name: &str) -> Result<HeaderName, Failure> {
    HeaderName::try_from(name).map_err(|error| Failure::Settings(Error::internal(error)))
}

/// Marked, so that nothing shows it.
fn secret(value: &str) -> Result<HeaderValue, Failure> {
    let mut value =
        HeaderValue::try_from(value).map_err(|_| Failure::Settings(Error::internal("no header can say that")))?;
    value.set_sensitive(true);
    Ok(value)
}

fn basic(username: &str, password: &str) -> Result<HeaderValue, Failure> {
    use base64::Engine as _;
    let both = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
    secret(&format!("Basic {both}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        for (text, expected) in [
            (
                r#"<https://a/x?page=2>; rel="next", <https://a/x?page=9>; rel="last""#,
                Some("https://a/x?page=2"),
            ),
            (r#"<https://a/x?page=1>; rel="prev""#, None),
            ("<?page=3>; title=x; rel=next", Some("?page=3")),
            ("nonsense", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(LINK, text.parse().unwrap());
            let answer = Answer {
                status: 200,
                headers,
                body: Bytes::new(),
            };
            assert_eq!(answer.next_link().as_deref(), expected, "{text}");
        }
    }
}
