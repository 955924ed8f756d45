//! The moments of a change at which a process may end, named so that tests can end it there.

/// A moment of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The migration is written down as pending.
    Planned,
    /// Its statements have run; nothing is committed.
    Run,
    /// The backend has the change; the control database does not know yet.
    Committed,
}

#[cfg(feature = "testing")]
tokio::task_local! {
    static END: (Step, std::sync::Arc<tokio::sync::Notify>);
}

/// Passes, unless a test ends the change here.
pub(super) async fn reached(step: Step) {
    #[cfg(feature = "testing")]
    if let Ok((end, ended)) = END.try_with(Clone::clone)
        && end == step
    {
        ended.notify_one();
        std::future::pending::<()>().await;
    }
    #[cfg(not(feature = "testing"))]
    let _: Step = step;
}

/// Runs a future until it reaches that step of a change, and drops it there. `Some` if it never got there.
#[cfg(feature = "testing")]
pub async fn interrupted<F: Future>(step: Step, future: F) -> Option<F::Output> {
    let ended = std::sync::Arc::new(tokio::sync::Notify::new());
    tokio::select! {
        output = END.scope((step, ended.clone()), future) => Some(output),
        () = ended.notified() => None,
    }
}
