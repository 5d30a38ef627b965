//! What the targets that a pipeline declares can't do of it, said before anybody compiles.

use std::collections::BTreeMap;
use std::path::Path;

use crate::compile::Compilation;
use crate::diagnostic::Diagnostic;
use crate::plan;
use crate::source::Sources;
use crate::targets;

/// Where a pipeline stands, as far as targets have to know.
#[derive(Debug, Clone, Default)]
pub(super) struct Site {
    /// Its folder, relative to the repository's root, with `/`.
    folder: String,
    /// What `mlpc.lock` says of runtimes.
    locked: BTreeMap<String, String>,
}

/// Looks around a workspace.
pub(super) fn look(workspace: &Path) -> Site {
    let here = if workspace.as_os_str().is_empty() { Path::new(".") } else { workspace };
    let absolute = here.canonicalize().unwrap_or_else(|_| here.to_path_buf());
    let folder = super::folder(&absolute, &super::repository(&absolute));
    Site { folder, locked: super::lock::pins(workspace) }
}

/// Returns what there is to say of a pipeline with targets that has no errors; none where the question makes no sense.
pub(super) fn say(compiled: &Compilation, sources: &Sources, site: &Site) -> Option<Vec<Diagnostic>> {
    let model = &compiled.model;
    let pipeline = model.pipeline.as_ref()?;
    if model.targets.is_empty() || compiled.has_errors() {
        return None;
    }
    let plan = plan::build(sources, model, &compiled.graph);
    let spans = targets::spans(&plan, sources);
    let name = Path::new(sources.file(pipeline.span.file).name()).file_name();
    let site = targets::Site {
        folder: &site.folder,
        file: &name.unwrap_or_default().to_string_lossy(),
        version: env!("CARGO_PKG_VERSION"),
        spans: &spans,
        sources,
        locked: &site.locked,
    };
    Some(targets::check(&plan, &site))
}
