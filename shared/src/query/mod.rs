//! A request as a value, a plan over the catalog, SQL. Nothing here is async or knows a connection.

/// A planned request.
#[derive(Debug, Clone)]
pub struct Plan;
