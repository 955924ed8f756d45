//! The one error type: a closed kind, a stable code, what a client may see, and the cause for the log.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// `Result` with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as a class. `web::problem` maps each kind to one HTTP status; logs use it as a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request has several readings (300).
    Ambiguous,
    /// The request is malformed or breaks a rule (400).
    Invalid,
    /// Nobody, or somebody with a bad credential (401).
    Unauthorized,
    /// Known, but not allowed (403).
    Forbidden,
    /// It does not exist, or the caller must not learn that it does (404).
    NotFound,
    /// The path exists, not with this method (405).
    MethodNotAllowed,
    /// No representation fits (406).
    NotAcceptable,
    /// It clashes with what is there (409).
    Conflict,
    /// The body is larger than allowed (413).
    TooLarge,
    /// The body's media type is not understood (415).
    UnsupportedMedia,
    /// The asked range starts behind the end (416).
    Range,
    /// Well-formed but refused by a rule (422); GoTrue's usual answer.
    Unprocessable,
    /// A limit of the plan or the platform is reached (403).
    Quota,
    /// Too many requests (429).
    RateLimited,
    /// Our fault (500).
    Internal,
    /// This engine, or this version of Plinth, cannot do that (501).
    Unsupported,
    /// Somebody else's server answered wrongly (502).
    Upstream,
    /// Not now; trying again is safe and sensible (503).
    Unavailable,
    /// The deadline passed; for a write the outcome may be unknown (504).
    Timeout,
}

/// An error with a stable code and two texts: one for the client, one (the source) for the log.
///
/// Boxed, so that a `Result` stays as small as its value.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    code: Cow<'static, str>,
    public: Cow<'static, str>,
    details: Option<Cow<'static, str>>,
    details_json: Option<serde_json::Value>,
    hint: Option<Cow<'static, str>>,
    status: Option<u16>,
    retry_after: Option<u32>,
    headers: Vec<(String, String)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind` with a stable `code` (`area/what`, a PostgREST code or an SQLSTATE) and the client's text.
    pub fn new(kind: ErrorKind, code: impl Into<Cow<'static, str>>, public: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            code: code.into(),
            public: public.into(),
            details: None,
            details_json: None,
            hint: None,
            status: None,
            retry_after: None,
            headers: Vec::new(),
            source: None,
        }))
    }

    /// Shorthand for [`ErrorKind::Invalid`].
    pub fn invalid(code: impl Into<Cow<'static, str>>, public: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::Invalid, code, public)
    }

    /// Our own fault: the client sees a fixed sentence, the log the cause.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal, "internal", "Something went wrong on our side").with_source(source)
    }

    /// Adds what exactly was wrong.
    #[must_use]
    pub fn with_details(mut self, details: impl Into<Cow<'static, str>>) -> Self {
        self.0.details = Some(details.into());
        self
    }

    /// Adds what exactly was wrong, as a value that programs can read; shown in place of a text.
    #[must_use]
    pub fn with_details_json(mut self, details: serde_json::Value) -> Self {
        self.0.details_json = Some(details);
        self
    }

    /// Rewrites the texts that the client sees.
    #[must_use]
    pub fn reworded(mut self, reword: impl Fn(&str) -> String) -> Self {
        self.0.public = reword(&self.0.public).into();
        self.0.details = self.0.details.map(|text| reword(&text).into());
        self.0.hint = self.0.hint.map(|text| reword(&text).into());
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the cause, for the log only.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Overrides the status that the kind implies (SQLSTATE `PTxyz` lets database functions choose one).
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Tells the client when to try again, in seconds.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// Adds a header to the reply, in place of one of ours of that name. A name or value that HTTP does not allow is
    /// left out of the reply.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.headers.push((name.into(), value.into()));
        self
    }

    /// The class.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The client's text.
    pub fn public(&self) -> &str {
        &self.0.public
    }

    /// What exactly was wrong, if said.
    pub fn details(&self) -> Option<&str> {
        self.0.details.as_deref()
    }

    /// What exactly was wrong, if said as a value.
    pub fn details_json(&self) -> Option<&serde_json::Value> {
        self.0.details_json.as_ref()
    }

    /// What to do about it, if said.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The status chosen in place of the kind's.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Headers that the reply carries because of this error.
    pub fn headers(&self) -> &[(String, String)] {
        &self.0.headers
    }

    /// Seconds after which to try again.
    pub fn retry_after(&self) -> Option<u32> {
        self.0.retry_after
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("code", &self.0.code)
            .field("public", &self.0.public)
            .field("details", &self.0.details)
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.public)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
