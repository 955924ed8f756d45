//! What is wrong with a map that somebody wrote.

use super::{Facts, SubjectMap};
use crate::schema::fault::Faults;

/// All that is wrong with it, each fault with its path: `tables.orders.paths[0][1].columns`.
pub fn check(_map: &SubjectMap, _facts: &Facts) -> Faults {
    Faults::default()
}
