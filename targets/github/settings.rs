//! `target github { … }`: what may be said there, and what holds where nothing is said.

use super::cache::{self, Cache};
use super::model::Labels;
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::plan::Plan;
use crate::targets::Site;
use crate::types::Value;

/// Settings with every default filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    /// The runner of what asks for nothing special.
    pub(super) default: Labels,
    /// The runner of what needs a GPU.
    pub(super) gpu: Option<Labels>,
    /// How `mlpc` comes onto a runner.
    pub(super) install: Install,
    /// How a stage's command is run.
    pub(super) steps: Steps,
    /// The remote that jobs share results through.
    pub(super) cache: Option<Cache>,
}

/// How `mlpc` comes onto a runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Install {
    /// Built by one job with these arguments of `cargo install`, and handed to the others.
    Cargo(Vec<String>),
    /// It is there: the runner's image holds it.
    Preinstalled,
}

impl Install {
    /// Says that a name in a public registry is all that stands for the program, and how to name one of one's own.
    pub(super) fn by_name(&self) -> Option<(String, String)> {
        let Self::Cargo(arguments) = self else { return None };
        if arguments.iter().any(|argument| argument == "--git") {
            return None;
        }
        let version = arguments.iter().skip_while(|argument| *argument != "--version").nth(1);
        let version = version.map(|version| format!(" {version}")).unwrap_or_default();
        Some((
            format!("the jobs build `mlpc`{version} from Cargo's public registry, by its name alone"),
            "look at it with `cargo info mlpc`, or name a build of your own: `install: { git: \"https://…\", rev: \"<commit>\" }`, or \
             `install: \"preinstalled\"`"
                .to_owned(),
        ))
    }
}

/// How a stage's command is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Steps {
    /// The command stands in the workflow; `mlpc` brings its inputs and checks its outputs.
    Plain,
    /// `mlpc exec` runs it as on a laptop, in a folder of its own.
    Managed,
}

const KEYS: [&str; 6] = ["runners", "install", "steps", "cache", "raw", "workflow"];

/// Returns the settings, or the fields in the record of one.
pub(super) fn known(record: &str) -> Vec<&'static str> {
    match record {
        "" => KEYS.to_vec(),
        "runners" => vec!["default", "gpu"],
        "install" => vec!["git", "rev", "tag", "version"],
        "cache" => vec!["url", "read", "write"],
        _ => Vec::new(),
    }
}

/// Reads the settings of the plan.
pub(super) fn read(plan: &Plan, site: &Site<'_>, diagnostics: &mut Vec<Diagnostic>) -> Settings {
    let mut settings = Settings {
        default: Labels::One("ubuntu-latest".into()),
        gpu: None,
        install: Install::Cargo(released(site)),
        steps: Steps::Plain,
        cache: None,
    };
    let mut steps = None;
    let Some(Value::Record(fields)) =
        plan.targets.iter().find(|target| target.name == "github").map(|target| &target.settings)
    else {
        return settings;
    };
    let mut fault = |message: String, help: String| {
        diagnostics.push(Diagnostic::new(codes::TARGET_SETTING, site.span("target github"), message).help(help));
    };
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("runners", Value::Record(runners)) => {
                for (kind, value) in runners {
                    match (kind.as_str(), labels(value)) {
                        ("default", Some(labels)) => settings.default = labels,
                        ("gpu", Some(labels)) => settings.gpu = Some(labels),
                        ("default" | "gpu", None) => fault(
                            format!("`{kind}` is neither a label nor a list of labels"),
                            format!("write `runners: {{ {kind}: \"ubuntu-latest\" }}` or a list of labels"),
                        ),
                        _ => fault(
                            format!("no kind of runner `{kind}`"),
                            "there are `default` and `gpu`, for stages that say `needs { gpu: 1 }`".into(),
                        ),
                    }
                }
            }
            ("runners", _) => fault(
                "`runners` is not a record".into(),
                "write `runners: { default: \"ubuntu-latest\", gpu: [\"self-hosted\", \"gpu\"] }`".into(),
            ),
            ("install", value) => match install(value, site) {
                Ok(install) => settings.install = install,
                Err(message) => fault(
                    message,
                    "write `install: \"preinstalled\"`, `install: \"cargo\"` or \
                     `install: { git: \"https://…\", rev: \"<commit>\" }`"
                        .into(),
                ),
            },
            ("steps", Value::String(text)) if text == "plain" => steps = Some(Steps::Plain),
            ("steps", Value::String(text)) if text == "managed" => steps = Some(Steps::Managed),
            ("steps", _) => {
                fault("`steps` is neither `plain` nor `managed`".into(), "write `steps: \"plain\"`".into());
            }
            // `raw.rs` reads them.
            ("raw" | "workflow", _) => {}
            ("cache", value) => match cache::read(plan, value) {
                Ok(cache) => settings.cache = Some(cache),
                Err((message, help)) => fault(message, help),
            },
            (key, _) => {
                let help = match nearest(key, KEYS) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are `{}`", KEYS.join("`, `")),
                };
                fault(format!("the target `github` has no setting `{key}`"), help);
            }
        }
    }
    if steps == Some(Steps::Plain) && settings.cache.is_some() {
        let help = "take `steps` out: `managed` is what a cache is for".to_owned();
        fault("a command that stands in the workflow takes nothing out of a cache".into(), help);
    }
    let default = if settings.cache.is_some() { Steps::Managed } else { Steps::Plain };
    settings.steps = steps.unwrap_or(default);
    settings.without_program(site, diagnostics);
    if let Some(cache) = &settings.cache {
        cache::writers(plan, cache, site, diagnostics);
    }
    settings
}

impl Settings {
    /// Says that the program is said to be on a runner of GitHub's, whose images hold none.
    fn without_program(&self, site: &Site<'_>, diagnostics: &mut Vec<Diagnostic>) {
        if self.install != Install::Preinstalled {
            return;
        }
        let runners = [Some(&self.default), self.gpu.as_ref()];
        let Some(label) = runners.into_iter().flatten().find_map(Labels::hosted) else { return };
        let message = format!("`install: \"preinstalled\"`, and GitHub's own runners (`{label}`) hold no `mlpc`");
        let help = "name runners whose image holds it, `runners: { default: [\"self-hosted\", \"linux\"] }`, or a build that the jobs \
                    make: `install: { git: \"https://…\", rev: \"<commit>\" }`";
        diagnostics.push(Diagnostic::new(codes::RUNNER_WITHOUT_MLPC, site.span("target github"), message).help(help));
    }
}

fn labels(value: &Value) -> Option<Labels> {
    let label = |value: &Value| match value {
        Value::String(text) if !text.is_empty() && !text.contains("${{") => Some(text.clone()),
        _ => None,
    };
    match value {
        Value::List(values) if !values.is_empty() => values.iter().map(label).collect::<Option<_>>().map(Labels::All),
        value => label(value).map(Labels::One),
    }
}

fn install(value: &Value, site: &Site<'_>) -> Result<Install, String> {
    let fields = match value {
        Value::String(text) if text == "preinstalled" => return Ok(Install::Preinstalled),
        Value::String(text) if text == "cargo" => return Ok(Install::Cargo(released(site))),
        Value::Record(fields) => fields,
        _ => return Err("`install` is neither `preinstalled`, `cargo` nor a record".into()),
    };
    let mut arguments = Vec::new();
    for (key, value) in fields {
        let Value::String(text) = value else { return Err(format!("`{key}` of `install` is not a text")) };
        // These words stand in a script, and a leading `-` would be an option of cargo.
        let tame = |c: char| c.is_ascii_alphanumeric() || "._-/:@+~".contains(c);
        if text.is_empty() || text.starts_with('-') || !text.chars().all(tame) {
            return Err(format!("`{key}` of `install` has characters that an address or a version does not have"));
        }
        match key.as_str() {
            "git" | "rev" | "tag" | "version" => arguments.extend([format!("--{key}"), text.clone()]),
            _ => return Err(format!("`install` has no field `{key}`; there are `git`, `rev`, `tag`, `version`")),
        }
    }
    arguments.push("mlpc".into());
    Ok(Install::Cargo(arguments))
}

fn released(site: &Site<'_>) -> Vec<String> {
    vec!["--version".into(), site.version.to_owned(), "mlpc".into()]
}

/// What stands behind the system in the name of one of GitHub's own machines, beside a version: `ubuntu-latest`, `ubuntu-24.04-arm`.
const HOSTED: [&str; 6] = ["latest", "slim", "arm", "intel", "large", "xlarge"];

impl Labels {
    /// Returns the label by which one of GitHub's own machines is asked for, with the image that GitHub makes. A list asks for a machine
    /// that has all labels, which only one's own have, where it is longer than one.
    fn hosted(&self) -> Option<&str> {
        let label = match self {
            Self::One(label) => label,
            Self::All(labels) => labels.first().filter(|_| labels.len() == 1)?,
        };
        let mut parts = label.split('-');
        let of_theirs = matches!(parts.next(), Some("ubuntu" | "windows" | "macos"));
        let known = |part: &str| {
            let version =
                part.starts_with(|c: char| c.is_ascii_digit()) && part.chars().all(|c| c.is_ascii_digit() || c == '.');
            version || HOSTED.contains(&part)
        };
        let rest: Vec<&str> = parts.collect();
        (of_theirs && !rest.is_empty() && rest.into_iter().all(known)).then_some(label)
    }

    /// Tells whether the machine is the user's own and its disk stays.
    pub(super) fn self_hosted(&self) -> bool {
        match self {
            Self::One(label) => label == "self-hosted",
            Self::All(labels) => labels.iter().any(|label| label == "self-hosted"),
        }
    }
}
