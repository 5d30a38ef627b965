//! The clauses of stages and actions.

use super::cx::{Cx, Decl, Wanted};
use super::expr::{Scope, constant, expect, expr};
use super::fields::{Fields, duration, text, texts, whole};
use super::local::{Local, Locals};
use super::{origin, paths, trigger};
use crate::diagnostic::{Code, Diagnostic, codes};
use crate::model::{Action, Input, Origin, SecretUse, Stage, Work};
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::syntax::ast::StageClause as C;
use crate::syntax::cursor::fields;
use crate::types::{Command, Expr, InputKind, Interpreter, Isolation, Needs, Range, Rerun, Retry, Type, Value};

/// Whose clauses they are.
pub(super) enum Kind<'m> {
    Stage(&'m mut Stage),
    Action(&'m mut Action),
}

impl Kind<'_> {
    fn work(&mut self) -> &mut Work {
        match self {
            Self::Stage(stage) => &mut stage.work,
            Self::Action(action) => &mut action.work,
        }
    }
}

/// Resolves all clauses. What the command sees is resolved before the command, wherever it stands.
pub(super) fn resolve(cx: &mut Cx<'_>, clauses: &[ast::Clause], mut kind: Kind<'_>, locals: &mut Locals) {
    let mut first: Vec<(&str, Span)> = Vec::new();
    for clause in clauses {
        let (word, once, place) = about(&clause.kind);
        if once {
            if let Some(&(_, first)) = first.iter().find(|(known, _)| *known == word) {
                trigger::again(cx, clause.span, first, &format!("`{word}` is said twice"));
                continue;
            }
            first.push((word, clause.span));
        }
        match (place, &kind) {
            (Place::Stage, Kind::Action(_)) => {
                misplaced(cx, clause.span, word, "an action", "a stage");
                locals.partial |= word == "out";
                continue;
            }
            (Place::Action, Kind::Stage(_)) => {
                misplaced(cx, clause.span, word, "a stage", "an action");
                continue;
            }
            _ => {}
        }
        this(cx, clause, &mut kind, locals);
    }
    let run = clauses.iter().find_map(|clause| match &clause.kind {
        C::Run(run) => Some((run, clause.span)),
        _ => None,
    });
    if let Some((run, span)) = run {
        kind.work().command_span = span;
        kind.work().script_span = script_span(run);
        kind.work().command = command(cx, run, span, locals);
        for (id, span) in std::mem::take(&mut cx.values_read) {
            let origin = Origin::Output(id);
            if kind.work().inputs.iter().any(|input| input.origin == origin) {
                continue;
            }
            let Some(ty) = cx.model.output(id).and_then(|output| output.value.as_ref()).map(|value| value.ty.clone())
            else {
                continue;
            };
            let name = Spanned::new(cx.model.written(&origin), span);
            let kind_of = InputKind::Value(ty);
            kind.work().inputs.push(Input { name, origin, kind: kind_of, optional: false, ungated: false, span });
        }
    }
}

#[derive(Clone, Copy)]
enum Place {
    Both,
    Stage,
    Action,
}

/// Returns a clause's word, whether it stands at most once, and where it may stand.
fn about(clause: &C) -> (&'static str, bool, Place) {
    match clause {
        C::In(_) => ("in", false, Place::Both),
        C::Code(_) => ("code", false, Place::Both),
        C::Use(_) => ("use", false, Place::Both),
        C::Secret(_) => ("secret", false, Place::Both),
        C::Credentials(_) => ("credentials", false, Place::Both),
        C::Runtime(_) => ("runtime", true, Place::Both),
        C::Out(_) => ("out", false, Place::Stage),
        C::Needs(_) => ("needs", true, Place::Both),
        C::Timeout(_) => ("timeout", true, Place::Both),
        C::Retry { .. } => ("retry", true, Place::Stage),
        C::RerunAlways | C::RerunWhen(_) => ("rerun", true, Place::Stage),
        C::Checkpoint(_) => ("checkpoint", true, Place::Stage),
        C::Status(_) => ("status", true, Place::Stage),
        C::Run(_) => ("run", true, Place::Both),
        C::Inputs(_) => ("inputs", true, Place::Stage),
        C::Isolation(_) => ("isolation", true, Place::Stage),
        C::PassEnv(_) => ("pass_env", true, Place::Both),
        C::Permissions(_) => ("permissions", true, Place::Action),
        C::Environment(_) => ("environment", true, Place::Action),
        C::Idempotent => ("idempotent", true, Place::Action),
        C::Allow(_) => ("allow", false, Place::Both),
    }
}

fn misplaced(cx: &mut Cx<'_>, span: Span, word: &str, here: &str, there: &str) {
    cx.mention_words(span);
    let message = format!("`{word}` does not belong into {here}");
    cx.error::<()>(codes::MISPLACED_CLAUSE, span, message, &format!("it is a clause of {there}; remove it here"));
}

fn this(cx: &mut Cx<'_>, clause: &ast::Clause, kind: &mut Kind<'_>, locals: &mut Locals) {
    match &clause.kind {
        C::In(inputs) => {
            for written in inputs {
                kind.work().inputs.extend(inputs_of(cx, written, locals));
            }
        }
        C::Code(patterns) => {
            for written in patterns {
                if let Some(pattern) = text(cx, written).and_then(|pattern| paths::inside(cx, &pattern)) {
                    // Without these it can't be wrong, and a pattern takes longer to make than the rest of the clause.
                    let may_be_wrong = pattern.value.contains(['[', ']', '{', '}', '\\']);
                    match may_be_wrong.then(|| globset::Glob::new(&pattern.value)) {
                        Some(Err(error)) => {
                            let message = format!("`{}` is no pattern: {}", pattern.value, error.kind());
                            cx.error::<()>(codes::WRONG_TYPE, pattern.span, message, "");
                        }
                        Some(Ok(_)) | None => kind.work().code.push(pattern),
                    }
                }
            }
        }
        C::Use(names) => {
            for name in names {
                match cx.look_up(name, Wanted::Param) {
                    Some(Decl::Param(id)) => {
                        let ty = cx.model.params[id].ty.clone();
                        locals.add(cx, &name.text, name.span, Local::Param(ty));
                        kind.work().uses.push(Cx::own(name));
                    }
                    Some(Decl::Const(_)) => {
                        let message = format!("`{}` is a constant: it needs no `use`", name.text);
                        let help = format!(
                            "remove it here; in a script, which sees variables alone, use a `param {}`",
                            name.text
                        );
                        cx.error::<()>(codes::WRONG_KIND, name.span, message, &help);
                        locals.partial = true;
                    }
                    Some(decl) => {
                        cx.wrong_kind::<()>(name, decl, Wanted::Param);
                        locals.partial = true;
                    }
                    None => locals.add(cx, &name.text, name.span, Local::Param(None)),
                }
            }
        }
        C::Secret(uses) => {
            for written in uses {
                secret(cx, written, kind, locals);
            }
        }
        C::Credentials(names) => {
            let used = super::credential::used(cx, names);
            kind.work().credentials.extend(used);
        }
        C::Runtime(name) => match cx.look_up(name, Wanted::Runtime) {
            Some(Decl::Runtime(id)) => kind.work().runtime = Some(id),
            Some(decl) => {
                cx.wrong_kind::<()>(name, decl, Wanted::Runtime);
            }
            None => {}
        },
        C::Out(output) => locals.add(cx, &output.name.text, output.name.span, Local::Path),
        C::Needs(record) => {
            if let Some(needs) = needs(cx, record) {
                kind.work().needs = needs;
            }
        }
        C::Timeout(written) => kind.work().timeout = duration(cx, written),
        C::PassEnv(written) => {
            for name in texts(cx, written) {
                if variable(&name.value) {
                    kind.work().pass_env.push(name.value);
                } else {
                    not_a_variable(cx, &name);
                }
            }
        }
        C::Run(_) => {}
        other => match kind {
            Kind::Stage(stage) => of_stage(cx, other, clause.span, stage),
            Kind::Action(action) => of_action(cx, other, action),
        },
    }
}

fn of_stage(cx: &mut Cx<'_>, clause: &C, span: Span, stage: &mut Stage) {
    match clause {
        C::Retry { times, on } => stage.retry = retry(cx, times, on),
        C::RerunAlways => stage.rerun = Some(Rerun::Always),
        C::RerunWhen(when) => {
            stage.rerun = expect(cx, when, Scope::Known, &Type::Bool).map(Rerun::When);
        }
        C::Checkpoint(written) => {
            stage.checkpoint = text(cx, written).and_then(|path| paths::inside(cx, &path));
        }
        C::Status(list) => {
            stage.status = list.iter().filter_map(|written| whole(cx, written, 0, 255)).map(|n| n as i32).collect();
        }
        C::Inputs(mode) => isolation(cx, mode, span, stage, "inputs", "readonly", Isolation::ReadOnly),
        C::Isolation(mode) => isolation(cx, mode, span, stage, "isolation", "off", Isolation::Off),
        _ => {}
    }
}

fn isolation(cx: &mut Cx<'_>, mode: &ast::Name, span: Span, stage: &mut Stage, word: &str, only: &str, is: Isolation) {
    if mode.text != only {
        let message = format!("no `{word} {}`", mode.text);
        cx.error::<()>(codes::UNKNOWN_NAME, mode.span, message, &format!("write `{word} {only}`, or leave it out"));
    } else if stage.isolation.is_some() {
        let message = "`inputs readonly` and `isolation off` contradict each other";
        cx.error::<()>(codes::MISPLACED_CLAUSE, span, message, "remove one of them");
    } else {
        stage.isolation = Some(is);
    }
}

fn of_action(cx: &mut Cx<'_>, clause: &C, action: &mut Action) {
    match clause {
        C::Permissions(record) => {
            for (index, field) in record.fields.iter().enumerate() {
                if let Some(first) = record.fields[..index].iter().find(|first| first.key.text == field.key.text) {
                    super::declared::duplicate(cx, &field.key, first.key.span);
                    continue;
                }
                let Some(access) = text(cx, &field.value) else { continue };
                if ["read", "write", "none"].contains(&access.value.as_str()) {
                    action.permissions.push((field.key.text.clone(), access.value));
                } else {
                    let message = format!("no access `{}`", access.value);
                    cx.error::<()>(codes::UNKNOWN_NAME, access.span, message, "write `\"read\"` or `\"write\"`");
                }
            }
        }
        C::Environment(written) => action.environment = environment(cx, written),
        C::Idempotent => action.idempotent = true,
        _ => {}
    }
}

/// Reads the name of a deployment environment. A platform takes an empty one for none at all.
pub(super) fn environment(cx: &mut Cx<'_>, written: &ast::Expr) -> Option<Spanned<String>> {
    let name = text(cx, written)?;
    if name.value.trim().is_empty() || name.value.contains(char::is_control) {
        let message = "this names no environment";
        return cx.error(codes::BAD_NAME, name.span, message, "write a name of one line, `\"production\"`");
    }
    Some(name)
}

/// Resolves an input: one, or one for each leg that is named together.
fn inputs_of(cx: &mut Cx<'_>, written: &ast::Input, locals: &mut Locals) -> Vec<Input> {
    cx.spelling(&written.name, false);
    locals.add(cx, &written.name.text, written.name.span, Local::Path);
    let (optional, value) = written.optional();
    let own;
    let value = match value {
        Some(value) => value,
        None => {
            own = ast::Expr { kind: ast::ExprKind::Name(written.name.clone()), span: written.name.span };
            &own
        }
    };
    let Some(found) = origin::origins(cx, value) else { return Vec::new() };
    if optional && matches!(found.origins.first(), Some(Origin::Source(_))) {
        let message = "a source is there from the first run on";
        let help = "remove the `?`: only what a pointer names, or a skipped stage makes, may be absent";
        cx.error::<()>(codes::MISPLACED_CLAUSE, written.span, message, help);
    }
    let value = match found.origins.first() {
        Some(Origin::Output(id)) => {
            cx.model.output(*id).and_then(|output| Some((*id, output.value.as_ref()?.ty.clone())))
        }
        _ => None,
    };
    let kind = match value {
        Some(_) if found.list || optional => {
            let (what, help) = if found.list {
                (
                    "a list of values is no input",
                    "write it in the argument list, where it is spliced: `run [\"…\", count[*].rows]`",
                )
            } else {
                ("a value can't be absent", "remove the `?`: only files may be absent")
            };
            cx.error::<()>(codes::WRONG_KIND, written.span, what, help);
            locals.partial = true;
            return Vec::new();
        }
        Some((id, ty)) => {
            let expr = origin::value(cx, id);
            locals.refine(&written.name.text, written.name.span, Local::Value(expr, ty.clone()));
            InputKind::Value(ty)
        }
        None if found.list => {
            locals.refine(&written.name.text, written.name.span, Local::Paths);
            InputKind::Listed
        }
        None => InputKind::Artifact,
    };
    let input = |origin| Input {
        name: Cx::own(&written.name),
        origin,
        kind: kind.clone(),
        optional,
        ungated: written.ungated.is_some(),
        span: written.span,
    };
    found.origins.into_iter().map(input).collect()
}

fn secret(cx: &mut Cx<'_>, written: &ast::SecretUse, kind: &mut Kind<'_>, locals: &mut Locals) {
    let variable_name = match &written.alias {
        Some(alias) => {
            let name = Spanned::new(alias.plain().unwrap_or_default().to_owned(), alias.span);
            if !variable(&name.value) {
                not_a_variable(cx, &name);
                return;
            }
            name
        }
        None => Cx::own(&written.name),
    };
    locals.add(cx, &variable_name.value, variable_name.span, Local::Secret);
    match cx.look_up(&written.name, Wanted::Secret) {
        Some(Decl::Secret(secret)) => {
            kind.work().secrets.push(SecretUse { secret, variable: variable_name.value });
        }
        Some(decl) => {
            cx.wrong_kind::<()>(&written.name, decl, Wanted::Secret);
        }
        None => {}
    }
}

fn variable(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|c| c.is_ascii_alphabetic() || c == b'_')
        && bytes.all(|c| c.is_ascii_alphanumeric() || c == b'_')
}

fn not_a_variable(cx: &mut Cx<'_>, name: &Spanned<String>) {
    let message = format!("`{}` can't be the name of an environment variable", name.value);
    cx.error::<()>(codes::BAD_NAME, name.span, message, "use letters, digits and `_`");
}

fn needs(cx: &mut Cx<'_>, record: &ast::Record) -> Option<Needs> {
    let fields = Fields::read(cx, record, "`needs`", fields("needs"));
    let mut needs = Needs::default();
    if let Some(field) = fields.get("cpu") {
        match constant(cx, &field.value, &Type::Float(Range::ANY))? {
            Value::Float(cpu) if cpu > 0.0 => needs.cpu = Some(cpu),
            _ => above_zero(cx, field.value.span),
        }
    }
    if let Some(field) = fields.get("memory") {
        match constant(cx, &field.value, &Type::Bytes)? {
            Value::Bytes(bytes) if bytes > 0 => needs.memory = Some(bytes),
            _ => above_zero(cx, field.value.span),
        }
    }
    if let Some(field) = fields.get("gpu") {
        needs.gpu = whole(cx, &field.value, 0, 1024).map(|gpu| gpu as u32);
    }
    Some(needs)
}

fn above_zero(cx: &mut Cx<'_>, span: Span) {
    cx.error::<()>(codes::OUT_OF_RANGE, span, "a number above zero is needed", "");
}

fn retry(cx: &mut Cx<'_>, times: &ast::Expr, on: &[ast::Expr]) -> Option<Retry> {
    let times = whole(cx, times, 1, 100)?;
    let mut retry = Retry { times: times as u32, causes: Vec::new(), statuses: Vec::new() };
    let add = |retry: &mut Retry, causes: &[&str]| {
        for cause in causes {
            if !retry.causes.iter().any(|known| known == cause) {
                retry.causes.push((*cause).to_owned());
            }
        }
    };
    for cause in on {
        match &cause.kind {
            ast::ExprKind::Name(name) => match name.as_str() {
                "infrastructure" => add(&mut retry, &["lost_host", "oom", "spawn"]),
                known @ ("lost_host" | "oom" | "spawn" | "timeout") => add(&mut retry, &[known]),
                other => {
                    let known = ["infrastructure", "lost_host", "oom", "spawn", "timeout", "exit"];
                    let help = match crate::diagnostic::nearest(other, known) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => {
                            "causes are `infrastructure`, `lost_host`, `oom`, `spawn`, `timeout`, `exit(75)`".to_owned()
                        }
                    };
                    cx.error::<()>(codes::UNKNOWN_NAME, name.span, format!("no cause `{other}`"), &help);
                }
            },
            ast::ExprKind::Call { callee, args }
                if matches!(&callee.kind, ast::ExprKind::Name(name) if name.text == "exit") && args.len() == 1 =>
            {
                if let Some(status) = whole(cx, &args[0].value, 1, 255) {
                    retry.statuses.push(status as i32);
                }
            }
            _ => {
                let help = "write `infrastructure`, `timeout` or `exit(75)`";
                cx.error::<()>(codes::WRONG_TYPE, cause.span, "no cause of a retry", help);
            }
        }
    }
    if retry.causes.is_empty() && retry.statuses.is_empty() && on.is_empty() {
        add(&mut retry, &["lost_host", "oom", "spawn"]);
    }
    Some(retry)
}

pub(super) fn command(cx: &mut Cx<'_>, run: &ast::Run, span: Span, locals: &Locals) -> Option<Command> {
    match run {
        ast::Run::Args(list) => {
            let ast::ExprKind::List(items) = &list.kind else {
                let help = "write `run [\"python\", \"train.py\"]`, or a script: `run <<< … >>>`";
                return cx.error(codes::WRONG_TYPE, list.span, "a command is a list of arguments", help);
            };
            if items.is_empty() {
                return missing(cx, codes::MISSING_CLAUSE, list.span, "the command is empty");
            }
            let arguments: Vec<Option<Expr>> = items.iter().map(|item| argument(cx, item, locals)).collect();
            Some(Command::Arguments(arguments.into_iter().collect::<Option<_>>()?))
        }
        ast::Run::Script { interpreter, script } => {
            let interpreter = match interpreter.as_ref().map(|name| (name, name.as_str())) {
                None | Some((_, "bash")) => Interpreter::Bash,
                Some((_, "sh")) => Interpreter::Sh,
                Some((_, "python")) => Interpreter::Python,
                Some((name, other)) => {
                    let help = "leave it out for bash, or write `sh` or `python`";
                    let message = format!("no interpreter `{other}`");
                    return cx.error(codes::UNKNOWN_NAME, name.span, message, help);
                }
            };
            let text = script.plain().unwrap_or_default();
            if text.trim().is_empty() {
                return missing(cx, codes::MISSING_CLAUSE, span, "the script is empty");
            }
            Some(Command::Script { interpreter, text: text.to_owned() })
        }
    }
}

pub(super) fn script_span(run: &ast::Run) -> Option<Span> {
    let ast::Run::Script { script, .. } = run else { return None };
    match script.parts.as_slice() {
        [ast::StrPart::Text { span, .. }] => Some(*span),
        _ => None,
    }
}

fn missing<T>(cx: &mut Cx<'_>, code: Code, span: Span, message: &str) -> Option<T> {
    cx.report(Diagnostic::new(code, span, message).help("say what runs"))
}

fn argument(cx: &mut Cx<'_>, written: &ast::Expr, locals: &Locals) -> Option<Expr> {
    let typed = expr(cx, written, Scope::Stage(locals))?;
    if matches!(typed.ty, Type::Record(_)) {
        return cx.error(codes::WRONG_TYPE, written.span, "a record can't be an argument", "");
    }
    Some(typed.expr)
}
