//! A stage's command as a person would write it into a workflow: its variables under `env:`, its text under `run:`.
//! Where that would not mean the same, the stage is left to `mlpc exec`.

use super::model::Entries;
use super::triggers::Case;
use crate::plan::{Command, FIXED, Interpreter, Isolation, Location, Plan, Rerun, Stage};
use crate::types::{Expr, Origin, Value};

/// The shell of a step, its variables and its text.
pub(super) struct Plain {
    pub(super) shell: String,
    pub(super) env: Entries<String>,
    pub(super) run: String,
}

/// Returns the command of a stage in plain words, if it has any.
pub(super) fn plain(plan: &Plan, stage: &Stage, cases: &[Case]) -> Option<Plain> {
    // Retries, isolation and what counts as success are the executor's.
    let simple = stage.baseline.is_none()
        && stage.status == [0]
        && stage.retry.is_none()
        && stage.checkpoint.is_none()
        && matches!(stage.rerun, Rerun::Never | Rerun::Always)
        // Without isolation its inputs are looked at while the command runs, which only who starts it can do.
        && stage.isolation == Isolation::Copies
        && stage.work.pass_env.is_empty()
        && stage.work.inputs.iter().all(|input| {
            input.kind.is_artifact() && !input.optional && !matches!(input.origin, Origin::Pointer { .. })
        });
    if !simple {
        return None;
    }
    let (shell, run) = match &stage.work.command {
        Command::Script { interpreter, text } => {
            let shell = match interpreter {
                Interpreter::Bash => BASH,
                Interpreter::Sh => "sh -eu {0}",
                Interpreter::Python => "python3 {0}",
            };
            (shell, text.clone())
        }
        Command::Arguments(arguments) => {
            let words: Option<Vec<_>> = arguments.iter().map(word).collect();
            (BASH, words?.join(" ") + "\n")
        }
    };
    let mut env = variables(plan, stage, cases)?;
    // As `mlpc exec` gives them to the stages that it runs itself, such as the one that scores the production model.
    for (name, value) in FIXED {
        if !env.has(name) {
            env.push(name, value.to_owned());
        }
    }
    // GitHub would evaluate `${{`, wherever it stands.
    let tame = |text: &str| !text.contains("${{");
    let fits = tame(&run) && env.0.iter().all(|(_, value)| value.starts_with(OURS) || tame(value));
    let env =
        env.0.into_iter().map(|(name, value)| (name, value.strip_prefix(OURS).map_or(value.clone(), str::to_owned)));
    fits.then(|| Plain { shell: shell.to_owned(), env: Entries(env.collect()), run })
}

const BASH: &str = "bash --noprofile --norc -euo pipefail {0}";

/// Stands before an expression that we wrote ourselves, so that it is told from text that only looks like one.
const OURS: char = '\0';

/// Returns the variables that the command sees: inputs, outputs, used parameters, secrets.
fn variables(plan: &Plan, stage: &Stage, cases: &[Case]) -> Option<Entries<String>> {
    let mut env = Entries::default();
    for input in &stage.work.inputs {
        // What a server or a store holds, or DVC's remote, has to be fetched, and hashed.
        if let Origin::Source(name) = &input.origin
            && plan.sources.iter().any(|source| source.name == *name && !matches!(source.location, Location::Path(_)))
        {
            return None;
        }
        // A profile may put other data in a source's place, at another path.
        if let Origin::Source(name) = &input.origin
            && plan
                .profiles
                .iter()
                .flat_map(|profile| &profile.settings)
                .any(|setting| matches!(setting, crate::plan::Setting::Source { name: other, .. } if other == name))
        {
            return None;
        }
        env.push(&input.name, input.path.clone());
    }
    for output in &stage.outputs {
        env.push(&output.name, output.path.clone());
    }
    for (name, value) in &stage.work.variables {
        env.push(name, value.to_string());
    }
    for name in &stage.work.uses {
        env.push(name, parameter(name, cases)?);
    }
    for secret in &stage.work.secrets {
        env.push(&secret.variable, format!("{OURS}${{{{ secrets.{} }}}}", secret.secret.to_uppercase()));
    }
    Some(env)
}

/// Returns the text of a parameter: a constant where all cases agree, else an expression over them.
fn parameter(name: &str, cases: &[Case]) -> Option<String> {
    let mut texts = Vec::new();
    for case in cases {
        let text = match case.params.get(name) {
            Some(Value::List(_) | Value::Record(_) | Value::Null) => return None,
            Some(value) => super::condition::text(&value.to_string()),
            // As text, since `false` and 0 would be taken for "no" by `&&`.
            None => match case.asked(name) {
                Some(asked) if !asked.may_lack => format!("format('{{0}}', {})", asked.expression),
                _ => return None,
            },
        };
        texts.push((case, text));
    }
    let (_, first) = texts.first()?.clone();
    if texts.iter().all(|(_, text)| *text == first)
        && let Some(constant) = first.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''))
    {
        return Some(constant.replace("''", "'"));
    }
    // An empty text would be taken for "no" by `&&`; the last `||` gives it all the same.
    let terms: Vec<_> = texts.iter().map(|(case, text)| format!("{} && {text}", case.is)).collect();
    Some(format!("{OURS}${{{{ {} || '' }}}}", terms.join(" || ")))
}

/// Returns an argument as a word of bash.
fn word(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Local(name) | Expr::Param(name) => Some(format!("\"${name}\"")),
        Expr::Value(Value::List(_) | Value::Record(_) | Value::Null) => None,
        Expr::Value(value) => Some(quote(&value.to_string())),
        Expr::Text(parts) => parts.iter().map(word).collect::<Option<Vec<_>>>().map(|words| words.concat()),
        _ => None,
    }
}

/// Returns a text as one word of a POSIX shell.
pub(super) fn quote(text: &str) -> String {
    let tame = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(tame) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
