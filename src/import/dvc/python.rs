//! What a Python program imports of its own project. DVC does not need it said; an isolated stage does.

use super::path;
use crate::import::{Files, Kind};

/// Returns the files of the project that a program reaches through its imports, in order, itself left out.
pub(super) fn reached(files: &dyn Files, program: &str, roots: &[String]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut left = vec![program.to_owned()];
    while let Some(file) = left.pop() {
        let Some(text) = files.read(&file) else { continue };
        let here = path::parent(&file).to_owned();
        for (dots, module) in modules(&text) {
            let mut starts: Vec<String> = Vec::new();
            if dots > 0 {
                let mut folder = here.as_str();
                for _ in 1..dots {
                    folder = path::parent(folder);
                }
                starts.push(folder.to_owned());
            } else {
                starts.extend([path::parent(program).to_owned()].into_iter().chain(roots.iter().cloned()));
            }
            for start in &starts {
                let reached = module_files(files, start, &module);
                if reached.is_empty() {
                    continue;
                }
                for file in reached {
                    if file != program && !found.contains(&file) {
                        found.push(file.clone());
                        left.push(file);
                    }
                }
                break;
            }
        }
    }
    found.sort();
    found
}

/// Returns the files that a module is made of, with the packages around it.
pub(super) fn module_files(files: &dyn Files, start: &str, module: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folder = start.to_owned();
    let is_file = |path: &str| files.kind(path) == Some(Kind::File);
    for (index, part) in module.iter().enumerate() {
        let below = if folder.is_empty() { part.clone() } else { format!("{folder}/{part}") };
        let (package, file) = (format!("{below}/__init__.py"), format!("{below}.py"));
        if is_file(&file) {
            found.push(file);
            return found;
        }
        if files.kind(&below) != Some(Kind::Folder) {
            // The last word may be a name in the package instead of a module.
            return if index == 0 || found.is_empty() { Vec::new() } else { found };
        }
        if is_file(&package) {
            found.push(package);
        }
        folder = below;
    }
    let main = format!("{folder}/__main__.py");
    if is_file(&main) {
        found.push(main);
    }
    found
}

/// Returns what a program imports: how many dots it begins with, and its words. `from a import b` may name a module
/// `a.b` or a name in `a`: it gives `a.b`.
fn modules(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("import ") {
            for module in rest.split(['#', ';']).next().unwrap_or_default().split(',') {
                found.push((0, words(module)));
            }
        } else if let Some(rest) = line.strip_prefix("from ") {
            let Some((module, names)) = rest.split_once(" import") else { continue };
            let mut names = names.split(['#', ';']).next().unwrap_or_default().to_owned();
            if names.contains('(') {
                while !names.contains(')') {
                    let Some(more) = lines.next() else { break };
                    names.push_str(more.split('#').next().unwrap_or_default());
                }
            }
            let module = module.trim();
            let dots = module.bytes().take_while(|&byte| byte == b'.').count();
            for name in names.replace(['(', ')'], " ").split(',') {
                let mut all = words(&module[dots..]);
                all.extend(words(name).into_iter().filter(|name| name != "*"));
                found.push((dots, all));
            }
        }
    }
    found.retain(|(_, words)| !words.is_empty());
    found
}

fn words(module: &str) -> Vec<String> {
    let module = module.split_whitespace().next().unwrap_or_default();
    module.split('.').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::dvc::tests::Folder;

    #[test]
    fn imports_lead_to_the_files_of_the_project_and_not_further() {
        let files = Folder::of(&[
            ("src/train.py", "import os, numpy as np\nimport util\nfrom pkg.deep import (\n  one,\n  two)\n"),
            ("src/util.py", "from pkg import shared\n"),
            ("src/pkg/__init__.py", ""),
            ("src/pkg/deep.py", "from . import shared\nfrom .other import x\n"),
            ("src/pkg/shared.py", ""),
            ("src/pkg/other.py", ""),
            ("src/pkg/unused.py", ""),
        ]);
        let reached = reached(&files, "src/train.py", &[String::new()]);
        assert_eq!(
            reached,
            ["src/pkg/__init__.py", "src/pkg/deep.py", "src/pkg/other.py", "src/pkg/shared.py", "src/util.py"]
        );
    }
}
