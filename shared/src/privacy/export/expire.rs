//! Exports end: with their term, or with the person's data.

use uuid::Uuid;

use super::files::Files;
use super::store;
use crate::app::App;
use crate::error::Result;
use crate::privacy::requests;

/// Exports removed in one go.
const MOST: i64 = 100;
/// After so many files in a row that cannot be removed, the place where they are is taken to be out of reach.
const ENOUGH: usize = 3;

/// Removes exports that are past their term, or whose project is purged or person erased, with their files, and requests that
/// nobody has confirmed in time. How many exports there were. A file that cannot be removed keeps no other waiting.
///
/// # Errors
/// When the control database fails, or `files/unavailable`: what is left is removed with the next call.
pub async fn expire(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let past = {
        let client = app.control.get().await?;
        requests::sweep(&*client, now).await?;
        // Each time from another place on: what cannot be removed is not always first.
        store::past(&*client, now, app.random.uuid(), MOST).await?
    };
    if past.is_empty() || app.config.files.is_none() {
        return Ok(0);
    }
    let files = Files::of(app).await?;
    let (mut removed, mut failed) = (0, 0);
    for (id, object) in &past {
        // The file first: while there is a row, the next call knows of it.
        match files.delete(object).await {
            Ok(()) => {
                store::delete(&*app.control.get().await?, *id).await?;
                (removed, failed) = (removed + 1, 0);
            }
            Err(error) if failed + 1 == ENOUGH => return Err(error),
            Err(error) => {
                tracing::warn!(%error, export = %id, "the file of an export was not removed");
                failed += 1;
            }
        }
    }
    Ok(removed)
}

/// Removes an export before its term, because the person it is about is erased: its file, its request and its row. One that
/// is being made comes to nothing. What is not there is removed already.
///
/// # Errors
/// As [`expire`].
pub(crate) async fn withdraw(app: &App, request: Uuid) -> Result<()> {
    let now = app.clock.now();
    let Some(object) = store::end(&*app.control.get().await?, request, now).await? else {
        return Ok(());
    };
    Files::of(app).await?.delete(&object).await?;
    store::delete(&*app.control.get().await?, request).await
}
