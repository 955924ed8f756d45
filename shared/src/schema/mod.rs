//! Tables as values: what a designer asked for, what a backend has, and the DDL between the two.

pub mod catalog;
