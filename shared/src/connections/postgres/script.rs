//! The script of least privilege: what Plinth's login needs, and nothing beside. It is for the database's owner to read
//! and run; we run none of it.

use std::fmt::Write as _;

use crate::connections::report::PostgresRights;
use crate::error::Result;
use crate::ident::Ident;

/// The login that is made where the one given has too many rights to be taken away.
const OWN: &str = "plinth_login";

/// For that login of that database.
///
/// # Errors
/// When a name is none that PostgreSQL could have.
pub(super) fn script(login: &str, database: &str, found: &PostgresRights) -> Result<String> {
    let mut text = String::new();
    let mut line = |words: String| {
        // Writing into a string cannot fail.
        let _written = writeln!(text, "{words}");
    };
    let fresh = needs_another(found);
    let name = Ident::new(if fresh { OWN } else { login })?;
    let (login, database) = (name.quoted(), Ident::new(database)?);
    let database = database.quoted();
    if fresh {
        line(
            "-- The login that was tested has more rights than can be taken from it: here is one of its own."
                .to_owned(),
        );
        line(format!(
            "create role {login} login noinherit nosuperuser nobypassrls nocreaterole nocreatedb;"
        ));
        line(format!(
            "-- In psql, give it a password that is in no log: \\password {OWN}"
        ));
    } else if found.login.create_role || found.login.create_database {
        line(format!("alter role {login} nocreaterole nocreatedb;"));
    }
    line(format!("grant connect on database {database} to {login};"));
    if !fresh && found.login.create_schema {
        line(format!("revoke create on database {database} from {login};"));
    }
    for role in found.roles.iter().filter(|role| role.exists) {
        line(format!(
            "grant {} to {login};",
            Ident::new(role.name.as_str())?.quoted()
        ));
    }
    for schema in found.schemas.iter().filter(|schema| schema.exists) {
        let name = Ident::new(schema.name.as_str())?;
        let name = name.quoted();
        line(format!("grant usage on schema {name} to {login};"));
        if schema.create_by_public {
            line(format!("revoke create on schema {name} from public;"));
        } else if !fresh && schema.create {
            line(format!("revoke create on schema {name} from {login};"));
        }
        // Where requests take a role, the role's rights count.
        if found.roles.is_empty() {
            line(format!(
                "grant select, insert, update, delete on all tables in schema {name} to {login};"
            ));
            line(format!(
                "grant usage, select on all sequences in schema {name} to {login};"
            ));
        }
        if !fresh && schema.more > schema.owned {
            line(format!(
                "revoke truncate, references, trigger on all tables in schema {name} from {login};"
            ));
        }
        if found.roles.is_empty() {
            line("-- For tables that are made later, as whoever makes them:".to_owned());
            line(format!(
                "alter default privileges in schema {name} grant select, insert, update, delete on tables to {login};"
            ));
            line(format!(
                "alter default privileges in schema {name} grant usage, select on sequences to {login};"
            ));
        }
    }
    Ok(text)
}

/// Whether the login's rights come with what it is, or owns.
fn needs_another(found: &PostgresRights) -> bool {
    let mighty = found.login.superuser || found.login.managed_superuser || found.login.bypass_rls;
    mighty || found.schemas.iter().any(|schema| schema.owned > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connections::report::{LoginRights, RoleRights, SchemaRights};

    fn schema(name: &str) -> SchemaRights {
        SchemaRights {
            name: name.to_owned(),
            exists: true,
            tables: 2,
            ..SchemaRights::default()
        }
    }

    #[test]
    fn a_modest_login_gets_what_it_needs_and_loses_what_it_does_not() {
        let found = PostgresRights {
            login: LoginRights {
                create_role: true,
                create_schema: true,
                ..LoginRights::default()
            },
            schemas: vec![
                SchemaRights {
                    create: true,
                    more: 2,
                    ..schema("a\"pi")
                },
                SchemaRights {
                    create: true,
                    create_by_public: true,
                    ..schema("public")
                },
                SchemaRights {
                    exists: false,
                    ..schema("gone")
                },
            ],
            roles: Vec::new(),
        };
        insta::assert_snapshot!(script("App; drop", "my\"db", &found).unwrap(), @r#"
        alter role "App; drop" nocreaterole nocreatedb;
        grant connect on database "my""db" to "App; drop";
        revoke create on database "my""db" from "App; drop";
        grant usage on schema "a""pi" to "App; drop";
        revoke create on schema "a""pi" from "App; drop";
        grant select, insert, update, delete on all tables in schema "a""pi" to "App; drop";
        grant usage, select on all sequences in schema "a""pi" to "App; drop";
        revoke truncate, references, trigger on all tables in schema "a""pi" from "App; drop";
        -- For tables that are made later, as whoever makes them:
        alter default privileges in schema "a""pi" grant select, insert, update, delete on tables to "App; drop";
        alter default privileges in schema "a""pi" grant usage, select on sequences to "App; drop";
        grant usage on schema "public" to "App; drop";
        revoke create on schema "public" from public;
        grant select, insert, update, delete on all tables in schema "public" to "App; drop";
        grant usage, select on all sequences in schema "public" to "App; drop";
        -- For tables that are made later, as whoever makes them:
        alter default privileges in schema "public" grant select, insert, update, delete on tables to "App; drop";
        alter default privileges in schema "public" grant usage, select on sequences to "App; drop";
        "#);
    }

    #[test]
    fn a_mighty_login_is_left_alone_and_another_one_made() {
        let found = PostgresRights {
            login: LoginRights {
                superuser: true,
                create_schema: true,
                ..LoginRights::default()
            },
            schemas: vec![SchemaRights {
                create: true,
                more: 2,
                ..schema("public")
            }],
            roles: vec![
                RoleRights {
                    name: "anon".to_owned(),
                    exists: true,
                    granted: true,
                },
                RoleRights {
                    name: "gone".to_owned(),
                    ..RoleRights::default()
                },
            ],
        };
        insta::assert_snapshot!(script("postgres", "app", &found).unwrap(), @r#"
        -- The login that was tested has more rights than can be taken from it: here is one of its own.
        create role "plinth_login" login noinherit nosuperuser nobypassrls nocreaterole nocreatedb;
        -- In psql, give it a password that is in no log: \password plinth_login
        grant connect on database "app" to "plinth_login";
        grant "anon" to "plinth_login";
        grant usage on schema "public" to "plinth_login";
        "#);
    }
}
