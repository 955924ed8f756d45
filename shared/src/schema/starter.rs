//! The tables every managed backend starts with.

use serde_json::json;

use super::data_type::{DataType, Scalar};
use super::policy::{Command, Grantee, PolicySpec, Template};
use super::spec::{ColumnSpec, IndexMethod, IndexSpec, OnDelete, Reference, TableSpec};
use crate::ident::Ident;

/// The profile table of end users.
pub const APP_USERS: &str = "app_users";
/// The table for data without a table of its own.
pub const APP_DATA: &str = "app_data";
/// The view of the profiles with the columns other backends promise.
pub const USERS_VIEW: &str = "users";

/// `app_users`: one row per end user, who reads and changes their own.
pub fn app_users() -> TableSpec {
    let own = |name: &str, command: Command| PolicySpec::Custom {
        name: ident(name),
        command,
        to: vec![Grantee::Authenticated],
        using: Some("id = auth.uid()".to_owned()),
        check: (command == Command::Update).then(|| "id = auth.uid()".to_owned()),
    };
    let mut columns = vec![
        id_column(),
        ColumnSpec {
            required: true,
            unique: true,
            ..column("email", Scalar::Text)
        },
        column("full_name", Scalar::Text),
        column("avatar_url", Scalar::Text),
        ColumnSpec {
            default: Some(json!({})),
            ..column("metadata", Scalar::Jsonb)
        },
    ];
    columns.extend(time_columns());
    TableSpec {
        name: ident(APP_USERS),
        comment: None,
        enums: vec![],
        columns,
        indexes: vec![],
        policies: vec![
            own("own_row_select", Command::Select),
            own("own_row_update", Command::Update),
        ],
        timestamps: true,
        removed: vec![],
        soft_delete: false,
    }
}

/// `app_data`: rows of any kind, each its user's own.
pub fn app_data() -> TableSpec {
    let user = Reference {
        table: ident(APP_USERS),
        column: ident("id"),
        on_delete: OnDelete::Cascade,
    };
    let mut columns = vec![
        id_column(),
        ColumnSpec {
            references: Some(user),
            ..column("user_id", Scalar::Uuid)
        },
        ColumnSpec {
            required: true,
            ..column("data_type", Scalar::Text)
        },
        column("data", Scalar::Jsonb),
    ];
    columns.extend(time_columns());
    TableSpec {
        name: ident(APP_DATA),
        comment: None,
        enums: vec![],
        columns,
        indexes: vec![IndexSpec {
            columns: vec![ident("user_id")],
            unique: false,
            method: IndexMethod::Btree,
        }],
        policies: vec![PolicySpec::Template {
            template: Template::Owner,
            column: Some(ident("user_id")),
        }],
        timestamps: true,
        removed: vec![],
        soft_delete: false,
    }
}

/// Statements that make the view `users` over `app_users` and let those read it who may read the table. The password
/// hash is there by name only and always null.
pub fn users_view(context: &super::ddl::Context<'_>) -> Vec<String> {
    let (view, table) = (context.table(&ident(USERS_VIEW)), context.table(&ident(APP_USERS)));
    let [anon, authenticated, service] = [
        &context.roles.anon,
        &context.roles.authenticated,
        &context.roles.service,
    ];
    vec![
        format!(
            "create view {view} with (security_invoker = true) as\n  select \"id\", \"email\", null::text as \
             \"password_hash\", \"full_name\", \"avatar_url\", \"created_at\", \"updated_at\"\n  from {table}"
        ),
        format!(
            "revoke all on table {view} from public, {}, {}, {}",
            anon.quoted(),
            authenticated.quoted(),
            service.quoted()
        ),
        format!(
            "grant select on table {view} to {}, {}",
            authenticated.quoted(),
            service.quoted()
        ),
    ]
}

/// The primary key a table without one gets.
pub(crate) fn id_column() -> ColumnSpec {
    ColumnSpec {
        primary_key: true,
        required: true,
        default: Some(json!("gen_random_uuid()")),
        ..column("id", Scalar::Uuid)
    }
}

/// `created_at` and `updated_at`.
pub(crate) fn time_columns() -> [ColumnSpec; 2] {
    ["created_at", "updated_at"].map(|name| ColumnSpec {
        required: true,
        default: Some(json!("now()")),
        ..column(name, Scalar::Timestamptz)
    })
}

fn column(name: &str, scalar: Scalar) -> ColumnSpec {
    ColumnSpec::new(ident(name), DataType::scalar(scalar))
}

/// A name written in this file.
fn ident(name: &str) -> Ident {
    Ident::new(name).unwrap_or_else(|_| unreachable!("a name in the source is valid"))
}
