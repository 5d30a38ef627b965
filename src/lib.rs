//! mlpc, the compiler for machine-learning delivery.

pub mod source;
pub mod diagnostic;
pub mod cli;
