//! mlpc, the compiler for machine-learning delivery.

pub mod source;
pub mod diagnostic;
pub mod syntax;
pub mod types;
pub mod gate;
pub mod plan;
pub mod emit;
pub mod host;
pub mod registry;
pub mod cli;
