//! From the syntax tree to the model: names are looked up, types and constants settled. What can't be understood
//! is reported at its place and left out, so that one slip gives one message.
//!
//! Knows nothing of order or guards; those come from the model alone.

mod bound;
mod comment;
mod credential;
mod cron;
mod cx;
mod declared;
mod drifted;
mod experiment;
mod expr;
mod fields;
mod fork;
mod gate;
mod header;
mod known;
mod legs;
mod limits;
mod local;
mod location;
mod monitor;
mod operator;
mod origin;
mod paths;
mod release;
mod requirement;
mod rollout;
mod schema;
mod settled;
mod slices;
mod stage;
mod trigger;
mod table;
mod ty;
mod watch;
mod work;

use std::collections::{HashMap, HashSet};

use cx::{Const, ConstValue, Cx, Decl};

use crate::diagnostic::{Diagnostic, codes};
use crate::model::{
    Credential, Metrics, Model, Node, NodeKind, Notify, Param, Profile, Registry, Runtime, Schema, Secret, Source,
};
use crate::modules::Scopes;
use crate::source::{Sources, Span, Spanned};
use crate::syntax::ast;
use crate::types::{self, Artifact, Leg, MetricsType};

/// The edition of the language that this version reads.
pub const EDITION: u32 = 2026;

/// Resolves a file. `faults` are the places, sorted, at which its text could not be read: what may be declared
/// there is not reported as missing. `scopes` say which of its declarations stand in modules. `alone` is a module that is
/// looked at without its pipeline.
#[must_use]
pub fn resolve(
    sources: &Sources,
    file: &ast::File,
    scopes: &Scopes,
    faults: &[Span],
    alone: bool,
) -> (Model, Vec<Diagnostic>) {
    let broken = !faults.is_empty();
    let mut hidden = if broken { hidden_words(sources, file) } else { HashSet::new() };
    hidden.extend(scopes.torn.iter().flat_map(|&torn| cx::words(sources.file(torn).text())));
    let mut cx = Cx::new(sources, hidden, scopes);
    cx.model.to_mut().torn = broken || !scopes.lost.is_empty();
    cx.model.to_mut().modules.extend(scopes.modules());
    if broken {
        let torn = file.items.iter().filter(|item| is_hit(faults, item.span));
        cx.model.to_mut().opaque.extend(torn.filter_map(|item| Some(format!("{}.*", item.name()?.text))));
    }
    head(&mut cx, file, broken || alone);
    let nodes = declare(&mut cx, file);
    values(&mut cx, file);
    work(&mut cx, file, &nodes);
    defaults(&mut cx, file);
    cx.compare_strangers();
    if !alone {
        unused(&mut cx, file);
    }
    for constant in &cx.consts {
        if let ConstValue::Known(value, ty) = &constant.value {
            cx.model.to_mut().constants.push((constant.item.name.text.clone(), ty.clone(), value.clone()));
        }
    }
    (cx.model.into_owned(), cx.diagnostics)
}

/// Tells whether one of the sorted faults begins inside the span.
fn is_hit(faults: &[Span], span: Span) -> bool {
    let first = faults.partition_point(|fault| (fault.file, fault.start) < (span.file, span.start));
    faults.get(first).is_some_and(|fault| fault.file == span.file && fault.start <= span.end)
}

/// Returns the words outside of what was understood, comments apart.
fn hidden_words<'a>(sources: &'a Sources, file: &ast::File) -> HashSet<&'a str> {
    let mut words = HashSet::new();
    let mut at = file.span.start;
    let own = file.items.iter().filter(|item| item.span.file == file.span.file);
    let ends = own.map(|item| (item.span.start, item.span.end));
    for (start, end) in ends.chain([(file.span.end, file.span.end)]) {
        if at < start {
            let gap = sources.slice(Span::new(file.span.file, at, start));
            let lines = gap.lines().filter(|line| !line.trim_start().starts_with('#'));
            words.extend(lines.flat_map(cx::words));
        }
        at = at.max(end);
    }
    words
}

/// Resolves `pipeline` and `edition`.
fn head(cx: &mut Cx<'_>, file: &ast::File, broken: bool) {
    let mut edition: Option<Span> = None;
    for item in &file.items {
        match &item.kind {
            ast::ItemKind::Pipeline(pipeline) => match &cx.model.pipeline {
                Some(first) => {
                    let first = first.span;
                    trigger::again(cx, item.span, first, "`pipeline` is said twice");
                }
                None => {
                    cx.spelling(&pipeline.name, false);
                    cx.model.to_mut().pipeline = Some(Cx::own(&pipeline.name));
                    cx.model.to_mut().doc = item.docs.as_ref().map(|docs| docs.text.clone());
                }
            },
            ast::ItemKind::Edition(written) => {
                if let Some(first) = edition {
                    trigger::again(cx, item.span, first, "`edition` is said twice");
                    continue;
                }
                edition = Some(item.span);
                let year = fields::whole(cx, &written.year, 0, i64::from(u32::MAX)).map(|year| year as u32);
                if let Some(year) = year.filter(|year| *year != EDITION) {
                    let message = format!("this version of mlpc reads edition {EDITION}, not {year}");
                    cx.error::<()>(
                        codes::OUT_OF_RANGE,
                        written.year.span,
                        message,
                        &format!("write `edition {EDITION}`"),
                    );
                }
                cx.model.to_mut().edition = year;
            }
            _ => {}
        }
    }
    // Where text could not be read, these lines may stand in it.
    let start = Span { end: file.span.start, ..file.span };
    if cx.model.pipeline.is_none() && !broken {
        let help = "begin the file with `pipeline NAME` and `edition 2026`";
        cx.error::<()>(codes::MISSING_CLAUSE, start, "the file does not say which pipeline it is", help);
    } else if edition.is_none() && !broken {
        let help = "write `edition 2026` below the `pipeline` line";
        let at = cx.model.pipeline.as_ref().map_or(start, |name| name.span);
        let diagnostic = Diagnostic::new(codes::MISSING_CLAUSE, at, "the file does not say its edition").help(help);
        let line = format!("\nedition {EDITION}");
        let known = cx.model.pipeline.is_some();
        cx.report::<()>(if known { diagnostic.fix(at.after(), line) } else { diagnostic });
    }
}

/// Brings all names into the scope and makes a row for each declaration; nodes come after all others, since what a
/// loop goes over may be declared behind it. Returns what each item stands for.
fn declare<'a>(cx: &mut Cx<'a>, file: &'a ast::File) -> Vec<Option<Decl>> {
    let mut decls = Vec::with_capacity(file.items.len());
    for item in &file.items {
        let decl = row(cx, item);
        if let (Some(decl), Some(name)) = (decl, item.name()) {
            cx.spelling(name, matches!(item.kind, ast::ItemKind::Metrics(_) | ast::ItemKind::Schema(_)));
            cx.declare(name, decl);
        }
        decls.push(decl);
    }
    let stages = stages(file);
    for (item, decl) in file.items.iter().zip(&mut decls) {
        let (Some(Decl::Pending(keyword)), Some(name)) = (*decl, item.name()) else { continue };
        let settled = nodes(cx, item, name, keyword, &stages);
        cx.settle(name, settled);
        *decl = Some(settled);
    }
    decls
}

/// Makes the node of a declaration, or a node for each of its legs.
fn nodes<'a>(
    cx: &mut Cx<'a>,
    item: &'a ast::Item,
    name: &ast::Name,
    keyword: &'static str,
    stages: &HashMap<&'a str, &'a ast::Stage>,
) -> Decl {
    let loops = loops(item, stages);
    let add = |cx: &mut Cx<'a>, leg: Option<Leg>| {
        cx.model.to_mut().nodes.push(Node {
            name: Spanned::new(leg.as_ref().map_or_else(|| name.text.clone(), Leg::name), name.span),
            leg,
            doc: item.docs.as_ref().map(|docs| docs.text.clone()),
            keyword,
            span: item.span,
            when: None,
            after: Vec::new(),
            ungated: None,
            kind: NodeKind::Opaque,
        })
    };
    if loops.is_empty() {
        return Decl::Node(add(cx, None));
    }
    let family = legs::family(cx, name, keyword, loops);
    for leg in legs::legs(cx, family, cx.model.nodes.len()) {
        add(cx, Some(leg));
    }
    Decl::Family(family)
}

/// Returns the loop of a declaration; a stage that is made from another has the loop of that.
fn loops<'a>(item: &'a ast::Item, stages: &HashMap<&'a str, &'a ast::Stage>) -> &'a [ast::Loop] {
    use ast::ItemKind as Kind;
    match &item.kind {
        Kind::Stage(it) => stage::loops(it, stages),
        Kind::Gate(it) => &it.header.loops,
        Kind::Register(it) => &it.header.loops,
        Kind::Approval(it) => &it.header.loops,
        Kind::Action(it) => &it.header.loops,
        _ => &[],
    }
}

fn stages(file: &ast::File) -> HashMap<&str, &ast::Stage> {
    let stages = file.items.iter().filter_map(|item| match &item.kind {
        ast::ItemKind::Stage(stage) => Some((stage.name.as_str(), stage)),
        _ => None,
    });
    stages.collect()
}

fn row<'a>(cx: &mut Cx<'a>, item: &'a ast::Item) -> Option<Decl> {
    use ast::ItemKind as Kind;
    let doc = item.docs.as_ref().map(|docs| docs.text.clone());
    let model = cx.model.to_mut();
    let name = Cx::own(item.name()?);
    Some(match &item.kind {
        Kind::Const(it) => {
            cx.consts.push(Const { item: it, value: ConstValue::Unread });
            Decl::Const(cx.consts.len() - 1)
        }
        Kind::Param(_) => Decl::Param(model.params.push(Param { name, doc, ty: None, default: None, from: None })),
        Kind::Secret(_) => Decl::Secret(model.secrets.push(Secret { name, doc })),
        Kind::Runtime(_) => Decl::Runtime(model.runtimes.push(Runtime { name, kind: None })),
        Kind::Metrics(_) => {
            let ty = MetricsType { name: name.value.clone(), doc, metrics: Vec::new() };
            Decl::Metrics(model.metrics.push(Metrics { name, ty, places: Vec::new() }))
        }
        Kind::Schema(_) => {
            let ty = types::Schema { name: name.value.clone(), columns: Vec::new() };
            model.schemas.push(Schema { name, ty });
            Decl::Schema(model.schemas.len() - 1)
        }
        Kind::Source(it) => Decl::Source(model.sources.push(Source {
            name,
            doc,
            ty: Artifact::File,
            location: None,
            frozen: None,
            place: it.value.span,
        })),
        Kind::Registry(_) => Decl::Registry(model.registries.push(Registry { name, location: None })),
        Kind::Profile(_) => {
            model.profiles.push(Profile { name, settings: Vec::new(), releases: false, gates_block: false });
            Decl::Profile(model.profiles.len() - 1)
        }
        Kind::Stage(_) => Decl::Pending("stage"),
        Kind::Gate(_) => Decl::Pending("gate"),
        Kind::Register(_) => Decl::Pending("register"),
        Kind::Approval(_) => Decl::Pending("approval"),
        Kind::Promote(_) => Decl::Pending("promote"),
        Kind::Action(_) => Decl::Pending("action"),
        Kind::Rollout(_) => Decl::Pending("rollout"),
        Kind::Experiment(_) => Decl::Pending("experiment"),
        Kind::Credential(_) => {
            model.credentials.push(Credential { name, doc, kind: None });
            Decl::Credential(model.credentials.len() - 1)
        }
        Kind::Notify(_) => {
            let (channel, on) = (String::new(), Vec::new());
            model.notifications.push(Notify { name, doc, channel, to: None, on, says_on: false });
            Decl::Notify(model.notifications.len() - 1)
        }
        Kind::Monitor(_) => {
            model.monitors.push(monitor::empty(name, doc, item.span));
            Decl::Monitor(model.monitors.len() - 1)
        }
        _ => Decl::Later,
    })
}

/// Resolves what is no node, each after what it may mention.
fn values<'a>(cx: &mut Cx<'a>, file: &'a ast::File) {
    use ast::ItemKind as Kind;
    for index in 0..cx.consts.len() {
        let at = cx.consts[index].item.name.span;
        expr::const_value(cx, index, at);
    }
    let each = |cx: &mut Cx<'a>, step: &dyn Fn(&mut Cx<'a>, &'a ast::Item)| {
        for item in &file.items {
            step(cx, item);
        }
    };
    each(cx, &|cx, item| match (&item.kind, item.name().and_then(|name| own_row(cx, name))) {
        (Kind::Param(it), Some(Decl::Param(id))) => declared::param(cx, id, it),
        (Kind::Runtime(it), Some(Decl::Runtime(id))) => declared::runtime(cx, id, it),
        (Kind::Metrics(it), Some(Decl::Metrics(id))) => declared::metrics(cx, id, it),
        (Kind::Schema(it), Some(Decl::Schema(index))) => schema::schema(cx, index, it),
        (Kind::Registry(it), Some(Decl::Registry(id))) => declared::registry(cx, id, it),
        (Kind::Target(it), _) => declared::target(cx, it),
        (Kind::External(it), _) => trigger::external(cx, it),
        (Kind::Credential(it), Some(Decl::Credential(index))) => credential::credential(cx, index, it),
        (Kind::Notify(it), Some(Decl::Notify(index))) => credential::notify(cx, index, it),
        _ => {}
    });
    each(cx, &|cx, item| match (&item.kind, item.name().and_then(|name| own_row(cx, name))) {
        (Kind::Source(it), Some(Decl::Source(id))) => declared::source(cx, id, it),
        (Kind::On(it), _) => trigger::trigger(cx, it, item.span),
        _ => {}
    });
    each(cx, &|cx, item| {
        if let Kind::Profile(it) = &item.kind
            && let Some(Decl::Profile(index)) = own_row(cx, &it.name)
        {
            trigger::profile(cx, index, it);
        }
    });
}

/// Returns the row of a declaration, unless its name is taken by an earlier one.
fn own_row(cx: &Cx<'_>, name: &ast::Name) -> Option<Decl> {
    cx.peek(&name.text).filter(|(_, place)| *place == name.span).map(|(decl, _)| decl)
}

/// Resolves the nodes: outputs of all stages first, then everything else.
fn work<'a>(cx: &mut Cx<'a>, file: &'a ast::File, decls: &[Option<Decl>]) {
    use ast::ItemKind as Kind;
    let stages = stages(file);
    // Each node with the leg that it is: its family and which of it.
    let mut nodes = Vec::new();
    for (item, decl) in file.items.iter().zip(decls) {
        match decl {
            Some(Decl::Node(id)) => nodes.push((item, *id, None)),
            Some(Decl::Family(family)) => {
                let legs = cx.families[*family].legs().enumerate();
                nodes.extend(legs.map(|(index, id)| (item, id, Some((*family, index)))));
                if cx.families[*family].broken {
                    cx.mention_words(item.span);
                }
            }
            _ => {}
        }
    }
    let made: Vec<_> = nodes
        .iter()
        .filter_map(|&(item, id, leg)| match &item.kind {
            Kind::Stage(it) => Some((it, id, leg)),
            _ => None,
        })
        .collect();
    let drafted = fork::each(cx, &made, |cx, &(it, id, leg)| {
        legs::within(cx, leg, |cx| {
            let said = cx.diagnostics.len();
            cx.undrafted = None;
            let draft = stage::draft(cx, id, it, &stages);
            if cx.undrafted.is_some() {
                cx.diagnostics.truncate(said);
            }
            cx.undrafted.is_none().then_some(draft)
        })
    });
    let mut drafts = Vec::with_capacity(drafted.len());
    let mut again = Vec::new();
    for (drafted, &(it, id, leg)) in drafted.into_iter().zip(&made) {
        match drafted {
            Some(Some((draft, outputs))) => {
                stage::put_draft(cx, &draft, outputs);
                drafts.push((draft, leg));
            }
            Some(None) => {}
            // Its paths ask for what another stage puts out.
            None => again.push((it, id, leg)),
        }
    }
    for (it, id, leg) in again {
        cx.undrafted = None;
        if let Some((draft, outputs)) = legs::within(cx, leg, |cx| stage::draft(cx, id, it, &stages)) {
            stage::put_draft(cx, &draft, outputs);
            drafts.push((draft, leg));
        }
        // It asks for its own, or for one that asks for its.
        if let Some(span) = cx.undrafted {
            let message = format!("`{}` is known only in the run", cx.sources.slice(span));
            let help = "a path is made of what is known before: parameters, constants, variables of the loop";
            cx.error::<()>(codes::KNOWN_ONLY_IN_RUN, span, message, help);
        }
    }
    // In four parts, since a draft and what is made of it are there at once.
    for part in drafts.chunks(drafts.len().div_ceil(4).max(fork::ALONE)) {
        let finished = fork::each(cx, part, |cx, (draft, leg)| legs::within(cx, *leg, |cx| stage::finish(cx, draft)));
        for stage in finished {
            stage::put(cx, stage);
        }
    }
    for &(item, id, leg) in &nodes {
        legs::within(cx, leg, |cx| match &item.kind {
            Kind::Gate(it) => gate::resolve(cx, id, it),
            Kind::Register(it) => release::register(cx, id, it),
            Kind::Approval(it) => release::approval(cx, id, it),
            Kind::Promote(it) => release::promote(cx, id, it),
            Kind::Action(it) => release::action(cx, id, it),
            Kind::Rollout(it) => rollout::resolve(cx, id, it),
            Kind::Experiment(it) => experiment::resolve(cx, id, it),
            _ => {}
        });
    }
    for item in &file.items {
        match (&item.kind, item.name().and_then(|name| own_row(cx, name))) {
            (Kind::Monitor(it), Some(Decl::Monitor(index))) => monitor::resolve(cx, index, it),
            (Kind::Notify(it), Some(Decl::Notify(index))) => credential::told(cx, index, it),
            (Kind::On(it), _) => comment::resolve(cx, it, item.span),
            _ => {}
        }
    }
    for &(item, id, _) in nodes.iter().filter(|(_, _, leg)| leg.is_none_or(|(_, index)| index == 0)) {
        if let (Kind::Stage(it), Some(stage)) = (&item.kind, cx.model.stage(id))
            && stage.work.command.is_none()
            && stage.work.command_span == Span::default()
            && !cx.model.torn
        {
            let name = it.name.clone();
            let (span, message) = (name.span, format!("the stage `{}` does nothing", name.text));
            cx.error::<()>(codes::MISSING_CLAUSE, span, message, "add `run <<< … >>>`");
        }
    }
}

/// Finds the runtime of stages that name none: the only one that their file sees.
fn defaults(cx: &mut Cx<'_>, file: &ast::File) {
    let scopes = cx.scopes;
    let mut defaults = Vec::new();
    for here in std::iter::once(file.span.file).chain(scopes.modules()) {
        let all = cx.model.runtimes.iter();
        let mut seen = all.filter(|(_, one)| scopes.sees(here, &one.name.value, one.name.span.file));
        if let (Some((only, _)), None) = (seen.next(), seen.next()) {
            defaults.push((here, only));
        }
    }
    cx.model.to_mut().default_runtimes.extend(defaults);
}

/// Lists the declarations that nothing mentions.
fn unused(cx: &mut Cx<'_>, file: &ast::File) {
    use ast::ItemKind as Kind;
    for item in file.items.iter().filter(|item| item.span.file == file.span.file) {
        let word = match &item.kind {
            Kind::Const(_) => "constant",
            Kind::Param(_) => "parameter",
            Kind::Secret(_) => "secret",
            // The only runtime is the default.
            Kind::Runtime(_) if !cx.model.default_runtimes.contains_key(&file.span.file) => "runtime",
            Kind::Metrics(_) => "metrics type",
            Kind::Schema(_) => "schema",
            Kind::Source(_) => "source",
            Kind::Registry(_) => "registry",
            Kind::Approval(_) => "approval",
            Kind::Credential(_) => "credential",
            _ => continue,
        };
        if let Some(name) = item.name()
            && !cx.is_mentioned(&name.text)
            && own_row(cx, name).is_some()
        {
            cx.model.to_mut().unused.push((word, Cx::own(name)));
        }
    }
}
