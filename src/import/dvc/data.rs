//! What a path of a DVC project is here: an output of a stage, a source of data, or code.

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml::Value;

use super::path::{self, is_in};
use super::project::Stage;
use super::yaml;
use crate::import::{Files, Kind};

const CODE: [&str; 32] = [
    "py", "sh", "bash", "r", "R", "jl", "ipynb", "sql", "js", "ts", "rs", "go", "c", "h", "cpp", "hpp", "cu", "java",
    "scala", "rb", "pl", "lua", "m", "nf", "smk", "toml", "cfg", "ini", "yaml", "yml", "j2", "lock",
];

/// Tells whether a path is data that DVC keeps: it, or a folder that it lies in, has a `.dvc` file.
pub(super) fn is_tracked(files: &dyn Files, path: &str) -> bool {
    let mut at = path;
    while !at.is_empty() {
        if files.kind(&format!("{at}.dvc")) == Some(Kind::File) {
            return true;
        }
        at = path::parent(at);
    }
    false
}

/// Tells whether a path is part of the program rather than of its data.
pub(super) fn is_code(files: &dyn Files, path: &str) -> bool {
    if is_tracked(files, path) {
        return false;
    }
    let by_name = |path: &str| CODE.contains(&path::extension(path));
    match files.kind(path) {
        Some(Kind::Folder) => {
            let below = files.below(path);
            below.iter().any(|file| by_name(file) && !matches!(path::extension(file), "yaml" | "yml" | "toml"))
        }
        Some(Kind::File) => {
            by_name(path) || matches!(path::name(path), "Makefile" | "Dockerfile" | "Pipfile" | "requirements.txt")
        }
        None if path::extension(path).is_empty() => {
            matches!(path::name(path), "src" | "code" | "scripts" | "lib" | "notebooks" | "Makefile" | "Dockerfile")
        }
        None => by_name(path),
    }
}

/// Paths that `dvc.lock` says are folders.
pub(super) fn folders(files: &dyn Files, base: &str, stages: &[Stage]) -> BTreeSet<String> {
    let all = entries(files, base, stages, &["outs", "deps"]).into_iter();
    all.filter(|(_, md5)| md5.ends_with(".dir")).map(|(path, _)| path).collect()
}

/// Outputs that `dvc.lock` holds, so that DVC's cache has them.
pub(super) fn locked(files: &dyn Files, base: &str, stages: &[Stage]) -> BTreeSet<String> {
    entries(files, base, stages, &["outs"]).into_iter().map(|(path, _)| path).collect()
}

fn entries(files: &dyn Files, base: &str, stages: &[Stage], words: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let lock = files.read(&path::join(base, "dvc.lock")).and_then(|text| yaml::read(&text).ok());
    let Some(lock) = lock else { return found };
    for stage in stages {
        let entry = lock.get("stages").and_then(|stages| stages.get(stage.name.as_str()));
        for word in words {
            for out in entry.and_then(|entry| entry.get(*word)).and_then(Value::as_sequence).into_iter().flatten() {
                let text = |key: &str| out.get(key).and_then(Value::as_str);
                if let (Some(md5), Some(written)) = (text("md5"), text("path")) {
                    found.push((path::join(&stage.folder, written), md5.to_owned()));
                }
            }
        }
    }
    found
}

/// What a path is known to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    File,
    Folder,
    /// Nothing stands there, and its name does not tell.
    GuessedFolder,
}

/// Tells a file from a folder by what stands there, by `dvc.lock`, or by the name.
pub(super) fn shape(files: &dyn Files, folders: &BTreeSet<String>, path: &str) -> Shape {
    match files.kind(path) {
        Some(Kind::Folder) => Shape::Folder,
        Some(Kind::File) => Shape::File,
        None if folders.contains(path) || tracked_folder(files, path) => Shape::Folder,
        None if path::extension(path).is_empty() => Shape::GuessedFolder,
        None => Shape::File,
    }
}

fn tracked_folder(files: &dyn Files, path: &str) -> bool {
    files.read(&format!("{path}.dvc")).is_some_and(|text| text.contains(".dir"))
}

/// Returns the type of a data file by its name.
pub(super) fn type_of(path: &str, shape: Shape, model: bool) -> String {
    if model {
        let format = match path::extension(path) {
            "pkl" | "pickle" => "pickle",
            "joblib" => "joblib",
            "onnx" => "onnx",
            "pt" | "pth" => "torch",
            _ => return "Model".to_owned(),
        };
        return format!("Model<{format}>");
    }
    if shape != Shape::File {
        return "Dir".to_owned();
    }
    match path::extension(path) {
        "csv" => "Dataset<csv>",
        "parquet" => "Dataset<parquet>",
        "jsonl" => "Dataset<jsonl>",
        "onnx" => "Model<onnx>",
        "html" | "md" | "pdf" | "txt" | "log" => "Report",
        "png" | "svg" | "jpg" | "jpeg" => "Plot",
        "zip" | "tar" | "tgz" => "Archive",
        "gz" if path.ends_with(".tar.gz") => "Archive",
        _ => "File",
    }
    .to_owned()
}

/// Tells whether an output is a model by its name.
pub(super) fn looks_like_model(path: &str) -> bool {
    let name = path::name(path).to_lowercase();
    matches!(path::extension(path), "pkl" | "pickle" | "joblib" | "pt" | "pth" | "h5" | "keras" | "onnx" | "cbm")
        && ["model", "clf", "classifier", "regressor", "estimator"].iter().any(|word| name.contains(word))
}

/// An output: the index of its stage and the name it has there.
pub(super) type Made = (usize, String);

/// Every output by its path.
#[derive(Debug, Default)]
pub(super) struct Outputs(pub(super) BTreeMap<String, Made>);

impl Outputs {
    /// Returns the output that a path is or lies in.
    pub(super) fn holding(&self, path: &str) -> Option<(&str, &Made)> {
        let mut at = path;
        while !at.is_empty() {
            if let Some((path, made)) = self.0.get_key_value(at) {
                return Some((path, made));
            }
            at = path::parent(at);
        }
        None
    }

    /// Returns the outputs that lie in a folder.
    pub(super) fn below(&self, folder: &str) -> Vec<(&str, &Made)> {
        self.0
            .iter()
            .filter(|(path, _)| is_in(path, folder) && *path != folder)
            .map(|(path, made)| (path.as_str(), made))
            .collect()
    }
}
