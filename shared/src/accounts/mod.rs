//! Accounts in GoTrue's dialect, by one piece of code for two audiences: the platform's own users and every project's
//! end users. See [`Audience`] for where each one's rows, keys and issuer are.
//!
//! Invariants:
//! - Passwords are hashed and checked while no connection is held: a slow hash must not keep a pool busy.
//! - Errors carry GoTrue's names as their codes (`invalid_credentials`); the `auth` function renders them as GoTrue does.
//! - `app_metadata` is never taken from a caller.
//! - No code of a tenant runs in a session of ours: see `profile`.
//!
//! Absent for now, each with its place at the router: links and codes by mail, social login, second factors, the admin
//! calls that make and change users.

mod admin;
mod audience;
mod deletion;
mod input;
mod outside;
mod person;
mod profile;
mod purge;
mod reauthentication;
mod refresh;
mod refusal;
mod sign_in;
mod sign_out;
mod sign_up;
pub mod signing;
mod store;
mod tokens;
mod user;
mod views;

pub use admin::{Administrator, UserPage, find_user, list_users};
pub use audience::{Audience, Bearer, Origin};
pub use deletion::{DeletedUser, delete_user, deleted_users, restore_user};
pub use input::{Changes, Credentials, Email, Metadata, NewAccount, Password, Scope};
pub use outside::remember_outside;
pub use person::{Person, Removed, copy_of_person, person, person_by_address, remove_person, sign_person_out};
pub use purge::purge;
pub use reauthentication::{GivenPassword, Proven, reauthenticate};
pub use refresh::refresh;
pub use refusal::not_implemented;
pub use sign_in::sign_in;
pub use sign_out::sign_out;
pub use sign_up::sign_up;
pub use tokens::public_keys;
pub use user::{change_user, show_user};
pub use views::{Amr, IdentityView, SessionView, Settings, UserView};
