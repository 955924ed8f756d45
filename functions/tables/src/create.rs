//! `POST /api/database/{id}/tables/create`

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use plinth::app::App;
use plinth::designer;
use plinth::error::{Error, ErrorKind, Result};
use plinth::schema::fault::{Fault, Faults};
use plinth::web::{Access, Json, Path, least};
use serde::Deserialize;
use serde_json::Value;

use crate::{InBackend, OneTable};

/// A table to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewTable {
    /// Its design: name, columns, indexes, policies.
    #[schema(value_type = Object)]
    schema_json: Option<Value>,
    /// What the table is for, in words, for a design to be made from.
    description: Option<String>,
}

/// Makes a table from its design.
#[utoipa::path(
    post, path = "/api/database/{id}/tables/create", tag = "tables",
    params(("id" = String, Path, description = "The backend's id")),
    request_body = NewTable,
    responses(
        (status = 201, description = "The table", body = OneTable),
        (status = 400, description = "`tables/invalid-schema`: the details list every fault with its path"),
        (status = 403, description = "`tables/quota`, `projects/role`"),
        (status = 409, description = "`tables/name-taken`"),
        (status = 501, description = "`ai/not-configured`: only a description was given"),
    )
)]
pub(crate) async fn create_table(
    access: Access<least::Developer, least::InBackend>,
    State(app): State<App>,
    Path(InBackend { id }): Path<InBackend>,
    Json(input): Json<NewTable>,
) -> Result<impl IntoResponse> {
    let table = designer::create(&app, &access.0, id, &input.design()?).await?;
    Ok((StatusCode::CREATED, OneTable { table }))
}

impl NewTable {
    fn design(self) -> Result<Value> {
        match (self.schema_json, self.description) {
            (Some(design), _) => Ok(design),
            (None, Some(_)) => Err(Error::new(
                ErrorKind::Unsupported,
                "ai/not-configured",
                "Designs cannot be made from descriptions here",
            )
            .with_hint("Send the design itself as schemaJson")),
            (None, None) => {
                let fault = Fault::new("schemaJson", "schema/missing", "The design is missing");
                let fault = fault
                    .hint(r#"Send {"schemaJson": {"name": "todos", "columns": [{"name": "title", "type": "text"}]}}"#);
                Err(Faults::from(fault).into())
            }
        }
    }
}
