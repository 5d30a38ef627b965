//! The walk over a tree: each declaration's names in the order in which they stand, each with what it stands for there.

use super::Occurrence;
use super::{Names, Scope, Symbol, base_name};
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind, ItemKind, StageBody, StageClause};
use crate::syntax::shell;

impl<'a> Names<'a> {
    /// Collects the names of a declaration.
    pub(super) fn item(&mut self, item: &'a ast::Item) {
        if let Some(name) = item.name() {
            self.put(Symbol::Top(name.as_str()), name.span, true);
        }
        let mut scope = Scope { item: item.name().map_or("", |name| name.as_str()), ..Scope::default() };
        match &item.kind {
            ItemKind::Pipeline(_) | ItemKind::Edition(_) | ItemKind::Secret(_) | ItemKind::External(_) => {}
            ItemKind::On(trigger) => self.trigger(trigger, &scope),
            ItemKind::Const(it) => {
                it.ty.iter().for_each(|ty| self.ty(ty, &scope));
                self.expr(&it.value, &scope);
            }
            ItemKind::Param(it) => {
                self.ty(&it.ty, &scope);
                it.default.iter().for_each(|value| self.expr(value, &scope));
            }
            ItemKind::Credential(it) | ItemKind::Registry(it) => self.expr(&it.value, &scope),
            ItemKind::Runtime(it) | ItemKind::Notify(it) | ItemKind::Target(it) => self.record(&it.record, &scope),
            ItemKind::Schema(it) => {
                for column in &it.columns {
                    self.put(Symbol::Column { schema: scope.item, name: column.name.as_str() }, column.name.span, true);
                    self.ty(&column.ty, &scope);
                }
            }
            ItemKind::Metrics(it) => {
                for metric in &it.metrics {
                    self.put(Symbol::Metric { ty: scope.item, name: metric.name.as_str() }, metric.name.span, true);
                    self.ty(&metric.ty, &scope);
                }
            }
            ItemKind::Source(it) => {
                self.ty(&it.ty, &scope);
                self.expr(&it.value, &scope);
            }
            ItemKind::Profile(it) => {
                for clause in &it.clauses {
                    if let ast::ProfileClause::Set { name, value, .. } = clause {
                        self.top(name);
                        self.expr(value, &scope);
                    }
                }
            }
            ItemKind::Use(it) => it.names.iter().for_each(|name| self.put(Symbol::Top(name.as_str()), name.span, true)),
            ItemKind::Stage(it) => {
                self.header(&it.header, &mut scope);
                match &it.body {
                    StageBody::Clauses(clauses) => self.clauses(clauses.iter(), &mut scope, true),
                    StageBody::With { base, changes } => {
                        self.top(base);
                        let root = self.root(base.as_str());
                        for field in &changes.fields {
                            let name = field.key.as_str();
                            let symbol = match self.output(root, name) {
                                Some(_) => Symbol::Output { stage: root, name },
                                None => Symbol::Local { item: root, name },
                            };
                            self.put(symbol, field.key.span, false);
                            self.expr(&field.value, &scope);
                        }
                    }
                }
            }
            ItemKind::Action(it) => {
                it.of.iter().for_each(|of| self.expr(of, &scope));
                self.header(&it.header, &mut scope);
                self.clauses(it.clauses.iter(), &mut scope, false);
            }
            ItemKind::Gate(it) => self.gate(it, &mut scope),
            ItemKind::Register(it) => {
                self.header(&it.header, &mut scope);
                self.expr(&it.model, &scope);
                it.with.iter().for_each(|with| self.expr(with, &scope));
                self.expr(&it.to, &scope);
                it.record.iter().for_each(|record| self.record(record, &scope));
            }
            ItemKind::Approval(it) => {
                self.header(&it.header, &mut scope);
                self.expr(&it.of, &scope);
                it.record.iter().for_each(|record| self.record(record, &scope));
            }
            ItemKind::Promote(it) => {
                self.header(&it.header, &mut scope);
                self.expr(&it.release, &scope);
                self.pointer(&it.to, &scope);
            }
            ItemKind::Rollout(it) => self.rollout(it, &mut scope),
            ItemKind::Monitor(it) => self.monitor(it, &mut scope),
            ItemKind::Experiment(it) => self.experiment(it, &mut scope),
            ItemKind::Allow(_) => {}
        }
    }

    fn put(&mut self, symbol: Symbol<'a>, span: Span, declares: bool) {
        self.all.push(Occurrence { symbol, span, declares });
    }

    fn top(&mut self, name: &'a ast::Name) {
        self.put(Symbol::Top(name.as_str()), name.span, false);
    }

    fn trigger(&mut self, trigger: &'a ast::Trigger, scope: &Scope<'a>) {
        match trigger {
            ast::Trigger::Push(it)
            | ast::Trigger::PullRequest(it)
            | ast::Trigger::Schedule(it)
            | ast::Trigger::Upstream(it) => it.iter().for_each(|record| self.record(record, scope)),
            ast::Trigger::Manual { params, profiles } | ast::Trigger::Call { params, profiles } => {
                params.iter().chain(profiles).for_each(|name| self.top(name));
            }
            ast::Trigger::Event { payload, .. } => {
                for field in payload {
                    match &field.ty.kind {
                        ast::TypeKind::Named { name, .. } if field.name.text == "profile" => self.top(name),
                        // A field sets the parameter of its name.
                        _ if self.is_param(field.name.as_str()) => self.top(&field.name),
                        _ => {}
                    }
                }
            }
        }
    }

    fn header(&mut self, header: &'a ast::Header, scope: &mut Scope<'a>) {
        for one in &header.loops {
            self.expr(&one.values, scope);
            let symbol = Symbol::Local { item: scope.item, name: one.name.as_str() };
            self.put(symbol, one.name.span, true);
            scope.names.insert(one.name.as_str(), symbol);
        }
        header.when.iter().for_each(|when| self.expr(when, scope));
        header.after.iter().for_each(|after| self.expr(after, scope));
    }

    /// Collects the names of clauses: first what they bring into being, since scripts may stand before it.
    fn clauses(&mut self, clauses: impl Iterator<Item = &'a ast::Clause> + Clone, scope: &mut Scope<'a>, stage: bool) {
        for clause in clauses.clone() {
            match &clause.kind {
                StageClause::In(inputs) => {
                    for input in inputs {
                        let name = input.name.as_str();
                        let symbol = match &input.value {
                            Some(value) => {
                                self.expr(value, scope);
                                Symbol::Local { item: scope.item, name }
                            }
                            None => Symbol::Top(name),
                        };
                        self.put(symbol, input.name.span, input.value.is_some());
                        scope.names.insert(name, symbol);
                    }
                }
                StageClause::Out(output) => {
                    let name = output.name.as_str();
                    let symbol = match stage {
                        true => Symbol::Output { stage: scope.item, name },
                        false => Symbol::Local { item: scope.item, name },
                    };
                    self.put(symbol, output.name.span, true);
                    scope.names.insert(name, symbol);
                }
                StageClause::Use(names) => {
                    for name in names {
                        self.top(name);
                        scope.names.insert(name.as_str(), Symbol::Top(name.as_str()));
                    }
                }
                StageClause::Secret(uses) => {
                    for one in uses {
                        self.top(&one.name);
                        let variable = one.alias.as_ref().and_then(ast::Str::plain).unwrap_or(one.name.as_str());
                        scope.names.insert(variable, Symbol::Top(one.name.as_str()));
                    }
                }
                _ => {}
            }
        }
        clauses.for_each(|clause| self.clause(clause, scope));
    }

    fn clause(&mut self, clause: &'a ast::Clause, scope: &Scope<'a>) {
        match &clause.kind {
            StageClause::In(_) | StageClause::Use(_) | StageClause::Secret(_) => {}
            StageClause::RerunAlways | StageClause::Idempotent | StageClause::Allow(_) => {}
            StageClause::Inputs(_) | StageClause::Isolation(_) | StageClause::Retry { .. } => {}
            StageClause::Code(all) | StageClause::Status(all) => all.iter().for_each(|one| self.expr(one, scope)),
            StageClause::Credentials(names) => names.iter().for_each(|name| self.top(name)),
            StageClause::Runtime(name) => self.top(name),
            StageClause::Out(output) => {
                self.ty(&output.ty, scope);
                output.of.iter().chain(&output.over).for_each(|one| self.expr(one, scope));
                self.expr(&output.value, scope);
            }
            StageClause::Needs(record) | StageClause::Permissions(record) => self.record(record, scope),
            StageClause::Timeout(it)
            | StageClause::RerunWhen(it)
            | StageClause::Checkpoint(it)
            | StageClause::Environment(it)
            | StageClause::PassEnv(it) => self.expr(it, scope),
            StageClause::Run(run) => self.run(run, scope),
        }
    }

    fn run(&mut self, run: &'a ast::Run, scope: &Scope<'a>) {
        match run {
            ast::Run::Args(args) => self.expr(args, scope),
            ast::Run::Script { interpreter, script } => {
                if interpreter.as_ref().is_none_or(|name| name.as_str() == "sh") {
                    self.variables(script.span, scope);
                }
            }
        }
    }

    /// Finds the variables that a script reads.
    fn variables(&mut self, span: Span, scope: &Scope<'a>) {
        let text = &self.text[span.range()];
        let mut set = None;
        for read in shell::reads(text) {
            let Some(&symbol) = scope.names.get(read.name) else { continue };
            let start = span.start + read.at as u32;
            self.put(symbol, Span::new(span.file, start, start + read.name.len() as u32), false);
            if set.get_or_insert_with(|| shell::sets(text)).contains(read.name) {
                self.set_again.insert(symbol);
            }
        }
    }

    fn gate(&mut self, gate: &'a ast::Gate, scope: &mut Scope<'a>) {
        self.header(&gate.header, scope);
        for evidence in &gate.on {
            self.expr(&evidence.value, scope);
            let measured = self.measured(&evidence.value);
            scope.measured.extend(measured);
            if let Some(alias) = &evidence.alias {
                let symbol = Symbol::Local { item: scope.item, name: alias.as_str() };
                self.put(symbol, alias.span, true);
                scope.names.insert(alias.as_str(), symbol);
                scope.aliases.extend(measured.map(|ty| (alias.as_str(), ty)));
            }
        }
        for clause in &gate.clauses {
            match clause {
                ast::GateClause::Baseline { pointer, .. } => self.expr(pointer, scope),
                ast::GateClause::OnNoBaseline(it) | ast::GateClause::OnUnscorable(it) => self.outcome(it),
                ast::GateClause::Require(it) | ast::GateClause::Warn(it) => self.requirement(it, scope),
                ast::GateClause::Setting(it) => self.expr(&it.value, scope),
                ast::GateClause::Allow(_) => {}
            }
        }
    }

    fn outcome(&mut self, outcome: &'a ast::Outcome) {
        if let ast::OutcomeKind::Ask(name) = &outcome.kind {
            self.top(name);
        }
    }

    fn requirement(&mut self, requirement: &'a ast::Requirement, scope: &Scope<'a>) {
        self.expr(&requirement.expr, scope);
        requirement.against.iter().for_each(|against| self.expr(against, scope));
    }

    /// A pointer that is moved here.
    fn pointer(&mut self, to: &'a ast::Expr, scope: &Scope<'a>) {
        let first = self.all.len();
        self.expr(to, scope);
        for one in &mut self.all[first..] {
            one.declares |= matches!(one.symbol, Symbol::Pointer { .. });
        }
    }

    fn rollout(&mut self, rollout: &'a ast::Rollout, scope: &mut Scope<'a>) {
        use ast::RolloutClause as Clause;
        self.expr(&rollout.of, scope);
        self.header(&rollout.header, scope);
        let own = |clause: &'a Clause| match clause {
            Clause::Stage(clause) => Some(clause),
            _ => None,
        };
        self.clauses(rollout.clauses.iter().filter_map(own), scope, false);
        for clause in &rollout.clauses {
            match clause {
                Clause::Stage(_) => {}
                Clause::Service { name, environment, .. } => {
                    [name, environment].into_iter().for_each(|text| self.string(text, scope));
                }
                Clause::FirstDeploy { ask, .. } => ask.iter().for_each(|name| self.top(name)),
                Clause::Step { share, duration, ask, .. } => {
                    self.expr(share, scope);
                    duration.iter().for_each(|duration| self.expr(duration, scope));
                    ask.iter().for_each(|name| self.top(name));
                }
                Clause::Watch(watch) => self.watch(watch, scope),
                Clause::Keep { duration, .. } => self.expr(duration, scope),
                Clause::Hook { run, .. } => self.run(run, scope),
                Clause::Promote { to, .. } => self.pointer(to, scope),
                Clause::Setting(it) => self.expr(&it.value, scope),
            }
        }
    }

    fn watch(&mut self, watch: &'a ast::Watch, scope: &mut Scope<'a>) {
        self.expr(&watch.source, scope);
        self.expr(&watch.every, scope);
        if let Some(ty) = self.measured(&watch.source) {
            scope.measured.push(ty);
            scope.aliases.extend([("candidate", ty), ("stable", ty)]);
        }
        for clause in &watch.clauses {
            match clause {
                ast::WatchClause::Require(it) | ast::WatchClause::Warn(it) => self.requirement(it, scope),
                ast::WatchClause::FailAfter { count, window, .. } => {
                    self.expr(count, scope);
                    if let ast::FailWindow::Of(of) = window {
                        self.expr(of, scope);
                    }
                }
                ast::WatchClause::OnNoData(it) | ast::WatchClause::OnError(it) => self.outcome(it),
                ast::WatchClause::Setting(it) => self.expr(&it.value, scope),
            }
        }
    }

    fn monitor(&mut self, monitor: &'a ast::Monitor, scope: &mut Scope<'a>) {
        use ast::MonitorClause as Clause;
        self.header(&monitor.header, scope);
        let own = |clause: &'a Clause| match clause {
            Clause::Stage(clause) => Some(clause),
            _ => None,
        };
        self.clauses(monitor.clauses.iter().filter_map(own), scope, false);
        for clause in &monitor.clauses {
            match clause {
                Clause::Stage(_) => {}
                Clause::Every { interval: it, .. } | Clause::Cooldown { duration: it, .. } => self.expr(it, scope),
                Clause::Require(it) | Clause::Warn(it) => self.requirement(it, scope),
                Clause::OnBreach { reaction: ast::Reaction::Notify(name), .. } => self.top(name),
                Clause::OnBreach { reaction: ast::Reaction::Emit { event, payload }, .. } => {
                    let event = event.plain().unwrap_or_default();
                    for field in payload.iter().flat_map(|record| &record.fields) {
                        let name = field.key.as_str();
                        if self.heard.contains(&(event, name)) && self.is_param(name) {
                            self.put(Symbol::Top(name), field.key.span, false);
                        }
                        self.expr(&field.value, scope);
                    }
                }
                Clause::Setting(it) => self.expr(&it.value, scope),
            }
        }
    }

    fn experiment(&mut self, experiment: &'a ast::Experiment, scope: &mut Scope<'a>) {
        use ast::ExperimentClause as Clause;
        self.expr(&experiment.of, scope);
        self.header(&experiment.header, scope);
        let own = |clause: &'a Clause| match clause {
            Clause::Stage(clause) => Some(clause),
            _ => None,
        };
        self.clauses(experiment.clauses.iter().filter_map(own), scope, false);
        for clause in &experiment.clauses {
            match clause {
                Clause::Stage(_) => {}
                Clause::Arm { share, serves, .. } => {
                    self.expr(share, scope);
                    serves.iter().for_each(|serves| self.expr(serves, scope));
                }
                Clause::Require(it) | Clause::Warn(it) => self.requirement(it, scope),
                Clause::Watch(watch) => self.watch(watch, scope),
                Clause::Hook { run, .. } => self.run(run, scope),
                Clause::Setting(it) => self.expr(&it.value, scope),
            }
        }
    }

    fn record(&mut self, record: &'a ast::Record, scope: &Scope<'a>) {
        record.fields.iter().for_each(|field| self.expr(&field.value, scope));
    }

    fn ty(&mut self, ty: &'a ast::Type, scope: &Scope<'a>) {
        use ast::TypeKind as Kind;
        match &ty.kind {
            Kind::Named { name, args } => {
                if self.tops.contains_key(name.as_str()) {
                    self.top(name);
                }
                args.iter().for_each(|arg| self.ty(arg, scope));
            }
            Kind::With { base, settings } => {
                self.ty(base, scope);
                self.record(settings, scope);
            }
            Kind::Refined { base, range } => {
                self.ty(base, scope);
                self.range(range, scope);
            }
            Kind::OneOf(_) => {}
            Kind::List(inner) | Kind::Optional(inner) => self.ty(inner, scope),
            Kind::Record(fields) => fields.iter().for_each(|field| self.ty(&field.ty, scope)),
        }
    }

    fn range(&mut self, range: &'a ast::Range, scope: &Scope<'a>) {
        range.low.iter().chain(&range.high).for_each(|bound| self.expr(bound, scope));
    }

    fn string(&mut self, text: &'a ast::Str, scope: &Scope<'a>) {
        for part in &text.parts {
            if let ast::StrPart::Expr(expr) = part {
                self.expr(expr, scope);
            }
        }
    }

    fn expr(&mut self, expr: &'a ast::Expr, scope: &Scope<'a>) {
        match &expr.kind {
            ExprKind::Bool(_) | ExprKind::Number(_) | ExprKind::Star => {}
            ExprKind::Str(text) => self.string(text, scope),
            ExprKind::Name(name) => self.name(name, scope),
            ExprKind::Field { base, name } => self.field(base, name, scope),
            ExprKind::Index { base, args } => {
                self.expr(base, scope);
                args.iter().for_each(|arg| self.expr(arg, scope));
            }
            ExprKind::Pointer { base, name } => {
                self.expr(base, scope);
                if let Some(registry) = base_name(base) {
                    self.put(Symbol::Pointer { registry, name: name.as_str() }, name.span, false);
                }
            }
            ExprKind::Call { args, .. } => args.iter().for_each(|arg| self.expr(&arg.value, scope)),
            ExprKind::List(all) => all.iter().for_each(|one| self.expr(one, scope)),
            ExprKind::Record(record) => self.record(record, scope),
            ExprKind::Optional(inner) | ExprKind::Unary { operand: inner, .. } => self.expr(inner, scope),
            ExprKind::Binary { left, right, .. } => [left, right].into_iter().for_each(|one| self.expr(one, scope)),
            ExprKind::Range(range) => self.range(range, scope),
            ExprKind::Between { value, range } => {
                self.expr(value, scope);
                self.range(range, scope);
            }
            ExprKind::OneOf { value, list } => [value, list].into_iter().for_each(|one| self.expr(one, scope)),
            ExprKind::By { value, .. } => self.expr(value, scope),
        }
    }

    fn name(&mut self, name: &'a ast::Name, scope: &Scope<'a>) {
        let text = name.as_str();
        let measured = || scope.measured.iter().find(|ty| self.metric(ty, text));
        let symbol = match scope.names.get(text) {
            Some(symbol) => *symbol,
            None => match measured() {
                Some(ty) => Symbol::Metric { ty, name: text },
                None if self.tops.contains_key(text) => Symbol::Top(text),
                None => return,
            },
        };
        self.put(symbol, name.span, false);
    }

    fn field(&mut self, base: &'a ast::Expr, name: &'a ast::Name, scope: &Scope<'a>) {
        self.expr(base, scope);
        let measured = match base_name(base) {
            Some(alias) if scope.aliases.contains_key(alias) => scope.aliases.get(alias).copied(),
            Some(stage) if self.output(stage, name.as_str()).is_some() => {
                self.put(Symbol::Output { stage: self.root(stage), name: name.as_str() }, name.span, false);
                return;
            }
            Some(_) => None,
            None => self.measured(base),
        };
        if let Some(ty) = measured.filter(|ty| self.metric(ty, name.as_str())) {
            self.put(Symbol::Metric { ty, name: name.as_str() }, name.span, false);
        }
    }
}
