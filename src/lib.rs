//! mlpc, the compiler for machine-learning delivery.
//!
//! The modules stand in reading order, and each imports only what stands before it:
//!
//! ```text
//!            text          tree          meaning              order        what will happen
//!  source ─────────▶ syntax ────▶ resolve ────▶ model ─ check ──▶ graph ──────▶ plan
//!     │                 │             │           │       │         │            │
//!     └────── diagnostic: every pass returns a value and what there is to say ───┤
//!                                                                                │
//!                        ┌──────────────── pure above, host below ───────────────┤
//!                        │                                                       │
//!            emit ─▶ targets/<name>: files of a platform       cache, code, registry, approval
//!                                                                                │
//!                                                               exec: runs the plan on this machine
//!                                                                                │
//!                                                                     cli: one file a verb
//! ```
//!
//! From `syntax` to `targets` nothing touches the file system, the environment, the clock, processes or the terminal:
//! sources come in as values, files go out as values. `host` and what stands behind it do the rest.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests face the host"))]

extern crate alloc;

mod beside;
pub mod shown;
pub mod source;
pub mod diagnostic;
pub mod syntax;
pub mod modules;
pub mod types;
pub mod stats;
pub mod data;
pub mod gate;
pub mod model;
pub mod resolve;
pub mod check;
pub mod graph;
pub mod plan;
pub mod allow;
pub mod compile;
pub mod emit;
#[path = "../targets/mod.rs"]
pub mod targets;
pub mod import;
#[allow(clippy::disallowed_methods, reason = "faces the host")]
pub mod host;
#[allow(clippy::disallowed_methods, reason = "faces the host")]
pub mod cache;
#[allow(clippy::disallowed_methods, reason = "faces the host")]
mod code;
#[allow(clippy::disallowed_methods, reason = "faces the host")]
pub mod runtime;
#[allow(clippy::disallowed_methods, reason = "faces the host")]
pub mod registry;
#[allow(clippy::disallowed_methods, reason = "faces the host")]
pub mod approval;
#[allow(clippy::disallowed_methods, reason = "faces the host")]
pub mod judge;
#[allow(clippy::disallowed_methods, reason = "faces the host")]
pub mod dvc;
#[allow(clippy::disallowed_methods, reason = "faces the host")]
pub mod exec;
#[allow(clippy::disallowed_methods, reason = "faces the host")]
pub mod around;
#[allow(clippy::disallowed_methods, reason = "faces the host")]
pub mod past;
#[allow(clippy::disallowed_methods, reason = "faces the host")]
pub mod runner;
#[allow(clippy::disallowed_methods, reason = "faces the host")]
pub mod lsp;
#[allow(clippy::disallowed_methods, reason = "faces the host")]
pub mod cli;
