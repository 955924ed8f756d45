//! HTTP in and out: what every function's router gets around it, and the extractors its handlers take.

mod conditional;
mod etag;
mod extract;
mod gateway;
mod layers;
mod lists;
mod logs;
mod problem;
mod start;

pub use conditional::{IfMatch, Tagged};
pub use etag::etag;
pub use extract::{Access, Actor, Json, Least, Part, Path, least};
pub use layers::{Peer, around, finish, mount, run};
pub use lists::{Paging, Query};
pub use logs::{init_logs, log_layer_for};
pub use problem::{Refusal, status as problem_status};
pub use start::start;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

/// A function's routes, declared once: router, OpenAPI and the check against the template come from it.
pub type Routes = OpenApiRouter<App>;

/// Largest JSON body of the control plane.
pub const BODY_LIMIT: usize = 1 << 20;
