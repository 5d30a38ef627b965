//! Integration tests: one binary, a module per subject.

#![allow(clippy::disallowed_methods, reason = "tests face the host")]

mod docs;
mod markdown;
mod sandbox;
mod syntax;
mod compile;
