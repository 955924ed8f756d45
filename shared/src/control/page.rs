//! Pages of lists: a limit, and an opaque cursor that says where the last page ended.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};

/// Items of a page when the caller does not say.
const DEFAULT: i64 = 50;
/// Items of a page at most.
const MOST: i64 = 100;

/// Where in a list ordered by time an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position(pub Timestamp, pub Uuid);

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Items at most.
    pub limit: i64,
    /// Behind this one; from the start without.
    pub after: Option<Position>,
}

impl Page {
    /// From a query's `limit` and `cursor`.
    ///
    /// # Errors
    /// `http/limit`, `http/cursor`.
    pub fn parse(limit: Option<i64>, cursor: Option<&str>) -> Result<Self> {
        Ok(Self {
            limit: page_limit(limit)?,
            after: cursor.map(decode_cursor).transpose()?,
        })
    }

    /// One more than the page holds is fetched, to know whether there is another page.
    pub(crate) fn fetched(&self) -> i64 {
        self.limit + 1
    }

    /// Makes a page of what was fetched.
    pub(crate) fn cut<T>(&self, mut items: Vec<T>, position: impl Fn(&T) -> Position) -> Listed<T> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| encode_cursor(&position(last)));
        Listed { items, next_cursor }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T> {
    /// Its items.
    pub items: Vec<T>,
    /// What the next request sends as `cursor`; none behind the last page.
    pub next_cursor: Option<String>,
}

/// A query's `limit`, or the default.
///
/// # Errors
/// `http/limit` outside of 1-100.
pub fn page_limit(limit: Option<i64>) -> Result<i64> {
    match limit {
        None => Ok(DEFAULT),
        Some(limit) if (1..=MOST).contains(&limit) => Ok(limit),
        Some(_) => Err(Error::invalid("http/limit", "limit must be between 1 and 100")),
    }
}

/// A place in a list as text that means nothing to a client.
pub fn encode_cursor(place: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// Reads what [`encode_cursor`] made.
///
/// # Errors
/// `http/cursor` for anything else.
pub fn decode_cursor<T: DeserializeOwned>(cursor: &str) -> Result<T> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let place = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    place.ok_or_else(|| {
        Error::invalid("http/cursor", "The cursor is not one of this list")
            .with_hint("Send nextCursor of the page before, unchanged")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_a_next_one_only_when_more_was_found() {
        let page = Page::parse(Some(2), None).unwrap();
        let at = |n: &i64| Position(Timestamp::from_second(*n).unwrap(), Uuid::nil());
        let last = page.cut(vec![1, 2], at);
        assert_eq!((last.items, last.next_cursor), (vec![1, 2], None));
        let first = page.cut(vec![1, 2, 3], at);
        assert_eq!(first.items, [1, 2]);
        let again = Page::parse(Some(2), first.next_cursor.as_deref()).unwrap();
        assert_eq!(again.after, Some(at(&2)));
    }

    #[test]
    fn limits_and_cursors_of_other_making_are_refused() {
        for limit in [0, -1, 101, i64::MAX, i64::MIN] {
            assert_eq!(Page::parse(Some(limit), None).unwrap_err().code(), "http/limit");
        }
        for cursor in ["", "x", "%", "eyJ9", &"A".repeat(10_000), &encode_cursor(&7)] {
            assert_eq!(
                Page::parse(None, Some(cursor)).unwrap_err().code(),
                "http/cursor",
                "{cursor}"
            );
        }
    }
}
