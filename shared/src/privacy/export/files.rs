//! Where exports wait: a bucket of S3, or a folder of this machine.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt as _, PutPayload};

use crate::app::App;
use crate::config::FilesAt;
use crate::error::{Error, ErrorKind, Result};

/// Bytes of a part: S3 takes 5 MiB or more, but for the last one, and 10,000 of them: up to 80 GB.
const PART: usize = 8 << 20;

/// The place for files.
pub(crate) struct Files {
    store: Arc<dyn ObjectStore>,
    place: Place,
}

enum Place {
    Folder(PathBuf),
    /// It makes addresses that need no credentials.
    #[cfg(feature = "aws")]
    Bucket(Arc<object_store::aws::AmazonS3>),
}

impl Files {
    /// The place that this function is configured with.
    ///
    /// # Errors
    /// `config/invalid` when there is none; `files/unavailable` when it cannot be used.
    pub async fn of(app: &App) -> Result<Self> {
        let files = app.config.files.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Internal, "config/invalid", "The service is not configured")
                .with_details("PLINTH_FILES_BUCKET, or PLINTH_FILES_FOLDER: is not set")
        })?;
        match &files.at {
            FilesAt::Bucket(bucket) => bucket_of(bucket).await,
            FilesAt::Folder(folder) => Self::folder(folder),
        }
    }

    fn folder(folder: &FilePath) -> Result<Self> {
        use std::os::unix::fs::DirBuilderExt as _;

        let mut builder = std::fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(unavailable)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(unavailable)?;
        Ok(Self {
            store: Arc::new(store),
            place: Place::Folder(folder.to_owned()),
        })
    }

    /// Begins to write a file. It is there, in place of one of that name, when the upload completes.
    ///
    /// # Errors
    /// `files/unavailable`.
    pub async fn create(&self, name: &str) -> Result<Upload> {
        self.sweep(name).await?;
        let upload = self.store.put_multipart(&path(name)).await.map_err(unavailable)?;
        Ok(Upload {
            upload: Some(upload),
            pending: Vec::new(),
            bytes: 0,
        })
    }

    /// A file's length, and its content as it is read; none when it is not there.
    ///
    /// # Errors
    /// `files/unavailable`.
    pub async fn read(&self, name: &str) -> Result<Option<(u64, impl Stream<Item = Result<Bytes>> + Send + use<>)>> {
        match self.store.get(&path(name)).await {
            Ok(found) => {
                let bytes = found.meta.size;
                Ok(Some((bytes, found.into_stream().map(|part| part.map_err(unavailable)))))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Removes a file, what was left of a try to write it included. One that is not there is removed already.
    ///
    /// # Errors
    /// `files/unavailable`.
    pub async fn delete(&self, name: &str) -> Result<()> {
        self.sweep(name).await?;
        match self.store.delete(&path(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// An address from which anybody may fetch the file so long, under the name `shown`; none where there are no such
    /// addresses.
    ///
    /// # Errors
    /// `files/unavailable`.
    #[cfg_attr(not(feature = "aws"), expect(unused_variables, reason = "a folder has no addresses"))]
    pub async fn address(&self, name: &str, within: Duration, shown: &str) -> Result<Option<String>> {
        match &self.place {
            Place::Folder(_) => Ok(None),
            #[cfg(feature = "aws")]
            Place::Bucket(bucket) => {
                let url = super::bucket::address(bucket, &path(name), within, shown).await;
                Ok(Some(url.map_err(unavailable)?))
            }
        }
    }

    /// Removes what a writer that died has left beside a file: in a folder, uploads are files named `<name>#<number>`. A
    /// bucket removes its own.
    async fn sweep(&self, name: &str) -> Result<()> {
        let folder = match &self.place {
            Place::Folder(folder) => folder,
            #[cfg(feature = "aws")]
            Place::Bucket(_) => return Ok(()),
        };
        let prefix = format!("{name}#");
        let mut entries = tokio::fs::read_dir(folder).await.map_err(unavailable)?;
        while let Some(entry) = entries.next_entry().await.map_err(unavailable)? {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                gone(tokio::fs::remove_file(entry.path()).await)?;
            }
        }
        Ok(())
    }
}

/// A file that is being written.
pub(crate) struct Upload {
    upload: Option<Box<dyn MultipartUpload>>,
    pending: Vec<u8>,
    bytes: u64,
}

impl Upload {
    /// Takes what follows. Holds less than a part of it.
    ///
    /// # Errors
    /// `files/unavailable`.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.pending.extend_from_slice(bytes);
        self.bytes += bytes.len() as u64;
        if self.pending.len() >= PART {
            self.put().await?;
        }
        Ok(())
    }

    async fn put(&mut self) -> Result<()> {
        let part = std::mem::replace(&mut self.pending, Vec::with_capacity(PART));
        if let Some(upload) = &mut self.upload {
            upload.put_part(PutPayload::from(part)).await.map_err(unavailable)?;
        }
        Ok(())
    }

    /// Ends the file; how many bytes it has. From now on it is there.
    ///
    /// # Errors
    /// `files/unavailable`.
    pub async fn complete(mut self) -> Result<u64> {
        if !self.pending.is_empty() {
            self.put().await?;
        }
        if let Some(mut upload) = self.upload.take() {
            upload.complete().await.map_err(unavailable)?;
        }
        Ok(self.bytes)
    }

    /// Gives the file up: nothing of it stays.
    pub async fn abort(mut self) {
        if let Some(mut upload) = self.upload.take()
            && let Err(error) = upload.abort().await
        {
            // What stays is removed with the next try, or by the bucket.
            tracing::warn!(%error, "an upload was not given up");
        }
    }

    /// How many bytes were written.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

fn path(name: &str) -> Path {
    Path::from(name)
}

fn gone(removed: std::io::Result<()>) -> Result<()> {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unavailable(error)),
        _ => Ok(()),
    }
}

fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "files/unavailable",
        "The place where files are kept cannot be reached right now",
    )
    .with_retry_after(1)
    .with_source(source)
}

#[cfg(feature = "aws")]
async fn bucket_of(bucket: &str) -> Result<Files> {
    let store = Arc::new(super::bucket::open(bucket).await?);
    Ok(Files {
        store: store.clone(),
        place: Place::Bucket(store),
    })
}

#[cfg(not(feature = "aws"))]
async fn bucket_of(_: &str) -> Result<Files> {
    Err(Error::internal(
        "PLINTH_FILES_BUCKET needs a function built with the aws feature",
    ))
}

/// An archive of a test's, and what reads its files once it is finished.
#[cfg(test)]
pub(super) async fn in_a_folder() -> (
    super::archive::Archive,
    impl AsyncFnOnce(super::archive::Archive) -> std::collections::BTreeMap<String, String>,
) {
    use std::io::Read as _;

    let folder = tests::empty_folder();
    let upload = Files::folder(&folder).unwrap().create("a.zip").await.unwrap();
    let archive = super::archive::Archive::new(upload, jiff::Timestamp::UNIX_EPOCH);
    let read = async move |archive: super::archive::Archive| {
        archive.finish().await.unwrap().complete().await.unwrap();
        let file = std::fs::File::open(folder.join("a.zip")).unwrap();
        let mut zip = zip::ZipArchive::new(file).unwrap();
        let mut files = std::collections::BTreeMap::new();
        for at in 0..zip.len() {
            let mut file = zip.by_index(at).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            files.insert(file.name().unwrap().into_owned(), text);
        }
        std::fs::remove_dir_all(&folder).unwrap();
        files
    };
    (archive, read)
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;

    use super::*;

    pub fn empty_folder() -> PathBuf {
        let random: &dyn crate::clock::Random = &crate::clock::SystemRandom;
        std::env::temp_dir().join(format!("plinth-files-{}", random.uuid()))
    }

    #[tokio::test]
    async fn a_file_is_there_once_it_is_complete_and_nobody_else_may_look() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = empty_folder();
        let files = Files::folder(&folder).unwrap();
        let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let mut upload = files.create("a.zip").await.unwrap();
        let large = vec![7; PART + 3];
        upload.write(&large).await.unwrap();
        upload.write(b"end").await.unwrap();
        assert!(files.read("a.zip").await.unwrap().is_none());
        assert_eq!(upload.complete().await.unwrap(), large.len() as u64 + 3);
        let (bytes, content) = files.read("a.zip").await.unwrap().unwrap();
        let content: Vec<Bytes> = content.try_collect().await.unwrap();
        assert_eq!(bytes, large.len() as u64 + 3);
        assert!(content.concat().ends_with(b"\x07end"));
        assert_eq!(files.address("a.zip", PART_LASTS, "b.zip").await.unwrap(), None);
        files.delete("a.zip").await.unwrap();
        files.delete("a.zip").await.unwrap();
        assert!(files.read("a.zip").await.unwrap().is_none());
        std::fs::remove_dir_all(folder).unwrap();
    }

    const PART_LASTS: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn what_a_dead_writer_left_goes_with_the_next_try_and_others_stay() {
        let folder = empty_folder();
        let files = Files::folder(&folder).unwrap();
        std::fs::write(folder.join("a.zip#1"), "left").unwrap();
        std::fs::write(folder.join("b.zip#1"), "another's").unwrap();
        let upload = files.create("a.zip").await.unwrap();
        upload.complete().await.unwrap();
        let mut names: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["a.zip", "b.zip#1"]);
        files.create("b.zip").await.unwrap().abort().await;
        files.delete("a.zip").await.unwrap();
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
