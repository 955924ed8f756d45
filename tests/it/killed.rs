//! Workers that are killed: real processes, ended by SIGKILL at points drawn at random, of every kind of job. What one
//! leaves is done by the next, nothing is lost, and nothing is done twice: what is there in the end is what an
//! undisturbed worker leaves. `PLINTH_SEED` repeats a failure.
//!
//! A kind of its own is a [`cases::Case`]: how a round begins, and what there is in the end.

mod bench;
mod cases;
mod copies;
mod erasures;
mod process;
mod way;

use std::io::Write;

use plinth::clock::{Random, SystemRandom};

use crate::world::run;
use bench::Bench;
use cases::{CASES, Case};
use way::{Moment, Point};

/// Workers killed for each kind, at least.
const KILLS: usize = 50;
/// Of the jobs, those whose worker died with them begun, at least. Of a kind that is a few round trips they are seldom
/// met: then more workers are killed, until there are as many.
const BEGUN_ANEW: usize = KILLS / 5 + 1;
/// Rounds in which all of that has to happen.
const ROUNDS: usize = 8 * KILLS;

#[test]
fn every_kind_of_job_has_its_case() {
    for (kind, _) in worker::KINDS {
        assert!(
            CASES.iter().any(|case| case.kind == *kind),
            "{kind} needs a case in tests/it/killed/cases.rs"
        );
    }
}

#[test]
fn a_worker_killed_anywhere_loses_nothing_and_does_nothing_twice() {
    run(async {
        let seed = std::env::var("PLINTH_SEED").ok().and_then(|text| text.parse().ok());
        let random: &dyn Random = &SystemRandom;
        let seed = seed.unwrap_or_else(|| random.uuid().as_u64_pair().0);
        let _told = Seed(seed);
        let bench = Box::pin(Bench::new()).await;
        for case in CASES {
            Box::pin(survives(&bench, case, seed)).await;
        }
    });
}

async fn survives(bench: &Bench, case: &Case, seed: u64) {
    let mut chance = Chance(seed);
    // An undisturbed worker, to know how often it speaks to its databases and what it leaves.
    let job = (case.begin)(bench).await;
    let trips = bench.worker(None).await.trips;
    let expected = bench.end(case, job).await;
    assert!(expected.contains("state: succeeded"), "{}: {expected}", case.kind);

    let (mut killed, mut begun_anew) = (0, 0);
    for round in 0.. {
        assert!(
            round < ROUNDS,
            "{}: of {killed} workers {begun_anew} died with a job begun",
            case.kind
        );
        let job = (case.begin)(bench).await;
        let mut points = vec![chance.point(trips)];
        // Its successor may die too.
        while chance.below(3) == 0 && points.len() < 3 {
            points.push(chance.point(trips));
        }
        for point in &points {
            killed += usize::from(bench.worker(Some(*point)).await.killed);
        }
        bench.finish(job).await;
        let end = bench.end(case, job).await;
        assert_eq!(
            end, expected,
            "{} in round {round}, killed at {points:?} of {trips}",
            case.kind
        );
        begun_anew += usize::from(bench.attempts(job).await > 1);
        if killed >= KILLS && begun_anew >= BEGUN_ANEW {
            break;
        }
    }
}

/// Tells the seed of a test that fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "PLINTH_SEED={}", self.0);
        }
    }
}

/// Numbers from a seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn point(&mut self, trips: usize) -> Point {
        let moment = [Moment::Before, Moment::After][usize::try_from(self.below(2)).unwrap()];
        let trip = 1 + usize::try_from(self.below(trips as u64)).unwrap();
        Point { trip, moment }
    }
}
