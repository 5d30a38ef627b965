//! The text of the pipeline, in the order in which it is read: what it is made of, then stages.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::fold;
use super::params::Declared;
use super::text::{doc, quote, script};

/// A source of data.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) ty: String,
    pub(super) path: String,
    /// DVC keeps it.
    pub(super) dvc: bool,
    pub(super) doc: Option<String>,
}

/// An output of a stage.
#[derive(Debug, Clone)]
pub(super) struct Out {
    pub(super) name: String,
    pub(super) ty: String,
    pub(super) path: String,
    pub(super) doc: Option<String>,
}

/// A variable of a loop, with its values.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) variable: String,
    pub(super) values: Vec<String>,
}

impl Axis {
    /// Writes a value: as a number, where all of them are.
    pub(super) fn literal(&self, value: &str) -> String {
        let number = |text: &String| text.parse::<i64>().is_ok_and(|number| number.to_string() == *text);
        if self.values.iter().all(number) { value.to_owned() } else { quote(value) }
    }
}

/// A stage.
#[derive(Debug, Default, Clone)]
pub(super) struct Written {
    pub(super) name: String,
    pub(super) doc: Option<String>,
    /// Local name and what it is.
    pub(super) inputs: Vec<(String, String)>,
    pub(super) code: Vec<String>,
    pub(super) uses: Vec<String>,
    pub(super) outs: Vec<Out>,
    pub(super) rerun: bool,
    pub(super) off: bool,
    pub(super) pass: Vec<String>,
    pub(super) script: String,
    /// The variables of its loop; paths of outputs hold their markers.
    pub(super) axes: Vec<Axis>,
}

/// Writes the whole file.
pub(super) fn pipeline(
    name: &str,
    file: &str,
    params: &[Declared],
    metrics: &[(String, Vec<String>)],
    sources: &[Source],
    stages: &[Written],
) -> String {
    let mut text = format!("## Imported from `{file}`.\npipeline {name}\nedition 2026\n\n");
    let width = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0);
    let names = width(&mut params.iter().map(|param| param.name.len()));
    let types = width(&mut params.iter().map(|param| param.ty.len()));
    for param in params {
        let name = format!("{}:", param.name);
        let _ = writeln!(text, "param {name:<w$} {:<types$} {}", param.ty, param.rest, w = names + 1);
    }
    text.push('\n');
    for (name, lines) in metrics {
        let _ = writeln!(text, "metrics {name} {{\n  {}\n}}\n", lines.join("\n  "));
    }
    let names = width(&mut sources.iter().map(|source| source.name.len()));
    let types = width(&mut sources.iter().map(|source| source.ty.len()));
    for source in sources {
        if let Some(about) = &source.doc {
            text.push_str(&doc(about, ""));
        }
        let name = format!("{}:", source.name);
        let location = if source.dvc { format!("dvc({})", quote(&source.path)) } else { quote(&source.path) };
        let _ = writeln!(text, "source {name:<w$} {:<types$} = {location}", source.ty, w = names + 1);
    }
    text.push('\n');
    for stage in stages {
        write_stage(&mut text, stage);
    }
    text
}

fn write_stage(text: &mut String, stage: &Written) {
    if let Some(about) = &stage.doc {
        text.push_str(&doc(about, ""));
    }
    let axes: Vec<String> = stage
        .axes
        .iter()
        .map(|axis| {
            let values: Vec<String> = axis.values.iter().map(|value| axis.literal(value)).collect();
            format!("{} in [{}]", axis.variable, values.join(", "))
        })
        .collect();
    let each = if axes.is_empty() { String::new() } else { format!(" for {}", axes.join(", ")) };
    let _ = writeln!(text, "stage {}{each} {{", stage.name);
    if !stage.inputs.is_empty() {
        let inputs: Vec<String> = stage
            .inputs
            .iter()
            .map(|(local, origin)| if local == origin { local.clone() } else { format!("{local} = {origin}") })
            .collect();
        list(text, "in  ", &inputs);
    }
    if !stage.code.is_empty() {
        let code: Vec<String> = stage.code.iter().map(|path| quote(path)).collect();
        list(text, "code", &code);
    }
    if !stage.uses.is_empty() {
        list(text, "use ", &stage.uses);
    }
    let names = stage.outs.iter().map(|out| out.name.len()).max().unwrap_or(0);
    let types = stage.outs.iter().map(|out| out.ty.len()).max().unwrap_or(0);
    for out in &stage.outs {
        if let Some(about) = &out.doc {
            text.push_str(&doc(about, "  "));
        }
        let name = format!("{}:", out.name);
        let _ =
            writeln!(text, "  out  {name:<w$} {:<types$} = {}", out.ty, path(&out.path, &stage.axes), w = names + 1);
    }
    if stage.rerun {
        text.push_str("  rerun always\n");
    }
    if stage.off {
        text.push_str("  # To take away once the stage declares what it reads.\n  isolation off\n");
    }
    if !stage.pass.is_empty() {
        let pass: Vec<String> = stage.pass.iter().map(|name| quote(name)).collect();
        let _ = writeln!(text, "  pass_env [{}]", pass.join(", "));
    }
    let _ = writeln!(text, "  {}\n}}\n", script(&stage.script));
}

/// Writes a path, with the variables of the loop in it.
fn path(path: &str, axes: &[Axis]) -> String {
    if axes.is_empty() {
        return quote(path);
    }
    // Variables are put in only between double quotes.
    let escaped: String =
        path.chars().flat_map(|c| ['\\'].into_iter().filter(move |_| "\"\\{".contains(c)).chain([c])).collect();
    format!("\"{}\"", fold::shown(&escaped, axes, |name| format!("{{{name}}}")))
}

/// Writes a clause with a list, over several lines where it is long.
fn list(text: &mut String, word: &str, items: &[String]) {
    let mut line = format!("  {word} ");
    for (index, item) in items.iter().enumerate() {
        let last = index + 1 == items.len();
        if line.len() + item.len() > 110 && line.trim_end().len() > word.len() + 2 {
            text.push_str(line.trim_end());
            text.push('\n');
            line = "       ".to_owned();
        }
        line.push_str(item);
        line.push_str(if last { "" } else { ", " });
    }
    text.push_str(&line);
    text.push('\n');
}

/// A value in a file of parameters.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) keys: Vec<String>,
    /// The variable that holds it.
    pub(super) variable: String,
    /// It is text, so it stands in quotes.
    pub(super) text: bool,
}

/// A file of parameters of the stage's own, with the values that it declares.
pub(super) fn params_file(path: &str, leaves: &[Leaf]) -> String {
    let json = super::path::extension(path) == "json";
    let folder = super::path::parent(path);
    let mut text = if folder.is_empty() { String::new() } else { format!("mkdir -p {folder}\n") };
    let _ = writeln!(text, "cat > {path} <<PARAMS");
    if json {
        let _ = writeln!(text, "{}", flow(leaves, 0, true));
    } else {
        let mut tops: Vec<&String> = Vec::new();
        for leaf in leaves {
            if !tops.contains(&&leaf.keys[0]) {
                tops.push(&leaf.keys[0]);
            }
        }
        for top in tops {
            let below: Vec<_> = leaves.iter().filter(|leaf| leaf.keys[0] == *top).cloned().collect();
            let _ = writeln!(text, "{top}: {}", flow(&below, 1, false));
        }
    }
    text + "PARAMS\n"
}

/// Writes values below `depth` keys as a flow mapping.
fn flow(leaves: &[Leaf], depth: usize, json: bool) -> String {
    if let [Leaf { keys, variable, text }] = leaves
        && keys.len() == depth
    {
        return match (text, json) {
            (true, true) => format!("\"${{{variable}}}\""),
            (true, false) => format!("'${{{variable}}}'"),
            (false, _) => format!("${{{variable}}}"),
        };
    }
    let mut groups: BTreeMap<usize, Vec<Leaf>> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    for leaf in leaves.iter().filter(|leaf| leaf.keys.len() > depth) {
        let key = leaf.keys[depth].as_str();
        let at = order.iter().position(|have| *have == key).unwrap_or_else(|| {
            order.push(key);
            order.len() - 1
        });
        groups.entry(at).or_default().push(leaf.clone());
    }
    let fields: Vec<String> = groups
        .iter()
        .map(|(at, below)| {
            let key = order[*at];
            let key = if json { format!("\"{key}\"") } else { key.to_owned() };
            format!("{key}: {}", flow(below, depth + 1, json))
        })
        .collect();
    format!("{{{}}}", fields.join(", "))
}
