//! Error codes that every project's clients may meet.

use super::facts::ErrorFacts;

/// Status, code, meaning, what to do.
const COMMON: &[(u16, &str, &str, &str)] = &[
    (
        400,
        "PGRST100",
        "A parameter of the query cannot be read",
        "Look at the details: they say where",
    ),
    (
        400,
        "PGRST102",
        "The body cannot be read",
        "Send a JSON object, or a list of them, as application/json",
    ),
    (
        400,
        "PGRST204",
        "A column that is written does not exist",
        "Compare its name with the table's columns",
    ),
    (
        401,
        "keys/missing",
        "No key was sent",
        "Send a key in the apikey header",
    ),
    (
        401,
        "keys/invalid",
        "The key is another project's, has expired or was revoked",
        "Take one that works from the project's keys",
    ),
    (
        401,
        "PGRST303",
        "The user's token has expired or does not hold",
        "Sign in again, or refresh the token",
    ),
    (
        403,
        "keys/secret-in-browser",
        "A secret key was sent by a browser",
        "Use the publishable key there, and rotate the secret one",
    ),
    (
        404,
        "PGRST205",
        "There is no such table or view, or it is not visible",
        "Compare its name with the tables above",
    ),
    (
        406,
        "PGRST116",
        "One row was asked for, and there is none or there are several",
        "Filter by the primary key, or ask for a list",
    ),
    (
        413,
        "http/too-large",
        "The body is larger than allowed",
        "Send less at a time",
    ),
    (
        503,
        "PGRST003",
        "No database connection came free in time",
        "Try again after the seconds in Retry-After",
    ),
    (
        503,
        "backend/refused",
        "The database does not let Plinth in right now",
        "Try again; its owner checks the connection",
    ),
    (
        504,
        "records/deadline",
        "The request took too long",
        "Ask for less, or add an index",
    ),
    (
        504,
        "records/outcome-unknown",
        "The connection was lost while something was written",
        "Look whether it is there before trying again",
    ),
];

/// Where the database is PostgreSQL or speaks like it.
const SQL: &[(u16, &str, &str, &str)] = &[
    (
        400,
        "22P02",
        "A value does not fit the type of its column",
        "Send a value of that type",
    ),
    (400, "23502", "A required column was left out", "Give it a value"),
    (
        400,
        "23514",
        "A value breaks a rule of the table",
        "Look at the rules of the table above",
    ),
    (
        400,
        "42703",
        "A column that is read or filtered does not exist",
        "Compare its name with the table's columns",
    ),
    (
        403,
        "42501",
        "The rules of the table do not allow this to the caller (401 without a signed-in user)",
        "Sign in, or use a secret key on a server",
    ),
    (
        409,
        "23503",
        "A row that is referred to does not exist, or one that is to be deleted is referred to",
        "Add the other row first, or delete those that refer to it",
    ),
    (
        409,
        "23505",
        "A row with that key is there already",
        "Use another key, or an upsert",
    ),
];

/// Where functions can be called.
const FUNCTIONS: &[(u16, &str, &str, &str)] = &[(
    404,
    "PGRST202",
    "There is no such function with those arguments",
    "Compare the name and the arguments with the functions above",
)];

/// Where something cannot be had.
const MISSING: &[(u16, &str, &str, &str)] = &[(
    501,
    "PGRST127",
    "This kind of database cannot do that",
    "Ask in another way; the details begin with what is missing",
)];

/// The codes of a backend, by status.
pub fn errors(sql: bool, functions: bool, missing: bool) -> Vec<ErrorFacts> {
    let chosen = [(true, COMMON), (sql, SQL), (functions, FUNCTIONS), (missing, MISSING)];
    let mut all: Vec<ErrorFacts> = chosen
        .into_iter()
        .filter(|(wanted, _)| *wanted)
        .flat_map(|(_, codes)| codes)
        .map(|(status, code, meaning, action)| ErrorFacts {
            status: *status,
            code: (*code).to_owned(),
            meaning: (*meaning).to_owned(),
            action: (*action).to_owned(),
        })
        .collect();
    all.sort_by(|one, other| (one.status, &one.code).cmp(&(other.status, &other.code)));
    all
}
