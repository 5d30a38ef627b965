//! Integration tests: one binary, a module per subject.

#![allow(clippy::disallowed_methods, reason = "tests face the host")]

mod allow;
mod argo;
mod check;
mod companions;
mod compile;
mod compile_properties;
mod data;
mod docs;
mod exec;
mod gate;
mod errors;
mod examples;
mod github;
mod grammar;
mod fetch;
mod fmt;
mod hazards;
mod import;
mod init;
mod legs;
mod live;
mod lsp;
mod markdown;
mod past;
mod mistakes;
mod modules;
mod newcomer;
mod promotion;
mod raw;
mod robust;
mod run;
mod runtimes;
mod sandbox;
mod selection;
mod seven;
mod sharing;
mod statistics;
mod syntax;
mod syntax_properties;
mod tiny;
mod tour;
