//! Work that is not a request. A row in `plinth.jobs` is the truth; a message in the queue only wakes the worker.
//!
//! A job is claimed with a lease and `for update skip locked`, so several workers share the work; while it is done, the
//! lease is renewed. A worker that dies leaves a lease that runs out, and the job is claimed again: a [`Handler`] must be
//! safe to stop anywhere and to run again. Each claim has a number, `attempt`, and whoever writes proves by it that the
//! job is still theirs: a worker that was thought dead writes nothing any more.
//!
//! What an attempt has done for good it says with [`Job::done`], in the transaction of the thing itself; the next one
//! asks [`Job::items`] and leaves it out. So work in the control database is done once. Work in other places must be
//! such that doing it twice is as good as once.
//!
//! What fails is tried again after a pause that doubles; after [`ATTEMPTS`] tries, or at once where trying again is
//! of no use, the job is `failed`, stays readable and can be started anew with [`retry`].
//!
//! This module knows no kind of job: the worker hands in its table of them.

mod access;
mod decide;
mod enqueue;
mod job;
mod list;
mod outcome;
mod queue;
mod run;
mod store;
mod view;

pub use access::{JobAccess, require};
pub use decide::{cancel, retry};
pub use enqueue::{Asked, Key, NewJob, ask_once, enqueue, enqueue_once};
pub use job::Job;
pub use list::{Filter, list, list_all, list_own};
pub use queue::wake;
#[cfg(feature = "testing")]
pub use run::run_due_at;
pub use run::{Pace, run_due};
pub use view::{Found, JobSummary, JobView, find, not_found};

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;

use crate::app::App;
use crate::error::Result;

/// How often a job is tried before it is given up.
pub const ATTEMPTS: i32 = 8;

/// What a handler hands back: the job's result, kept in its row. It says what came of it and where that is, and is not
/// the thing itself: one of more than 64 KiB is not kept.
pub type Done<'a> = Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>>;
/// Does one kind of job. It may be stopped at any await and run again.
pub type Handler = for<'a> fn(&'a App, &'a Job) -> Done<'a>;
/// The kinds a worker knows.
pub type Kinds = [(&'static str, Handler)];
