//! Texts to begin with: every `.mlp` file of the repository, every block of the book, and files of others that are read.

use std::path::Path;

/// Which reader a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Mlp,
    Json,
    Junit,
    Dvc,
    Lock,
}

impl Kind {
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Mlp => "mlp",
            Self::Json => "json",
            Self::Junit => "xml",
            Self::Dvc => "yaml",
            Self::Lock => "lock",
        }
    }
}

/// Files that others write, as small as shows every part.
const FOREIGN: &[(Kind, &str)] = &[
    (
        Kind::Json,
        r#"{"auc": 0.91, "n": 1000, "latency": {"p99_ms": 12.5e-1}, "a/b": [1, -0, 1e400, null, true], "s": "\u00e9\ud83d\ude00\n"}"#,
    ),
    (
        Kind::Json,
        r#"{"baseline": "baseline", "format": 1, "state": "scored", "version": "v20260101-12345678", "digest": "blake3:00"}"#,
    ),
    (
        Kind::Junit,
        "<?xml version=\"1.0\"?>\n<testsuites tests=\"3\" failures=\"1\"><testsuite name=\"a\" tests=\"3\" errors=\"0\"><testcase name=\"x\"/><testcase name=\"y\"><failure message=\"m\">&lt;<![CDATA[z]]></failure></testcase><testcase><skipped/></testcase></testsuite></testsuites>",
    ),
    (
        Kind::Dvc,
        "vars:\n  - params.yaml\nstages:\n  prepare:\n    cmd: python src/prepare.py ${seed} data/raw.csv\n    deps: [data/raw.csv, src/prepare.py]\n    params: [seed, model.lr]\n    outs:\n      - data/out.csv:\n          cache: false\n  train:\n    foreach: [a, b]\n    do:\n      cmd: python train.py ${item}\n      deps: [data/out.csv]\n      metrics: [metrics.json]\n      plots:\n        - p.csv: { x: a, y: b }\n",
    ),
    (Kind::Lock, "{\"format\": 1, \"runtimes\": {}}"),
];

pub(crate) fn read() -> Vec<(Kind, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts: Vec<(Kind, Vec<u8>)> =
        FOREIGN.iter().map(|(kind, text)| (*kind, text.as_bytes().to_vec())).collect();
    for folder in ["tests/fixtures", "examples", "book/src", "targets"] {
        collect(&root.join(folder), &mut texts);
    }
    assert!(texts.len() > 100, "the book and the fixtures stand where they are looked for");
    texts
}

fn collect(folder: &Path, texts: &mut Vec<(Kind, Vec<u8>)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, texts);
            continue;
        }
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let text = match extension {
            "mlp" | "md" => std::fs::read_to_string(&path).unwrap_or_default(),
            _ => continue,
        };
        match extension {
            "mlp" => texts.push((Kind::Mlp, text.into_bytes())),
            _ => texts.extend(blocks(&text).map(|block| (Kind::Mlp, block.into_bytes()))),
        }
    }
}

/// Returns the blocks of a page that are in the language.
fn blocks(page: &str) -> impl Iterator<Item = String> {
    let fenced = page.split("\n```mlp").skip(1).filter_map(|rest| {
        let (_, body) = rest.split_once('\n')?;
        let (block, _) = body.split_once("\n```")?;
        Some(if block.contains("pipeline ") {
            block.to_owned()
        } else {
            format!("pipeline example\nedition 2026\n{block}\n")
        })
    });
    fenced.collect::<Vec<_>>().into_iter()
}
