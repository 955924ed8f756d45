//! Media types: what a caller would take, and the shape of a reply that was settled upon.

use std::fmt;

/// One media type that a caller would take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaType {
    /// `*/*`: whatever is usual.
    Any,
    /// `application/json`
    Json,
    /// `application/vnd.pgrst.object+json`
    Object {
        /// `;nulls=stripped`
        strip_nulls: bool,
    },
    /// `application/vnd.pgrst.array+json;nulls=stripped`
    StrippedArray,
    /// `text/csv`
    Csv,
    /// `application/vnd.pgrst.plan`: how the database would do it.
    Plan(Explain, Box<MediaType>),
    /// Any other: its name without parameters, in lower case.
    Other(String),
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "*/*",
            Self::Json => "application/json",
            Self::Object { strip_nulls: false } => "application/vnd.pgrst.object+json",
            Self::Object { strip_nulls: true } => "application/vnd.pgrst.object+json;nulls=stripped",
            Self::StrippedArray => "application/vnd.pgrst.array+json;nulls=stripped",
            Self::Csv => "text/csv",
            Self::Plan(explain, of) => return write!(f, "{explain}{}", PlanParameters(*explain, of)),
            Self::Other(name) => name,
        })
    }
}

struct PlanParameters<'a>(Explain, &'a MediaType);

impl fmt::Display for PlanParameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "; for=\"{}\"", self.1)?;
        let options: Vec<&str> = self.0.options().collect();
        if options.is_empty() {
            return Ok(());
        }
        write!(f, "; options={}", options.join("|"))
    }
}

/// How a plan is explained: the options of `explain`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of Postgres's options")]
pub struct Explain {
    /// As JSON, not as text.
    pub json: bool,
    pub analyze: bool,
    pub verbose: bool,
    pub settings: bool,
    pub buffers: bool,
    pub wal: bool,
}

impl Explain {
    /// The options that are on, by their names.
    pub fn options(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (self.analyze, "analyze"),
            (self.verbose, "verbose"),
            (self.settings, "settings"),
            (self.buffers, "buffers"),
            (self.wal, "wal"),
        ];
        all.into_iter().filter_map(|(on, name)| on.then_some(name))
    }
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.json {
            "application/vnd.pgrst.plan+json"
        } else {
            "application/vnd.pgrst.plan+text"
        })
    }
}

/// The shape of a reply.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accept {
    /// One object; not exactly one row is an error.
    pub singular: bool,
    /// Members that are null are left out.
    pub strip_nulls: bool,
    /// How rows are written down.
    pub format: Format,
    /// The plan of the statement instead of what it would answer.
    pub explain: Option<Explain>,
}

/// How rows are written down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Format {
    /// As JSON.
    #[default]
    Json,
    /// As comma-separated values under a line of names.
    Csv,
    /// One value as it is, in this media type; only a function's result can be that.
    Raw(String),
}

impl Accept {
    /// The `content-type` of a reply in this shape.
    pub fn content_type(&self) -> String {
        let media_type = match (&self.format, self.singular, self.strip_nulls) {
            (Format::Raw(name), ..) => MediaType::Other(name.clone()),
            (Format::Csv, ..) => MediaType::Csv,
            (Format::Json, true, strip_nulls) => MediaType::Object { strip_nulls },
            (Format::Json, false, true) => MediaType::StrippedArray,
            (Format::Json, false, false) => MediaType::Json,
        };
        let media_type = match self.explain {
            Some(explain) => MediaType::Plan(explain, Box::new(media_type)),
            None => media_type,
        };
        match &media_type {
            // What is not text, or may not be, has no charset.
            MediaType::Other(name) if !["text/plain", "text/xml", "application/geo+json"].contains(&&**name) => {
                name.clone()
            }
            other => format!("{other}; charset=utf-8"),
        }
    }
}
