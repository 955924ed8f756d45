//! Scripts of developers, on their project's own login: functions, views, triggers, policies, and a look at the data.
//!
//! Only where the login decides that a script stays in its project: a database of its own. In the shared database a
//! tenant's text could take a neighbour's role.

mod input;

pub use input::NewScript;

use std::time::Instant;

use http::HeaderMap;
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::audit;
use crate::backend::{Column, REFUSED, Script, ScriptScope, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::BackendId;
use crate::query::script::{self, Statement};
use crate::tenancy::{DataAccess, DataRole, Isolation, MemberRole, ProjectBackend, RequestInfo, Tier};

/// What a script answered.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The rows of the last statement that answers rows, as objects.
    #[schema(value_type = Vec<Object>)]
    pub results: Box<RawValue>,
    /// Their columns.
    pub columns: Vec<Column>,
    /// The rows in `results`; without any, those that the last statement changed.
    pub row_count: u64,
    /// Whether there were more rows than are answered.
    pub truncated: bool,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// Runs a script for a member from developer up, or the project's secret key. `input` is asked for once it is known that
/// they may: a stranger learns nothing about the request.
///
/// # Errors
/// 401 and 404 as [`crate::tenancy::Tenancy::identify_for_backend`]; 403 `sql/role`, `sql/isolation`; 400 `sql/empty`,
/// `sql/transaction-control`, `sql/copy`, `sql/params`; what [`crate::backend::Sql::run`] meets.
pub async fn run(
    app: &App,
    backend: BackendId,
    headers: &HeaderMap,
    request: &RequestInfo,
    input: Result<NewScript>,
) -> Result<Answer> {
    let access = identify(app, backend, headers, request).await?;
    let backend = access.project().ready_backend()?;
    refuse_shared(backend)?;
    let input = input?;
    let statements = input.statements()?;
    app.tenancy.touch(&access);
    note(app, &access, request, &input, &statements).await?;

    let target = app.data_target(access.project(), backend).await?;
    let began = Instant::now();
    let scope = scope(app, &access, input.read_only).await?;
    let script = Script {
        text: &input.query,
        statements: &statements,
        params: &input.params,
    };
    let ran = on(app, &target, &scope, script).await;
    if ran.as_ref().is_err_and(|error| error.code() == REFUSED) {
        app.backends.evict(&target);
        app.credentials.forget(backend.id);
    }
    let ran = ran?;
    if ran.changed {
        app.catalogs.forget(backend.id);
    }
    app.tenancy.flush_notes().await;
    Ok(Answer {
        results: ran.rows,
        columns: ran.columns,
        row_count: ran.row_count,
        truncated: ran.truncated,
        duration_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

/// Who runs it, by what is known now: there is no version check at a script's end, so a revoked key must be seen here.
async fn identify(app: &App, backend: BackendId, headers: &HeaderMap, request: &RequestInfo) -> Result<DataAccess> {
    let identify = || {
        app.tenancy
            .identify_for_backend(backend, headers, request.clone(), MemberRole::Developer)
    };
    let remembered = identify().await?;
    app.tenancy.refresh(&remembered.project().reference).await?;
    let access = identify().await?;
    if access.role() != DataRole::Service {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "sql/role",
            "Only members of the project and its secret key may run SQL",
        )
        .with_hint("Send a platform token of a developer, or the secret key from a server"));
    }
    Ok(access)
}

fn refuse_shared(backend: &ProjectBackend) -> Result<()> {
    if backend.tier == Tier::Managed && backend.isolation != Some(Isolation::Database) {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "sql/isolation",
            "A backend that shares a database with others runs no SQL of its own",
        )
        .with_hint("Choose the isolation database at provisioning: {\"config\": {\"isolation\": \"database\"}}"));
    }
    Ok(())
}

/// Written before it runs: afterwards nobody may be there to write it.
async fn note(
    app: &App,
    access: &DataAccess,
    request: &RequestInfo,
    input: &NewScript,
    statements: &[Statement<'_>],
) -> Result<()> {
    let actor = match (access.user(), access.key()) {
        (Some(user), _) => format!("user:{user}"),
        (None, Some(key)) => format!("key:{key}"),
        (None, None) => return Err(Error::internal("nobody runs a script")),
    };
    let mut commands: Vec<&str> = statements.iter().map(Statement::command).collect();
    commands.dedup();
    commands.truncate(20);
    let digest = Sha256::digest(input.query.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let entry = audit::Entry {
        project: Some(access.project().id),
        action: "sql.run",
        target: access.project().reference.to_string(),
        details: json!({
            "commands": commands,
            "statements": statements.len(),
            "readOnly": input.read_only,
            "sha256": digest,
        }),
        actor,
        request,
    };
    audit::record(app, &*app.control.get().await?, &entry).await
}

/// As the owner of the project's objects; in a user's own database as the login they gave.
async fn scope(app: &App, access: &DataAccess, read_only: bool) -> Result<ScriptScope> {
    let project = access.project();
    let names = project.names();
    let external = app.tenancy.external(project).await?;
    let schemas = match external {
        Some(external) => {
            let rest = &external.settings.rest;
            rest.schemas.iter().chain(&rest.extra_search_path).cloned().collect()
        }
        None => vec![names.schema(Isolation::Database)],
    };
    let limits = &app.config.sql;
    Ok(ScriptScope {
        role: external.is_none().then(|| names.owner()),
        schemas,
        versioned: external.is_none().then(|| project.reference.clone()),
        tenant: project.id.to_string(),
        read_only,
        deadline: limits.timeout,
        max_rows: limits.max_rows,
        max_bytes: limits.max_bytes,
    })
}

async fn on(app: &App, target: &Target, scope: &ScriptScope, script: Script<'_>) -> Result<crate::backend::Ran> {
    let records = app.backends.records(target)?;
    let sql = records.sql().ok_or_else(|| {
        Error::new(
            ErrorKind::Unsupported,
            "sql/unsupported",
            "This kind of database has no scripts",
        )
    })?;
    sql.run(scope, script).await
}

/// The statements of a script that may run.
fn statements(query: &str) -> Result<Vec<Statement<'_>>> {
    let statements = script::split(query);
    if statements.is_empty() {
        return Err(Error::invalid("sql/empty", "The script has no statement"));
    }
    let place = |at: usize| {
        let (line, column) = script::line_and_column(query, statements[at].start);
        format!("statement {}, line {line}, character {column}", at + 1)
    };
    if let Some(at) = statements.iter().position(Statement::controls_transaction) {
        return Err(Error::invalid(
            "sql/transaction-control",
            "A script is one transaction and cannot control it",
        )
        .with_details(place(at))
        .with_hint("Leave begin, commit, rollback and savepoints out; all of the script happens, or nothing"));
    }
    if let Some(at) = statements.iter().position(|statement| statement.command() == "copy") {
        return Err(
            Error::invalid("sql/copy", "COPY needs a stream, which there is none of here")
                .with_details(place(at))
                .with_hint("Insert rows with insert, or send them to /rest/v1 as JSON or CSV"),
        );
    }
    Ok(statements)
}
