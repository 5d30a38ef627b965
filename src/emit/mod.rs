//! The one way YAML leaves the program: a value tree with comments, a serde serializer into it, and a writer that
//! quotes whatever a YAML 1.1 or 1.2 reader could misread. Knows nothing of pipelines, targets or files.

mod scalar;
mod serializer;
mod tree;
mod write;

pub use serializer::{Error, to_node};
pub use tree::{Entry, Noted, Step, Value, Yaml};

/// Returns the text of one document: `header` as comment lines, an empty line, then the tree.
#[must_use]
pub fn document(header: &[String], root: &Yaml) -> String {
    let mut out = String::new();
    write::header(&mut out, header);
    write::root(&mut out, root);
    out
}

/// Returns the text of a stream of documents, separated by `---` lines.
#[must_use]
pub fn stream(header: &[String], documents: &[Yaml]) -> String {
    let mut out = String::new();
    write::header(&mut out, header);
    for (index, root) in documents.iter().enumerate() {
        if index > 0 {
            out.push_str("---\n");
        }
        write::root(&mut out, root);
    }
    out
}

#[cfg(test)]
mod tests;
