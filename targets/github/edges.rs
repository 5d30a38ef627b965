//! The graph of jobs: which jobs each node's needs, and on what condition it runs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::condition::{self, Own};
use super::ids::{ids, verdict_of};
use super::triggers::Case;
use crate::diagnostic::{Diagnostic, codes};
use crate::gate::{Baseline, Gate};
use crate::plan::{Node, NodeKind, Plan, Subject, Wait, Why};
use crate::targets::Site;
use crate::types::Origin;

/// What is known of the jobs before any is written.
pub(super) struct Edges<'a> {
    pub(super) plan: &'a Plan,
    cases: &'a [Case],
    jobs: BTreeMap<&'a str, String>,
    /// Where every node stands in the plan.
    pub(super) places: HashMap<&'a str, usize>,
    /// Where every job would stand, a gate's `…-verdict` behind its own.
    job_places: HashMap<String, usize>,
    /// For each node whose job asks approvals, these; and for each approval the first that asks it.
    asked_by: HashMap<&'a str, Vec<&'a str>>,
    askers: HashMap<&'a str, &'a str>,
    own: BTreeMap<&'a str, Own>,
    /// When approvals that may be passed over are part of a run at all, if they have a `when`.
    whens: BTreeMap<&'a str, String>,
    /// Nodes whose job may be skipped in a run that comes out well.
    conditional: BTreeSet<&'a str>,
    /// Nodes with such a job anywhere before theirs: without a word of ours GitHub skips them as well, even where all
    /// that they need themselves came out well, since `success()` looks at the whole way.
    chained: BTreeSet<&'a str>,
}

impl<'a> Edges<'a> {
    pub(super) fn new(plan: &'a Plan, cases: &'a [Case], site: &Site<'_>, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let jobs = ids(plan);
        let places: HashMap<&str, usize> =
            plan.nodes.iter().enumerate().map(|(place, node)| (node.name.as_str(), place)).collect();
        let find = |name: &str| places.get(name).map(|place| &plan.nodes[*place]);
        let (mut own, mut whens) = (BTreeMap::new(), BTreeMap::new());
        let releasing = plan.releasing();
        for node in &plan.nodes {
            let of_releases = |name: &str| releasing.contains(name);
            // What waits for a release has its condition from that one's job.
            let behind = || node.waits.iter().any(|wait| of_releases(&wait.node));
            let acts = of_releases(&node.name) && (node.kind.acts() || !behind());
            let found = condition::own(node, acts, cases).unwrap_or_else(|what| {
                let message = format!("GitHub's conditions can't express the `when` of `{}`: {what}", node.name);
                diagnostics.push(
                    Diagnostic::new(codes::TARGET_LIMIT, site.span(&node.name), message)
                        .help("compare parameters, `event`, `branch` and `profile` with constants"),
                );
                Own::Always
            });
            if let Own::If(when) = &found
                && node.when.is_some()
                && plan.passed_over(node).is_some()
            {
                whens.insert(node.name.as_str(), when.clone());
            }
            // Missing, it is no word: a person is asked.
            let found =
                plan.passed_over(node).into_iter().chain(plan.held_with(node, &find)).fold(found, |own, release| {
                    let there = format!("needs.{}.outputs.there != 'true'", jobs[release]);
                    match own {
                        Own::Always => Own::If(there),
                        Own::If(own) => Own::If(format!("({own}) && {there}")),
                        Own::Never => Own::Never,
                    }
                });
            own.insert(node.name.as_str(), found);
        }
        let mut job_places = HashMap::new();
        for (place, node) in plan.nodes.iter().enumerate() {
            let job = &jobs[node.name.as_str()];
            job_places.insert(verdict_of(job), 2 * place + 1);
            job_places.insert(job.clone(), 2 * place);
        }
        let (asked_by, askers) = (HashMap::new(), HashMap::new());
        let (conditional, chained) = (BTreeSet::new(), BTreeSet::new());
        let mut edges =
            Self { plan, cases, jobs, places, job_places, asked_by, askers, own, whens, conditional, chained };
        edges.ask();
        edges.settle();
        edges.chain();
        edges
    }

    /// Finds who asks which approval: the gates that may ask for it, else its subject.
    fn ask(&mut self) {
        let mut gates: HashMap<&str, Vec<&'a str>> = HashMap::new();
        for node in &self.plan.nodes {
            if let NodeKind::Gate(gate) = &node.kind {
                asks(gate).into_iter().for_each(|approval| gates.entry(approval).or_default().push(&node.name));
            }
        }
        for node in &self.plan.nodes {
            let NodeKind::Approval(approval) = &node.kind else { continue };
            let name = node.name.as_str();
            let askers = match &approval.of {
                _ if approval.on_demand => gates.remove(name).unwrap_or_default(),
                Subject::Release(release) => vec![release.as_str()],
                Subject::Artifact(Origin::Output { stage, .. }) => vec![stage.as_str()],
                Subject::Artifact(_) => vec![],
            };
            if let Some(first) = askers.iter().min_by_key(|asker| self.places.get(*asker)) {
                self.askers.insert(name, first);
            }
            askers.into_iter().for_each(|asker| self.asked_by.entry(asker).or_default().push(name));
        }
    }

    /// Returns the nodes so that each stands behind what it waits for; what can't stand so comes last.
    fn in_order(&self) -> Vec<&'a Node> {
        let mut open: Vec<usize> = self.plan.nodes.iter().map(|node| node.waits.len()).collect();
        let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); open.len()];
        for (place, node) in self.plan.nodes.iter().enumerate() {
            node.waits.iter().for_each(|wait| waiting[self.places[wait.node.as_str()]].push(place));
        }
        let mut order: Vec<usize> = (0..open.len()).filter(|place| open[*place] == 0).collect();
        let mut next = 0;
        while let Some(&place) = order.get(next) {
            next += 1;
            for &behind in &waiting[place] {
                open[behind] -= 1;
                if open[behind] == 0 {
                    order.push(behind);
                }
            }
        }
        order.extend((0..open.len()).filter(|place| open[*place] > 0));
        order.into_iter().map(|place| &self.plan.nodes[place]).collect()
    }

    /// Finds what never runs and what may be skipped, until nothing more is found: once, as what is waited for comes first.
    fn settle(&mut self) {
        let order = self.in_order();
        loop {
            let before = (self.conditional.len(), self.never().count());
            for &node in &order {
                let name = node.name.as_str();
                if node.waits.iter().any(|wait| node.needs(wait) && self.own[wait.node.as_str()] == Own::Never) {
                    self.own.insert(name, Own::Never);
                }
                let asked = matches!(&node.kind, NodeKind::Approval(approval) if approval.on_demand);
                let behind = |wait: &Wait| self.conditional.contains(wait.node.as_str()) && node.needs(wait);
                if asked || self.own[name] != Own::Always || node.waits.iter().any(behind) {
                    self.conditional.insert(name);
                }
            }
            if before == (self.conditional.len(), self.never().count()) {
                return;
            }
        }
    }

    /// Finds the nodes behind jobs that may be skipped.
    fn chain(&mut self) {
        for node in self.in_order() {
            let waited = node.waits.iter().map(|wait| wait.node.as_str()).filter(|other| self.runs(other));
            let skips = |other: &str| {
                self.conditional.contains(other) || self.chained.contains(other) || !self.asks(other).is_empty()
            };
            if waited.chain(self.fetches(node)).any(skips) {
                self.chained.insert(&node.name);
            }
        }
    }

    /// Iterates over the nodes that no case runs.
    pub(super) fn never(&self) -> impl Iterator<Item = &'a str> {
        let own = &self.own;
        self.plan.nodes.iter().map(|node| node.name.as_str()).filter(move |name| own[name] == Own::Never)
    }

    /// Tells whether any case runs the node.
    pub(super) fn runs(&self, node: &str) -> bool {
        self.own.get(node).is_some_and(|own| *own != Own::Never)
    }

    /// Returns the id of a node's job.
    pub(super) fn job(&self, node: &str) -> &str {
        &self.jobs[node]
    }

    /// Returns the job that says what became of a node: for a gate that may ask, the one behind the answer.
    pub(super) fn outcome(&self, node: &str) -> String {
        let job = self.job(node);
        if self.asks(node).is_empty() { job.to_owned() } else { verdict_of(job) }
    }

    /// Returns the node of this name.
    pub(super) fn node(&self, name: &str) -> Option<&'a Node> {
        self.places.get(name).map(|place| &self.plan.nodes[*place])
    }

    /// Returns the approvals that a gate may ask for, in order of names.
    pub(super) fn asks(&self, gate: &str) -> BTreeSet<&'a str> {
        match self.node(gate).map(|node| &node.kind) {
            Some(NodeKind::Gate(gate)) => asks(gate),
            _ => BTreeSet::new(),
        }
    }

    /// Returns the approvals that wait for this node's job to ask them: they read when, and by whom already.
    pub(super) fn asked_by(&self, node: &str) -> &[&'a str] {
        self.asked_by.get(node).map_or(&[], Vec::as_slice)
    }

    /// Tells whether an approval of a release need not be asked where its job says so.
    pub(super) fn passes_over(&self, release: &str) -> bool {
        let asked = self.asked_by(release).iter().filter_map(|approval| self.node(approval));
        asked.into_iter().any(|approval| self.plan.passed_over(approval) == Some(release))
    }

    /// Returns the first node whose job asks an approval.
    pub(super) fn asker(&self, approval: &str) -> Option<&'a str> {
        self.askers.get(approval).copied()
    }

    /// Returns the jobs that a node's job needs, in the plan's order.
    pub(super) fn needs(&self, node: &Node) -> Vec<String> {
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        for wait in node.waits.iter().filter(|wait| self.runs(&wait.node)) {
            if wait.why == Why::Ask {
                wanted.insert(self.job(&wait.node).to_owned());
            } else {
                wanted.insert(self.outcome(&wait.node));
            }
        }
        wanted.extend(self.fetches(node).into_iter().map(|other| self.job(other).to_owned()));
        // The release's own job says whether its approval asked nobody.
        let passed_over = node.waits.iter().filter_map(|wait| self.plan.lets_through(&wait.node, node));
        wanted.extend(passed_over.map(|release| self.job(release).to_owned()));
        // Whether what is read with `?` was to run at all is also a matter of gates that may have asked, and of releases that
        // are in production already.
        for wait in node.waits.iter().filter(|wait| wait.why == Why::Data && !node.needs(wait)) {
            for node in self.leaned_on(&wait.node) {
                let releases = self.plan.passed_over(node).into_iter();
                let releases = releases.chain(self.plan.held_with(node, &|name| self.node(name)));
                wanted
                    .extend(releases.filter(|release| self.runs(release)).map(|release| self.job(release).to_owned()));
                wanted.extend(
                    self.gates_that_ask(node).filter(|gate| self.runs(gate)).map(|gate| self.job(gate).to_owned()),
                );
            }
        }
        self.ordered(wanted)
    }

    /// Returns job ids in the order of the plan, each gate's `…-verdict` behind it.
    fn ordered(&self, wanted: BTreeSet<String>) -> Vec<String> {
        let mut ordered: Vec<String> = wanted.into_iter().filter(|job| self.job_places.contains_key(job)).collect();
        ordered.sort_by_key(|job| self.job_places.get(job));
        ordered
    }

    /// Returns the condition of a node's job; none where GitHub's own (all that is needed succeeded) is the right one.
    pub(super) fn condition(&self, node: &Node) -> Option<String> {
        let own = match &self.own[node.name.as_str()] {
            Own::If(text) => Some(text.as_str()),
            Own::Always | Own::Never => None,
        };
        let asked: Vec<_> = node.waits.iter().filter(|wait| wait.why == Why::Ask).collect();
        let relies = |wait: &&Wait| self.runs(&wait.node);
        if !self.chained.contains(node.name.as_str()) && asked.is_empty() {
            return own.map(|own| format!("${{{{ {own} }}}}"));
        }
        let mut parts = vec!["!cancelled()".to_owned()];
        let mut seen = BTreeSet::new();
        for wait in node.waits.iter().filter(relies) {
            let job = if wait.why == Why::Ask { self.job(&wait.node).to_owned() } else { self.outcome(&wait.node) };
            let conditional = self.conditional.contains(wait.node.as_str());
            let part = self.came_out_well(node, wait, &job, conditional);
            if seen.insert(part.clone()) {
                parts.push(part);
            }
        }
        let questions: Vec<_> = asked.iter().map(|wait| self.question(&wait.node, &node.name)).collect();
        match questions.len() {
            0 => {}
            1 => parts.extend(questions),
            _ => parts.push(format!("({})", questions.join(" || "))),
        }
        if let Some(own) = own {
            parts.push(if own.contains(" || ") { format!("({own})") } else { own.to_owned() });
        }
        Some(format!("${{{{ {} }}}}", parts.join(" && ")))
    }

    /// Returns the expression that is true where a node that is waited for is no obstacle.
    fn came_out_well(&self, node: &Node, wait: &Wait, job: &str, conditional: bool) -> String {
        let success = format!("needs.{job}.result == 'success'");
        let skipped = format!("needs.{job}.result == 'skipped'");
        if let Some(release) = self.plan.lets_through(&wait.node, node) {
            // Skipped by its `when`, it is no answer.
            let when = self.whens.get(wait.node.as_str()).map(|when| format!(" && ({when})")).unwrap_or_default();
            let there = format!("needs.{}.outputs.there == 'true'", self.job(release));
            return format!("({success} || {skipped} && {there}{when})");
        }
        let gate = matches!(self.node(&wait.node).map(|node| &node.kind), Some(NodeKind::Gate(_)));
        let advisory: Vec<_> = self.cases.iter().filter(|case| !case.blocks).map(|case| case.is.as_str()).collect();
        if conditional && wait.why == Why::Baseline {
            format!("({success} || {skipped})")
        } else if conditional && !node.needs(wait) {
            // A job that something held back is skipped too: it counts as absent only where it was not to run.
            format!("({success} || {skipped} && ({}))", self.left_out(&wait.node).join(" || "))
        } else if conditional && gate && wait.why != Why::Ask && !advisory.is_empty() {
            // A gate that only advises holds nothing up, not even by its absence.
            format!("({success} || {skipped} && ({}))", advisory.join(" || "))
        } else {
            success
        }
    }

    /// Returns expressions of which one is true where a node is not to run. They may be true in other runs too, where
    /// GitHub compares otherwise than `mlpc` does: `mlpc exec` then says no.
    fn left_out(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        for node in self.leaned_on(name) {
            if let Own::If(own) = &self.own[node.name.as_str()] {
                found.push(format!("!({own})"));
            }
            let gates: Vec<_> = self.gates_that_ask(node).collect();
            if !gates.is_empty() {
                let silent = |gate: &&str| {
                    let ended = format!("needs.{}.result == 'success'", self.job(gate));
                    format!("{ended} && !({})", self.question(gate, &node.name))
                };
                found.push(gates.iter().map(silent).collect::<Vec<_>>().join(" && "));
            }
        }
        let mut seen = BTreeSet::new();
        found.retain(|text| seen.insert(text.clone()));
        if found.is_empty() {
            found.push("false".to_owned());
        }
        found
    }

    /// Returns a node and all that it can't run without.
    fn leaned_on(&self, name: &str) -> Vec<&'a Node> {
        let mut found: Vec<&Node> = self.node(name).into_iter().collect();
        let mut seen: BTreeSet<&str> = BTreeSet::from([name]);
        let mut next = 0;
        while let Some(&node) = found.get(next) {
            next += 1;
            let before = node.waits.iter().filter(|wait| node.needs(wait) && seen.insert(&wait.node));
            found.extend(before.filter_map(|wait| self.node(&wait.node)));
        }
        found
    }

    /// Returns the gates that may ask for this approval.
    fn gates_that_ask(&self, node: &'a Node) -> impl Iterator<Item = &'a str> {
        node.waits.iter().filter(|wait| wait.why == Why::Ask).map(|wait| wait.node.as_str())
    }

    /// Returns the expression that is true where a gate asks for an approval.
    fn question(&self, gate: &str, approval: &str) -> String {
        let job = self.job(gate);
        if self.asks(gate).len() == 1 {
            format!("needs.{job}.outputs.ask == 'true'")
        } else {
            format!("needs.{job}.outputs.asked == {}", condition::text(approval))
        }
    }

    /// Returns needs and condition of the job behind a gate that may ask.
    pub(super) fn verdict(&self, gate: &str) -> (Vec<String>, String) {
        let job = self.job(gate);
        let approvals: Vec<_> = self.asks(gate).into_iter().filter(|name| self.runs(name)).collect();
        let answers: Vec<_> = approvals
            .iter()
            .map(|approval| {
                let given = format!("needs.{}.result == 'success'", self.job(approval));
                if approvals.len() == 1 { given } else { format!("{} && {given}", self.question(gate, approval)) }
            })
            .collect();
        let wanted = approvals.iter().map(|name| self.job(name).to_owned()).chain([job.to_owned()]).collect();
        let condition = format!(
            "${{{{ !cancelled() && needs.{job}.result == 'success' && (needs.{job}.outputs.ask != 'true' || {}) }}}}",
            answers.join(" || ")
        );
        (self.ordered(wanted), condition)
    }

    /// Tells whether a node's job may run although the other's was skipped.
    pub(super) fn may_lack(&self, node: &Node, other: &str) -> bool {
        let relies = node.waits.iter().any(|wait| wait.node == other && node.needs(wait));
        self.conditional.contains(other) && !relies
    }
}

fn asks(gate: &Gate) -> BTreeSet<&str> {
    gate.baseline.iter().flat_map(Baseline::asks).map(|(_, approval)| approval).collect()
}
