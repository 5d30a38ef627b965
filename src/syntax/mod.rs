//! From text to the syntax tree: one grammar, one parser, one formatter.
//!
//! Knows how the language is written and nothing of what it means. Nothing of pest leaves this module.

pub mod ast;
pub mod number;
