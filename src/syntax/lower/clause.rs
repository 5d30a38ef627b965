//! Clauses of all kinds of body.

use super::Lower;
use crate::diagnostic::{Diagnostic, codes};
use crate::source::Span;
use crate::syntax::ast::{
    Clause, ExperimentClause, Expr, ExprKind, FailWindow, GateClause, Input, Mark, MonitorClause, Name, Outcome,
    OutcomeKind, Output, Reaction, Record, Requirement, RolloutClause, Run, SecretUse, Setting, StageClause, Str,
    StrForm, Watch, WatchClause,
};
use crate::syntax::forms;
use crate::syntax::parser::{Children, Node, Rule};

impl Lower<'_, '_> {
    /// Lowers a clause that stages share with other nodes; none where `kind` does not take it.
    pub(super) fn stage_clause(&mut self, node: Node<'_>, kind: &str) -> Option<Clause> {
        let span = self.span(&node);
        let word = first_word(&node);
        if !forms::clauses(kind).contains(&word) {
            self.misplaced(word, kind, span);
            return None;
        }
        let rule = node.as_rule();
        if rule == Rule::allow {
            return Some(Clause { kind: StageClause::Allow(self.allow(node)), span });
        }
        let mut children = Children::of(node, rule);
        let kind = match rule {
            Rule::in_clause => StageClause::In(children.all(|node| self.input(node))),
            Rule::code_clause => StageClause::Code(children.all(|node| self.expr(node, 0))),
            Rule::use_clause => StageClause::Use(children.all(|node| self.name(&node))),
            Rule::out_clause => StageClause::Out(Box::new(self.output(children, span))),
            Rule::run_clause => StageClause::Run(self.run(children.must())),
            Rule::needs_clause => StageClause::Needs(self.record(children.must(), 0)),
            Rule::timeout_clause => StageClause::Timeout(self.expr(children.must(), 0)),
            Rule::retry_clause => {
                let times = self.expr(children.must(), 0);
                let on = children.opt(Rule::retry_on).map(|on| Children::of(on, Rule::retry_on));
                StageClause::Retry { times, on: on.into_iter().flatten().map(|node| self.expr(node, 0)).collect() }
            }
            Rule::rerun_clause => match children.must() {
                always if always.as_rule() == Rule::always => StageClause::RerunAlways,
                when => StageClause::RerunWhen(self.only(when, Rule::when_part)),
            },
            Rule::runtime_clause => StageClause::Runtime(self.name(&children.must())),
            Rule::secret_clause => StageClause::Secret(children.all(|node| self.secret_use(node))),
            Rule::status_clause => StageClause::Status(children.all(|node| self.expr(node, 0))),
            Rule::checkpoint_clause => StageClause::Checkpoint(self.expr(children.must(), 0)),
            Rule::credentials_clause => StageClause::Credentials(children.all(|node| self.name(&node))),
            Rule::inputs_clause => StageClause::Inputs(self.name(&children.must())),
            Rule::isolation_clause => StageClause::Isolation(self.name(&children.must())),
            Rule::pass_env_clause => StageClause::PassEnv(self.expr(children.must(), 0)),
            Rule::permissions_clause => StageClause::Permissions(self.record(children.must(), 0)),
            Rule::environment_clause => StageClause::Environment(self.expr(children.must(), 0)),
            _ => StageClause::Idempotent,
        };
        Some(Clause { kind, span })
    }

    /// Reports a clause that belongs to another kind of body.
    fn misplaced(&mut self, word: &str, kind: &str, span: Span) {
        let place = Span { end: span.start + word.len() as u32, ..span };
        let message = format!("`{word}` is no clause of `{kind}`");
        let help = match forms::home(word) {
            Some(home) => format!("`{word}` belongs to `{home}`; remove it here"),
            None => "remove it".to_owned(),
        };
        self.error(codes::UNKNOWN_CLAUSE, place, message, help);
    }

    fn only(&mut self, node: Node<'_>, rule: Rule) -> Expr {
        let inner = Children::of(node, rule).must();
        self.expr(inner, 0)
    }

    fn input(&mut self, node: Node<'_>) -> Input {
        let span = self.span(&node);
        let mut children = Children::of(node, Rule::input);
        let name = self.name(&children.must());
        let value = children.opt(Rule::value).map(|value| self.value(value));
        let ungated = children.opt(Rule::ungated).map(|word| self.mark(&word));
        Input { name, value, ungated, span }
    }

    fn output(&mut self, mut children: Children<'_>, clause: Span) -> Output {
        let name = self.name(&children.must());
        let mut ty = self.ty(children.must());
        if let Some(record) = children.opt(Rule::record) {
            let settings = self.record(record, 0);
            let span = ty.span.to(settings.span);
            let kind = crate::syntax::ast::TypeKind::With { base: Box::new(ty), settings };
            ty = crate::syntax::ast::Type { kind, span };
        }
        let docs = self.docs_over((clause.start - self.base) as usize);
        let (mut of, mut over, mut split, mut always) = (None, None, None, None::<Mark>);
        loop {
            let part = children.must();
            let place = self.span(&part);
            match part.as_rule() {
                Rule::of_part => {
                    let value = self.only(part, Rule::of_part);
                    self.once(&mut of, value, place, "`of`");
                }
                Rule::over_part => {
                    let value = self.only(part, Rule::over_part);
                    self.once(&mut over, value, place, "`over`");
                }
                Rule::as_part => {
                    let value = self.name(&Children::of(part, Rule::as_part).must());
                    self.once(&mut split, value, place, "`as`");
                }
                Rule::always => self.once(&mut always, Mark { span: place }, place, "`always`"),
                _ => return Output { docs, name, ty, of, over, split, always, value: self.expr(part, 0) },
            }
        }
    }

    fn secret_use(&mut self, node: Node<'_>) -> SecretUse {
        let mut children = Children::of(node, Rule::secret_use);
        let name = self.name(&children.must());
        SecretUse { name, alias: children.next().map(|alias| self.quoted(alias, 0)) }
    }

    fn run(&mut self, node: Node<'_>) -> Run {
        if node.as_rule() == Rule::script {
            let mut children = Children::of(node, Rule::script);
            let interpreter = Some(self.name(&children.must()));
            return Run::Script { interpreter, script: self.quoted(children.must(), 0) };
        }
        let expr = self.expr(node, 0);
        match expr.kind {
            ExprKind::Str(script) => Run::Script { interpreter: None, script: self.raw(script) },
            _ => Run::Args(expr),
        }
    }

    /// A script is raw text: `{expr}` in it would be a value that becomes code.
    fn raw(&mut self, script: Str) -> Str {
        if script.form == StrForm::Quoted && script.plain().is_none() {
            let help = "write `run <<< … >>>` and use the variable of that name: `\"$epochs\"`";
            self.error(codes::SYNTAX, script.span, "a script is raw text, without `{…}`", help);
        }
        script
    }

    fn requirement(&mut self, node: Node<'_>, rule: Rule) -> Requirement {
        let span = self.span(&node);
        let mut children = Children::of(node, rule);
        let expr = self.expr(children.must(), 0);
        let against = children.opt(Rule::against).map(|node| self.only(node, Rule::against));
        Requirement { expr, against, span }
    }

    fn setting(&mut self, node: Node<'_>, kind: &str) -> Option<Setting> {
        let span = self.span(&node);
        let mut children = Children::of(node, Rule::setting_clause);
        let name = self.name(&children.must());
        if !forms::clauses(kind).contains(&name.as_str()) {
            self.misplaced(&name.text, kind, span);
            return None;
        }
        Some(Setting { name, value: self.expr(children.must(), 0), span })
    }

    /// Splits `on SITUATION: REACTION`; situations that `kind` does not know are reported.
    fn situation<'n>(&mut self, node: Node<'n>, kind: &str) -> Option<(Name, Node<'n>)> {
        let mut children = Children::of(node, Rule::on_clause);
        let name = self.name(&children.must());
        let known = forms::situations(kind);
        if !known.contains(&name.as_str()) {
            let message = format!("unknown situation `{}` in a {kind}", name.text);
            let near = crate::diagnostic::nearest(&name.text, known.iter().copied());
            let help = match near {
                Some(near) => format!("did you mean `on {near}: …`?"),
                None => format!("a {kind} knows {}", forms::quoted_list(known)),
            };
            self.error(codes::UNKNOWN_CLAUSE, name.span, message, help);
            return None;
        }
        Some((name, children.must()))
    }

    fn outcome(&mut self, node: Node<'_>, span: Span, allowed: &[&str]) -> Option<Outcome> {
        let place = self.span(&node);
        let word = first_word(&node);
        if !allowed.contains(&word) {
            let message = format!("`{word}` is nothing that can be done here");
            self.error(codes::SYNTAX, place, message, format!("write one of {}", forms::quoted_list(allowed)));
            return None;
        }
        let kind = match word {
            "pass" => OutcomeKind::Pass,
            "fail" => OutcomeKind::Fail,
            "error" => OutcomeKind::Error,
            "hold" => OutcomeKind::Hold,
            _ if node.as_rule() == Rule::ask => OutcomeKind::Ask(self.name(&Children::of(node, Rule::ask).must())),
            _ => {
                self.error(codes::SYNTAX, place, "`ask` needs an approval", "write `ask APPROVAL`");
                return None;
            }
        };
        Some(Outcome { kind, span })
    }

    pub(super) fn gate_clause(&mut self, node: Node<'_>) -> Option<GateClause> {
        let span = self.span(&node);
        let rule = node.as_rule();
        Some(match rule {
            Rule::require_clause => GateClause::Require(self.requirement(node, rule)),
            Rule::warn_clause => GateClause::Warn(self.requirement(node, rule)),
            Rule::baseline_clause => {
                let mut children = Children::of(node, rule);
                let pointer = self.expr(children.must(), 0);
                let recorded = children.opt(Rule::recorded).map(|word| self.mark(&word));
                GateClause::Baseline { pointer, recorded, span }
            }
            Rule::setting_clause => GateClause::Setting(self.setting(node, "gate")?),
            Rule::allow => GateClause::Allow(self.allow(node)),
            _ => {
                let (name, reaction) = self.situation(node, "gate")?;
                if name.text == "no_baseline" {
                    GateClause::OnNoBaseline(self.outcome(reaction, span, &["fail", "pass", "ask"])?)
                } else {
                    GateClause::OnUnscorable(self.outcome(reaction, span, &["error", "fail", "ask"])?)
                }
            }
        })
    }

    pub(super) fn rollout_clause(&mut self, node: Node<'_>) -> Option<RolloutClause> {
        let span = self.span(&node);
        let rule = node.as_rule();
        Some(match rule {
            Rule::step_clause => {
                let mut children = Children::of(node, rule);
                let share = self.expr(children.must(), 0);
                let duration = children.opt(Rule::step_for).map(|node| self.only(node, Rule::step_for));
                let ask = children.opt(Rule::ask).map(|node| self.asked(node));
                RolloutClause::Step { share, duration, ask, span }
            }
            Rule::hook_clause => {
                let (name, run) = self.hook(node);
                RolloutClause::Hook { name, run, span }
            }
            Rule::watch_clause => RolloutClause::Watch(self.watch(node)),
            Rule::service_clause => {
                let mut children = Children::of(node, rule);
                let name = self.quoted(children.must(), 0);
                RolloutClause::Service { name, environment: self.quoted(children.must(), 0), span }
            }
            Rule::promote_clause => RolloutClause::Promote { to: self.only(node, rule), span },
            Rule::keep_clause => RolloutClause::Keep { duration: self.only(node, rule), span },
            Rule::first_clause => {
                let choice = Children::of(node, rule).must();
                let ask = (choice.as_rule() == Rule::ask).then(|| self.asked(choice));
                RolloutClause::FirstDeploy { ask, span }
            }
            Rule::setting_clause => RolloutClause::Setting(self.setting(node, "rollout")?),
            _ => RolloutClause::Stage(self.stage_clause(node, "rollout")?),
        })
    }

    fn asked(&self, node: Node<'_>) -> Name {
        self.name(&Children::of(node, Rule::ask).must())
    }

    fn hook(&mut self, node: Node<'_>) -> (Name, Run) {
        let mut children = Children::of(node, Rule::hook_clause);
        let name = self.name(&children.must());
        (name, self.run(children.must()))
    }

    fn watch(&mut self, node: Node<'_>) -> Watch {
        let span = self.span(&node);
        let mut children = Children::of(node, Rule::watch_clause);
        let source = self.expr(children.must(), 0);
        let every = self.expr(children.must(), 0);
        let clauses = children.some(|clause| self.watch_part(clause));
        Watch { source, every, clauses, span }
    }

    fn watch_part(&mut self, node: Node<'_>) -> Option<WatchClause> {
        let span = self.span(&node);
        let rule = node.as_rule();
        Some(match rule {
            Rule::require_clause => WatchClause::Require(self.requirement(node, rule)),
            Rule::warn_clause => WatchClause::Warn(self.requirement(node, rule)),
            Rule::fail_clause => {
                let mut children = Children::of(node, rule);
                let count = self.expr(children.must(), 0);
                let window = match children.must() {
                    of if of.as_rule() == Rule::of_part => FailWindow::Of(self.only(of, Rule::of_part)),
                    word if word.as_rule() == Rule::total => FailWindow::Total,
                    _ => FailWindow::Consecutive,
                };
                WatchClause::FailAfter { count, window, span }
            }
            Rule::setting_clause => WatchClause::Setting(self.setting(node, "watch")?),
            _ => {
                let (name, reaction) = self.situation(node, "watch")?;
                let outcome = self.outcome(reaction, span, &["hold", "fail"])?;
                if name.text == "no_data" { WatchClause::OnNoData(outcome) } else { WatchClause::OnError(outcome) }
            }
        })
    }

    pub(super) fn monitor_clause(&mut self, node: Node<'_>) -> Option<MonitorClause> {
        let span = self.span(&node);
        let rule = node.as_rule();
        Some(match rule {
            Rule::every_clause => MonitorClause::Every { interval: self.only(node, rule), span },
            Rule::require_clause => MonitorClause::Require(self.requirement(node, rule)),
            Rule::warn_clause => MonitorClause::Warn(self.requirement(node, rule)),
            Rule::cooldown_clause => MonitorClause::Cooldown { duration: self.only(node, rule), span },
            Rule::on_clause => {
                let (_, reaction) = self.situation(node, "monitor")?;
                MonitorClause::OnBreach { reaction: self.reaction(reaction)?, span }
            }
            Rule::setting_clause => MonitorClause::Setting(self.setting(node, "monitor")?),
            _ => MonitorClause::Stage(self.stage_clause(node, "monitor")?),
        })
    }

    fn reaction(&mut self, node: Node<'_>) -> Option<Reaction> {
        let span = self.span(&node);
        let rule = node.as_rule();
        match rule {
            Rule::emit => {
                let mut children = Children::of(node, rule);
                let event = self.quoted(children.must(), 0);
                let payload: Option<Record> = children.next().map(|record| self.record(record, 0));
                Some(Reaction::Emit { event, payload })
            }
            Rule::notify => Some(Reaction::Notify(self.name(&Children::of(node, rule).must()))),
            _ => {
                let message = format!("`{}` is nothing that a monitor does", first_word(&node));
                let help = "write `on breach: emit \"EVENT\" { … }` or `on breach: notify NAME`";
                self.report(Diagnostic::new(codes::SYNTAX, span, message).help(help));
                None
            }
        }
    }

    pub(super) fn experiment_clause(&mut self, node: Node<'_>) -> Option<ExperimentClause> {
        let span = self.span(&node);
        let rule = node.as_rule();
        Some(match rule {
            Rule::arm_clause => {
                let mut children = Children::of(node, rule);
                let name = self.name(&children.must());
                let share = self.expr(children.must(), 0);
                let serves = children.opt(Rule::value).map(|value| self.value(value));
                ExperimentClause::Arm { name, share, serves, span }
            }
            Rule::require_clause => ExperimentClause::Require(self.requirement(node, rule)),
            Rule::warn_clause => ExperimentClause::Warn(self.requirement(node, rule)),
            Rule::watch_clause => ExperimentClause::Watch(self.watch(node)),
            Rule::hook_clause => {
                let (name, run) = self.hook(node);
                ExperimentClause::Hook { name, run, span }
            }
            Rule::setting_clause => ExperimentClause::Setting(self.setting(node, "experiment")?),
            _ => ExperimentClause::Stage(self.stage_clause(node, "experiment")?),
        })
    }
}

fn first_word<'t>(node: &Node<'t>) -> &'t str {
    crate::syntax::split::word_at(node.as_str(), 0)
}
