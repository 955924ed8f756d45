//! A zip that is written as its content is read: what is finished of it goes to where it is kept, so that only a part of it
//! is ever held.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use super::files::Upload;
use crate::error::{Error, Result};

/// What was compressed and has not been handed on.
#[derive(Clone, Default)]
struct Done(Arc<Mutex<Vec<u8>>>);

impl Done {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Done {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut done = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        done.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A zip in the making. Its files come in the order in which they are begun.
pub(super) struct Archive {
    zip: ZipWriter<StreamWriter<Done>>,
    done: Done,
    upload: Upload,
    options: SimpleFileOptions,
    names: BTreeSet<String>,
}

impl Archive {
    /// Begins one. All its files are dated `at`, so that one that is made again is the same.
    pub fn new(upload: Upload, at: Timestamp) -> Self {
        let done = Done::default();
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(dated(at))
            .unix_permissions(0o600)
            // Its length is known at its end only.
            .large_file(true);
        Self {
            zip: ZipWriter::new_stream(done.clone()),
            done,
            upload,
            options,
            names: BTreeSet::new(),
        }
    }

    /// Begins a file; what is written from now on is its content. `folder` and `extension` are ours, `title` is somebody's
    /// word: the file's name is made of it ([`safe`]) and tells it from the others. Answers the whole name.
    ///
    /// # Errors
    /// When the zip cannot be written.
    pub fn begin(&mut self, folder: &str, title: &str, extension: &str) -> Result<String> {
        let title = safe(title);
        let mut number = 1;
        loop {
            let again = if number == 1 {
                String::new()
            } else {
                format!("-{number}")
            };
            let name = format!("{folder}{title}{again}.{extension}");
            // Where files are unpacked, capitals may not count.
            if self.names.insert(name.to_lowercase()) {
                self.zip.start_file(&name, self.options).map_err(Error::internal)?;
                return Ok(name);
            }
            number += 1;
        }
    }

    /// Writes on.
    ///
    /// # Errors
    /// `files/unavailable`.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.zip.write_all(bytes).map_err(Error::internal)?;
        self.hand_on().await
    }

    /// A whole file.
    ///
    /// # Errors
    /// `files/unavailable`.
    pub async fn file(&mut self, folder: &str, title: &str, extension: &str, content: &[u8]) -> Result<String> {
        let name = self.begin(folder, title, extension)?;
        self.write(content).await?;
        Ok(name)
    }

    /// Ends the zip; what is left is to complete its upload.
    ///
    /// # Errors
    /// `files/unavailable`.
    pub async fn finish(self) -> Result<Upload> {
        let Self {
            zip, done, mut upload, ..
        } = self;
        zip.finish().map_err(Error::internal)?;
        upload.write(&done.take()).await?;
        Ok(upload)
    }

    /// Gives it up.
    pub async fn abort(self) {
        self.upload.abort().await;
    }

    async fn hand_on(&mut self) -> Result<()> {
        let done = self.done.take();
        self.upload.write(&done).await
    }
}

/// A file's name made of somebody's word: letters, digits, `-`, `_` and single dots within. No way leads out of the folder
/// by it, and no system takes it for a device or an option.
pub(super) fn safe(title: &str) -> String {
    const LONGEST: usize = 80;
    let mut name = String::new();
    for c in title.chars().take(LONGEST) {
        let fits =
            c.is_alphanumeric() || c == '_' || (c == '-' || c == '.') && !name.is_empty() && !name.ends_with('.');
        name.push(if fits { c } else { '_' });
    }
    let name = name.trim_end_matches('.');
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];
    let start = name.split('.').next().unwrap_or_default().to_lowercase();
    let device = DEVICES
        .iter()
        .any(|device| start.strip_prefix(device).is_some_and(|rest| rest.len() <= 1));
    if name.is_empty() || device {
        return format!("_{name}");
    }
    name.to_owned()
}

/// As zips tell the time: from 1980 on, in UTC.
fn dated(at: Timestamp) -> zip::DateTime {
    let at = at.to_zoned(jiff::tz::TimeZone::UTC);
    let small = |number: i8| u8::try_from(number).unwrap_or_default();
    let year = u16::try_from(at.year()).unwrap_or_default();
    let made = zip::DateTime::from_date_and_time(
        year,
        small(at.month()),
        small(at.day()),
        small(at.hour()),
        small(at.minute()),
        small(at.second()),
    );
    made.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_by_letters_alone_whatever_its_title() {
        for (title, expected) in [
            ("orders", "orders"),
            ("Bestellungen_Größe", "Bestellungen_Größe"),
            ("../../etc/passwd", "_._.__etc_passwd"),
            ("..", "_"),
            (".hidden", "_hidden"),
            ("-rf", "_rf"),
            ("a..b", "a._b"),
            ("a\\b/c:d", "a_b_c_d"),
            ("C:\\x", "C__x"),
            ("nul", "_nul"),
            ("COM1.txt", "_COM1.txt"),
            ("company", "company"),
            ("", "_"),
            ("a\u{0}b\nc\u{202e}", "a_b_c_"),
            ("ends.", "ends"),
            ("trash:orders:1", "trash_orders_1"),
        ] {
            assert_eq!(safe(title), expected, "{title:?}");
        }
        assert_eq!(safe(&"x".repeat(500)).len(), 80);
    }
}
