//! A pipeline of two stages whose model is its own report: `weights.json` decides what is measured.

use crate::sandbox::{Ended, Sandbox};

/// The gate and what stands behind it, in which tests replace lines.
pub(crate) const GATE: &str = "\
gate quality on evaluate.report {
  baseline models@production
  on no_baseline: pass
  require auc_roc >= 0.8
  require regression(auc_roc) <= 2%
}

register release = train.model to models after quality { metrics: evaluate.report }
promote current = release to models@production
";

const STAGES: &str = "\
pipeline tiny
edition 2026

metrics Evaluation { auc_roc: ratio higher }

source rows: Dataset<csv> = \"rows.csv\"
registry models = directory(\"registry\")

stage train {
  in   rows
  code \"weights.json\"
  out  model: Model<json> = \"out/model.json\"
  run  <<<
    cp weights.json \"$model\"
  >>>
}

stage evaluate {
  in   model = train.model, rows
  code \"evaluate.sh\"
  out  report: Metrics<Evaluation> of model over rows as test = \"out/report.json\"
  run  <<<
    bash evaluate.sh \"$model\" > \"$report\"
  >>>
}

";

/// Writes the pipeline with this gate behind its stages.
pub(crate) fn tiny(gate: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("pipeline.mlp", &format!("{STAGES}{gate}"));
    sandbox.file("rows.csv", "a,b\n1,2\n").file("evaluate.sh", "cat \"$1\"\n");
    sandbox
}

impl Sandbox {
    /// Makes the next model one that scores so.
    pub(crate) fn weights(&self, auc: &str) -> &Self {
        self.file("weights.json", &format!("{{\"auc_roc\": {auc}}}\n"))
    }

    /// Replaces a text that has to stand in a file.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) -> &Self {
        let text = self.read(path);
        assert!(text.contains(from), "`{from}` does not stand in {path}:\n{text}");
        self.file(path, &text.replace(from, to))
    }

    /// Runs the pipeline and expects this exit code.
    pub(crate) fn runs(&self, code: i32) -> Ended {
        let ended = self.mlpc(&["run"]);
        assert_eq!(ended.code, code, "{}{}", ended.stdout, ended.stderr);
        ended
    }

    /// Returns how many versions the registry has, and which one production is.
    pub(crate) fn registry(&self) -> (usize, Option<String>) {
        let root = self.path().join("registry");
        let versions = std::fs::read_dir(root.join("versions")).map(Iterator::count).unwrap_or(0);
        (versions, std::fs::read_to_string(root.join("production/version.txt")).ok())
    }

    /// Returns the latest report of the gate `quality`.
    pub(crate) fn report(&self) -> serde_json::Value {
        serde_json::from_str(&self.read(".mlpc/gates/quality/gate_report.json")).expect("a report")
    }
}
