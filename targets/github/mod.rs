//! GitHub Actions: one workflow file a pipeline, one job a node.

use super::{Compiled, Site, Target};
use crate::plan::Plan;

/// The target `github`.
pub(super) struct GitHub;

impl Target for GitHub {
    fn name(&self) -> &'static str {
        "github"
    }

    fn about(&self) -> &'static str {
        "GitHub Actions: .github/workflows/<pipeline>.yml"
    }

    fn compile(&self, _plan: &Plan, _site: &Site<'_>) -> Compiled {
        Compiled::default()
    }
}
