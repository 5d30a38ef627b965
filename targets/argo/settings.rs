//! `target argo { … }`: what may be said there, and what holds where nothing is said.

use crate::diagnostic::nearest;
use crate::targets::is_cache;
use crate::types::Value;

/// Settings with every default filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    /// The namespace; that of the submission if none.
    pub(super) namespace: Option<String>,
    /// The image of stages whose runtime names none.
    pub(super) image: Option<String>,
    /// The image that `mlpc` is copied from; without it every image holds the program.
    pub(super) mlpc_image: Option<String>,
    /// The repository that pods clone; a parameter of the submission if none.
    pub(super) repo: Option<String>,
    /// What they check out; a branch, a tag or a commit.
    pub(super) revision: Option<String>,
    /// The Secret with `username` and `password` for the repository.
    pub(super) git_secret: Option<String>,
    /// The entry of the ConfigMap `artifact-repositories`; the controller's default if none.
    pub(super) artifacts: Option<String>,
    /// The service account; one of our own if none.
    pub(super) service_account: Option<String>,
    /// The profile of runs that are submitted by hand.
    pub(super) profile: Option<String>,
    /// The Secret that holds the pipeline's secrets by name.
    pub(super) secrets: Option<String>,
    /// The remote that pods share results through.
    pub(super) cache: Option<String>,
    /// The Secret with the key that reads it; nothing is signed if none.
    pub(super) cache_read: Option<String>,
    /// The Secret with the key that writes it, for runs that the clock starts.
    pub(super) cache_write: Option<String>,
    /// Pods at a time.
    pub(super) parallelism: u32,
    /// Seconds that a finished workflow is kept.
    pub(super) keep: i64,
    /// Processors of a stage that does not say.
    pub(super) cpu: f64,
    /// Bytes of memory of a stage that does not say.
    pub(super) memory: u64,
    /// Nanoseconds that a stage may take that does not say.
    pub(super) timeout: i64,
    /// The user and group that pods run as.
    pub(super) user: u32,
    /// Where pods with a GPU run.
    pub(super) gpu: Gpu,
}

/// How a GPU is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gpu {
    /// The resource.
    pub(super) resource: String,
    /// Labels of the nodes, `key=value`.
    pub(super) nodes: Vec<(String, String)>,
    /// Taints that are stood.
    pub(super) taints: Vec<String>,
}

/// Something that is wrong with a setting: a message, and the line to write.
pub(super) type Fault = (String, String);

const SECOND: i64 = 1_000_000_000;

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespace: None,
            image: None,
            mlpc_image: None,
            repo: None,
            revision: None,
            git_secret: None,
            artifacts: None,
            service_account: None,
            profile: None,
            secrets: None,
            cache: None,
            cache_read: None,
            cache_write: None,
            parallelism: 10,
            keep: 7 * 24 * 3600,
            cpu: 1.0,
            memory: 2 << 30,
            timeout: 6 * 3600 * SECOND,
            user: 8737,
            gpu: Gpu { resource: "nvidia.com/gpu".into(), nodes: vec![], taints: vec!["nvidia.com/gpu".into()] },
        }
    }
}

/// Reads the settings; what can't be read is reported and left at its default.
pub(super) fn read(value: Option<&Value>) -> (Settings, Vec<Fault>) {
    let mut settings = Settings::default();
    let mut faults = Vec::new();
    let empty = Value::Record(vec![]);
    let fields = match value.unwrap_or(&empty) {
        Value::Record(fields) => fields.as_slice(),
        _ => {
            faults.push((
                "`target argo` is not a record".into(),
                "write `target argo { image: \"python:3.11-slim\" }`".into(),
            ));
            &[]
        }
    };
    for (name, value) in fields {
        let outcome = match (name.as_str(), value) {
            ("code" | "gpu" | "cache", Value::Record(inner)) => {
                for (field, value) in inner {
                    let name = format!("{name}.{field}");
                    faults.extend(set(&mut settings, &name, value).err());
                }
                Ok(())
            }
            // `raw.rs` reads them.
            ("raw" | "workflow", _) => Ok(()),
            (name, value) => set(&mut settings, name, value),
        };
        faults.extend(outcome.err());
    }
    let keys = settings.cache_read.is_some() || settings.cache_write.is_some();
    if keys && settings.cache.is_none() {
        let help = "write `cache: { url: \"s3://team-cache/fraud?region=eu-west-1\", read: \"cache-reader\" }`";
        faults.push(("`cache` of `target argo` does not say where it is".into(), help.into()));
    }
    if settings.cache_write.is_some() && settings.cache_read.is_none() {
        let help = "add `read: \"cache-reader\"`, a Secret with a key that can't write";
        faults.push(("`cache` of `target argo` names a key that writes, and none that reads".into(), help.into()));
    }
    (settings, faults)
}

/// One line per setting: its name, what it takes, and an example.
const KNOWN: &[(&str, &str)] = &[
    ("namespace", "\"ml\""),
    ("image", "\"python:3.11-slim\""),
    ("mlpc", "\"preinstalled\""),
    ("mlpc_image", "\"registry.example/mlpc:0.1.0\""),
    ("code.repo", "\"https://git.example/team/models.git\""),
    ("code.revision", "\"main\""),
    ("code.secret", "\"git-credentials\""),
    ("artifacts", "\"s3\""),
    ("service_account", "\"mlpc\""),
    ("profile", "\"shared\""),
    ("secrets", "\"models-secrets\""),
    ("cache", "\"s3://team-cache/fraud?region=eu-west-1\""),
    ("cache.url", "\"s3://team-cache/fraud?region=eu-west-1\""),
    ("cache.read", "\"cache-reader\""),
    ("cache.write", "\"cache-writer\""),
    ("parallelism", "10"),
    ("keep", "7d"),
    ("cpu", "1"),
    ("memory", "2GiB"),
    ("timeout", "6h"),
    ("user", "8737"),
    ("gpu.resource", "\"nvidia.com/gpu\""),
    ("gpu.nodes", "[\"pool=gpu\"]"),
    ("gpu.taints", "[\"nvidia.com/gpu\"]"),
];

/// Returns the settings, or those in the record of one.
pub(super) fn known(record: &str) -> Vec<&'static str> {
    let mut fields: Vec<&str> = match record {
        "" => KNOWN.iter().map(|(known, _)| known.split('.').next().unwrap_or(known)).chain(BLOCKS).collect(),
        _ => KNOWN.iter().filter_map(|(known, _)| known.strip_prefix(record)?.strip_prefix('.')).collect(),
    };
    fields.dedup();
    fields
}

/// Settings that `raw.rs` reads.
const BLOCKS: [&str; 2] = ["raw", "workflow"];

fn set(settings: &mut Settings, name: &str, value: &Value) -> Result<(), Fault> {
    let Some((_, example)) = KNOWN.iter().find(|(known, _)| *known == name) else {
        return Err(unknown(name));
    };
    let wrong = || {
        let short = name.rsplit('.').next().unwrap_or(name);
        (format!("`{name}` of `target argo` can't be `{value}`"), format!("write `{short}: {example}`"))
    };
    let text = || match value {
        Value::String(text) if !text.trim().is_empty() => Ok(Some(text.clone())),
        _ => Err(wrong()),
    };
    let list = || match value {
        Value::List(items) => items
            .iter()
            .map(|item| if let Value::String(text) = item { Ok(text.clone()) } else { Err(wrong()) })
            .collect::<Result<Vec<_>, _>>(),
        _ => Err(wrong()),
    };
    let count = || match value {
        Value::Int(number) => u32::try_from(*number).ok().filter(|number| *number > 0).ok_or_else(wrong),
        _ => Err(wrong()),
    };
    let span = || match value {
        Value::Duration(nanoseconds) if *nanoseconds >= SECOND => Ok(*nanoseconds),
        _ => Err(wrong()),
    };
    match name {
        "namespace" => settings.namespace = text()?,
        "image" => settings.image = text()?,
        "mlpc" => match value {
            Value::String(text) if text == "preinstalled" => settings.mlpc_image = None,
            _ => return Err(wrong()),
        },
        "mlpc_image" => settings.mlpc_image = text()?,
        "code.repo" => settings.repo = text()?,
        "code.revision" => settings.revision = text()?,
        "code.secret" => settings.git_secret = text()?,
        "artifacts" => settings.artifacts = text()?,
        "service_account" => settings.service_account = text()?,
        "profile" => settings.profile = text()?,
        "secrets" => settings.secrets = text()?,
        "cache" | "cache.url" => {
            settings.cache = text()?.filter(|url| is_cache(url)).map(Some).ok_or_else(wrong)?;
        }
        "cache.read" => settings.cache_read = text()?,
        "cache.write" => settings.cache_write = text()?,
        "parallelism" => settings.parallelism = count()?,
        "keep" => settings.keep = span()? / SECOND,
        "timeout" => settings.timeout = span()?,
        "user" => settings.user = count()?,
        "cpu" => settings.cpu = value.number().filter(|cpu| *cpu > 0.0 && cpu.is_finite()).ok_or_else(wrong)?,
        "memory" => match value {
            Value::Bytes(bytes) if *bytes > 0 => settings.memory = *bytes,
            _ => return Err(wrong()),
        },
        "gpu.resource" => settings.gpu.resource = text()?.ok_or_else(wrong)?,
        "gpu.taints" => settings.gpu.taints = list()?,
        "gpu.nodes" => {
            let pair =
                |label: String| label.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())).ok_or_else(wrong);
            settings.gpu.nodes = list()?.into_iter().map(pair).collect::<Result<_, _>>()?;
        }
        _ => return Err(unknown(name)),
    }
    Ok(())
}

fn unknown(name: &str) -> Fault {
    let known: Vec<_> = KNOWN.iter().map(|(known, _)| *known).chain(BLOCKS).collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`target argo` takes {}", known.join(", ")),
    };
    (format!("`target argo` has no setting `{name}`"), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::String(text.into())
    }

    #[test]
    fn settings_are_read_and_nested_ones_too() {
        let value = Value::Record(vec![
            ("image".into(), text("python:3.11-slim")),
            ("keep".into(), Value::Duration(60 * SECOND)),
            ("code".into(), Value::Record(vec![("repo".into(), text("file:///r.git"))])),
            ("gpu".into(), Value::Record(vec![("nodes".into(), Value::List(vec![text("pool=gpu")]))])),
        ]);
        let (settings, faults) = read(Some(&value));
        assert_eq!(faults, vec![]);
        assert_eq!(settings.image.as_deref(), Some("python:3.11-slim"));
        assert_eq!((settings.keep, settings.repo.as_deref()), (60, Some("file:///r.git")));
        assert_eq!(settings.gpu.nodes, vec![("pool".into(), "gpu".into())]);
    }

    #[test]
    fn what_is_unknown_or_of_another_type_is_said_with_the_way_out() {
        let fault = |name: &str, value: Value| read(Some(&Value::Record(vec![(name.into(), value)]))).1;
        assert_eq!(fault("imge", text("x"))[0].1, "did you mean `image`?");
        assert_eq!(fault("parallelism", text("x"))[0].1, "write `parallelism: 10`");
        assert_eq!(fault("mlpc", text("pip"))[0].1, "write `mlpc: \"preinstalled\"`");
        assert_eq!(fault("code", text("x")).len(), 1);
        assert_eq!(fault("keep", Value::Duration(5)).len(), 1);
        assert_eq!(fault("cache", text("s3://x/{{workflow.name}}")).len(), 1);
        assert_eq!(fault("cache", Value::Record(vec![("read".into(), text("reader"))])).len(), 1);
        let keys = vec![("url".into(), text("s3://x/y")), ("write".into(), text("writer"))];
        assert!(fault("cache", Value::Record(keys))[0].0.contains("none that reads"));
    }

    #[test]
    fn every_setting_of_the_list_is_read() {
        for (name, _) in KNOWN {
            let (message, _) =
                set(&mut Settings::default(), name, &Value::Bool(true)).expect_err("no setting is a truth value");
            assert!(!message.contains("has no setting"), "{name}: {message}");
        }
    }
}
