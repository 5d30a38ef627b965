//! Declarations that are no nodes, and the door to those that are.

use super::Lower;
use crate::syntax::ast::{
    Allow, Binding, Const, Edition, External, ItemKind, Metrics, Name, Param, ParamFrom, Pipeline, Profile,
    ProfileClause, Schema, Secret, Settings, Source, Trigger, Use,
};
use crate::syntax::parser::{Children, Node, Rule};

/// Lowers one declaration.
pub(in crate::syntax) fn item(lower: &mut Lower<'_, '_>, node: Node<'_>) -> ItemKind {
    let rule = node.as_rule();
    match rule {
        Rule::pipeline => ItemKind::Pipeline(Pipeline { name: lower.only_word(node, rule) }),
        Rule::edition => {
            let year = Children::of(node, rule).must();
            ItemKind::Edition(Edition { year: lower.expr(year, 0) })
        }
        Rule::on => ItemKind::On(lower.trigger(Children::of(node, rule).must())),
        Rule::constant => ItemKind::Const(lower.constant(node)),
        Rule::param => ItemKind::Param(lower.param(node)),
        Rule::secret => ItemKind::Secret(Secret { name: lower.only_word(node, rule) }),
        Rule::binding => lower.binding(node),
        Rule::settings => lower.settings(node),
        Rule::schema => {
            let mut children = Children::of(node, rule);
            let name = lower.name(&children.must());
            ItemKind::Schema(Schema { name, columns: children.all(|column| lower.column(column)) })
        }
        Rule::metrics => {
            let mut children = Children::of(node, rule);
            let name = lower.name(&children.must());
            ItemKind::Metrics(Metrics { name, metrics: children.all(|metric| lower.metric(metric)) })
        }
        Rule::source => ItemKind::Source(lower.source(node)),
        Rule::profile => {
            let mut children = Children::of(node, rule);
            let name = lower.name(&children.must());
            ItemKind::Profile(Profile { name, clauses: children.all(|clause| lower.profile_clause(clause)) })
        }
        Rule::use_item => {
            let mut children = Children::of(node, rule);
            let file = lower.quoted(children.must(), 0);
            ItemKind::Use(Use { file, names: lower.names(children.must()) })
        }
        Rule::external => {
            let event = Children::of(node, rule).must();
            ItemKind::External(External { event: lower.quoted(event, 0) })
        }
        Rule::allow_item => {
            let allow = Children::of(node, rule).must();
            ItemKind::Allow(lower.allow(allow))
        }
        _ => lower.node(node),
    }
}

impl Lower<'_, '_> {
    fn only_word(&self, node: Node<'_>, rule: Rule) -> Name {
        self.name(&Children::of(node, rule).must())
    }

    /// Lowers `allow CODE "REASON"`, which is a declaration and a clause.
    pub(super) fn allow(&mut self, node: Node<'_>) -> Allow {
        let span = self.span(&node);
        let mut children = Children::of(node, Rule::allow);
        Allow { code: self.name(&children.must()), reason: self.quoted(children.must(), 0), span }
    }

    fn names(&mut self, node: Node<'_>) -> Vec<Name> {
        let mut names: Vec<Name> = Vec::new();
        for word in Children::of(node, Rule::names) {
            let name = self.name(&word);
            self.separated(names.last().map(|name| name.span), name.span);
            names.push(name);
        }
        names
    }

    /// Lowers the parameters that are offered, and the profiles.
    fn offers(&mut self, offers: Option<Node<'_>>) -> (Vec<Name>, Vec<Name>) {
        let (mut params, mut profiles, mut last) = (Vec::new(), Vec::new(), None);
        for offer in offers.into_iter().flat_map(|offers| Children::of(offers, Rule::offers)) {
            let span = self.span(&offer);
            self.separated(last.replace(span), span);
            if offer.as_rule() == Rule::offered_profile {
                profiles.push(self.only_word(offer, Rule::offered_profile));
            } else {
                params.push(self.name(&offer));
            }
        }
        (params, profiles)
    }

    fn trigger(&mut self, node: Node<'_>) -> Trigger {
        let rule = node.as_rule();
        let mut children = Children::of(node, rule);
        match rule {
            Rule::on_manual => {
                let (params, profiles) = self.offers(children.next());
                Trigger::Manual { params, profiles }
            }
            Rule::on_call => {
                let (params, profiles) = self.offers(children.next());
                Trigger::Call { params, profiles }
            }
            Rule::on_event => {
                let name = self.quoted(children.must(), 0);
                let payload = children.next().map(|fields| self.type_fields(fields)).unwrap_or_default();
                Trigger::Event { name, payload }
            }
            _ => {
                let word = children.must();
                let record = children.next().map(|record| self.record(record, 0));
                match word.as_str() {
                    "push" => Trigger::Push(record),
                    "pull_request" => Trigger::PullRequest(record),
                    "schedule" => Trigger::Schedule(record),
                    _ => Trigger::Upstream(record),
                }
            }
        }
    }

    fn constant(&mut self, node: Node<'_>) -> Const {
        let mut children = Children::of(node, Rule::constant);
        let name = self.name(&children.must());
        let ty = children.opt(Rule::ty).map(|ty| self.ty(ty));
        Const { name, ty, value: self.expr(children.must(), 0) }
    }

    fn param(&mut self, node: Node<'_>) -> Param {
        let mut children = Children::of(node, Rule::param);
        let name = self.name(&children.must());
        let ty = self.ty(children.must());
        let from = children.opt(Rule::param_from).map(|from| {
            let span = self.span(&from);
            let mut parts = Children::of(from, Rule::param_from);
            let file = self.quoted(parts.must(), 0);
            ParamFrom { file, pointer: self.quoted(parts.must(), 0), span }
        });
        let default = children.opt(Rule::value).map(|value| self.value(value));
        Param { name, ty, from, default }
    }

    /// Lowers `= EXPR`.
    pub(super) fn value(&mut self, node: Node<'_>) -> crate::syntax::ast::Expr {
        let inner = Children::of(node, Rule::value).must();
        self.expr(inner, 0)
    }

    fn binding(&mut self, node: Node<'_>) -> ItemKind {
        let mut children = Children::of(node, Rule::binding);
        let word = children.must();
        let name = self.name(&children.must());
        let binding = Binding { name, value: self.expr(children.must(), 0) };
        if word.as_str() == "registry" { ItemKind::Registry(binding) } else { ItemKind::Credential(binding) }
    }

    fn settings(&mut self, node: Node<'_>) -> ItemKind {
        let mut children = Children::of(node, Rule::settings);
        let word = children.must();
        let name = self.name(&children.must());
        let settings = Settings { name, record: self.record(children.must(), 0) };
        match word.as_str() {
            "runtime" => ItemKind::Runtime(settings),
            "notify" => ItemKind::Notify(settings),
            _ => ItemKind::Target(settings),
        }
    }

    fn source(&mut self, node: Node<'_>) -> Source {
        let mut children = Children::of(node, Rule::source);
        let name = self.name(&children.must());
        let ty = self.ty(children.must());
        let value = self.expr(children.must(), 0);
        let frozen = children.opt(Rule::frozen).map(|frozen| {
            let digest = Children::of(frozen, Rule::frozen).must();
            self.quoted(digest, 0)
        });
        Source { name, ty, value, frozen }
    }

    fn profile_clause(&mut self, node: Node<'_>) -> ProfileClause {
        let span = self.span(&node);
        let rule = node.as_rule();
        let mut children = Children::of(node, rule);
        let first = children.must();
        match rule {
            Rule::set_clause => {
                ProfileClause::Set { name: self.name(&first), value: self.expr(children.must(), 0), span }
            }
            Rule::releases_clause => ProfileClause::Releases { value: self.expr(first, 0), span },
            _ => ProfileClause::Gates { mode: self.name(&first), span },
        }
    }
}
