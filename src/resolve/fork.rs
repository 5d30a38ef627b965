//! Work on many nodes by two threads: each sees the model as it stands and writes nothing to it, and what they say is
//! joined in the order of the nodes.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::cx::{Cx, Stranger};
use super::legs::Variables;
use crate::beside::both;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// Fewer nodes than this are done by one thread.
pub(super) const ALONE: usize = 512;

/// What a fork has to say.
struct Said {
    diagnostics: Vec<Diagnostic>,
    mentioned: HashSet<String>,
    listed: usize,
    strangers: HashMap<Span, Stranger>,
}

/// Does something for each of many, and returns what came of it in the same order.
pub(super) fn each<I: Sync, T: Send>(
    cx: &mut Cx<'_>,
    items: &[I],
    step: impl Fn(&mut Cx<'_>, &I) -> T + Sync,
) -> Vec<T> {
    if items.len() < ALONE {
        return items.iter().map(|item| step(cx, item)).collect();
    }
    let (left, right) = items.split_at(items.len() / 2);
    let half = |cx: &Cx<'_>, items: &[I]| {
        let mut fork = fork(cx);
        let done: Vec<T> = items.iter().map(|item| step(&mut fork, item)).collect();
        let Cx { diagnostics, mentioned, strangers, .. } = fork;
        (done, Said { diagnostics, mentioned, listed: fork.listed - cx.listed, strangers })
    };
    let shared = &*cx;
    let ((mut done, first), (more, second)) = both(|| half(shared, left), || half(shared, right));
    done.extend(more);
    for said in [first, second] {
        cx.diagnostics.extend(said.diagnostics);
        cx.mentioned.extend(said.mentioned);
        cx.listed += said.listed;
        cx.strangers.extend(said.strangers);
    }
    done
}

fn fork<'c>(cx: &'c Cx<'_>) -> Cx<'c> {
    Cx {
        sources: cx.sources,
        model: Cow::Borrowed(&*cx.model),
        consts: cx.consts.clone(),
        diagnostics: Vec::new(),
        depth: cx.depth,
        families: cx.families.clone(),
        legs: cx.legs,
        listed: cx.listed,
        values_read: Vec::new(),
        undrafted: None,
        variables: Variables::default(),
        scope: cx.scope.clone(),
        mentioned: HashSet::new(),
        hidden: cx.hidden.clone(),
        scopes: cx.scopes,
        strangers: HashMap::new(),
        unread: None,
    }
}
