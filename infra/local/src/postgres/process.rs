//! The server's process: signalled, awaited, and never left behind.

use std::process::{Child, ExitStatus};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

/// How long each step of a stop may take: finish, then abort, then be killed.
const STOP: Duration = Duration::from_secs(10);
/// How often a condition is looked at.
const TICK: Duration = Duration::from_millis(10);

/// The server's process; ends with this value.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) pid: u32,
    child: Mutex<Child>,
}

impl Process {
    /// Takes charge of a child.
    pub(super) fn new(child: Child) -> Self {
        Self {
            pid: child.id(),
            child: Mutex::new(child),
        }
    }

    /// Its exit status, once it has ended.
    fn exited(&self) -> Option<ExitStatus> {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        child.try_wait().ok().flatten()
    }

    /// Sends `signal`, to this process only and only while it is ours: until we have waited for it, its pid is.
    fn signal(&self, signal: Signal) {
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(child.try_wait(), Ok(None)) {
            let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
            // It may end of its own accord in between.
            let _ = pid.map(|pid| kill_process(pid, signal));
        }
    }

    /// Waits for its end, or until `deadline`.
    pub(super) async fn wait(&self, deadline: Option<Instant>) -> Option<ExitStatus> {
        let mut tick = ticks();
        loop {
            tick.tick().await;
            let exited = self.exited();
            if exited.is_some() || deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return exited;
            }
        }
    }

    /// Sends `signal` and waits; whether it ended.
    pub(super) async fn end(&self, signal: Signal) -> bool {
        self.signal(signal);
        self.wait(Some(Instant::now() + STOP)).await.is_some()
    }
}

impl Drop for Process {
    /// An immediate shutdown: what is committed is in the log, the next start recovers.
    fn drop(&mut self) {
        self.signal(Signal::QUIT);
        let deadline = std::time::Instant::now() + STOP;
        while self.exited().is_none() {
            if std::time::Instant::now() > deadline {
                self.signal(Signal::KILL);
                let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).wait();
                return;
            }
            // A beat between two looks: std has no wait with a deadline, and `drop` no runtime.
            std::thread::sleep(TICK);
        }
    }
}

/// A beat to look at a condition by.
pub(super) fn ticks() -> Interval {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
