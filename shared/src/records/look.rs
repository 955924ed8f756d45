//! What a backend's tables are like right now, for who verifies a design.

use http::{HeaderMap, Method};

use super::site::Site;
use super::{Door, Facts};
use crate::app::App;
use crate::backend::Indexes;
use crate::error::Result;
use crate::schema::catalog::Catalog;

/// Tables and the columns of their indexes behind a door, read now and not remembered.
///
/// # Errors
/// As the door says; 503 `PGRST001`, `PGRST002` and `backend/refused` while the database cannot be reached;
/// `backend/no-indexes` (501).
pub async fn look(app: &App, door: &Door) -> Result<(Catalog, Indexes)> {
    let headers = HeaderMap::new();
    let access = Box::pin(door.open(app, &headers)).await?;
    let backend = access.project().ready_backend()?;
    let facts = Facts::new(&Method::GET, "/", &headers);
    let site = Box::pin(Site::of(app, &access, backend, &facts, &headers)).await?;
    let target = app.data_target(access.project(), backend).await?;
    let records = app.backends.records(&target)?;
    let deadline = app.config.web.request_timeout;
    let found = Box::pin(async {
        let snapshot = records.catalog(&site.place, deadline).await?;
        Ok((snapshot.catalog, records.indexes(&site.place, deadline).await?))
    })
    .await;
    super::forget_refused(app, &target, &found);
    found
}
