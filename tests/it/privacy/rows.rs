//! Whose rows are read and erased, on real servers.

mod bulk;
mod ground;
mod managed;
mod random;
mod shapes;
