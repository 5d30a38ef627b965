//! The pest parser of one declaration, and a cursor over what it finds. Nothing outside `syntax` sees either.

use pest::Parser as _;
use pest::error::{Error, InputLocation};
use pest::iterators::{Pair, Pairs};

/// The parser that pest makes from the grammar.
#[derive(pest_derive::Parser)]
#[grammar = "grammar/mlp.pest"]
struct Grammar;

/// One match of a rule.
pub(super) type Node<'t> = Pair<'t, Rule>;

/// Where the text stops following the grammar, and what could have stood there.
pub(super) struct Stuck {
    /// Byte offset in the text that was parsed.
    pub(super) at: usize,
    /// The rules that were tried at that place.
    pub(super) tried: Vec<Rule>,
}

/// Parses all of `text` by `rule`.
pub(super) fn parse(rule: Rule, text: &str) -> Result<Node<'_>, Stuck> {
    match Grammar::parse(rule, text) {
        Ok(mut pairs) => Ok(pairs.next().expect("pest returns the pair of the rule that matched")),
        Err(error) => Err(stuck(&error)),
    }
}

fn stuck(error: &Error<Rule>) -> Stuck {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let tried = match &error.variant {
        pest::error::ErrorVariant::ParsingError { positives, .. } => positives.clone(),
        pest::error::ErrorVariant::CustomError { .. } => Vec::new(),
    };
    Stuck { at, tried }
}

/// The children of a node in order, comments left out.
pub(super) struct Children<'t> {
    pairs: Pairs<'t, Rule>,
    /// The next one, where somebody has looked at it.
    ahead: Option<Node<'t>>,
}

impl<'t> Children<'t> {
    /// Makes a cursor over the children of `node`, which has to be a match of `rule`.
    pub(super) fn of(node: Node<'t>, rule: Rule) -> Self {
        debug_assert_eq!(node.as_rule(), rule);
        Self { pairs: node.into_inner(), ahead: None }
    }

    /// Returns the rule of the next child.
    fn peek(&mut self) -> Option<Rule> {
        if self.ahead.is_none() {
            self.ahead = self.next();
        }
        self.ahead.as_ref().map(Node::as_rule)
    }

    /// Returns the next child if it is a match of `rule`.
    pub(super) fn opt(&mut self, rule: Rule) -> Option<Node<'t>> {
        if self.peek() == Some(rule) { self.ahead.take() } else { None }
    }

    /// Tells whether no child is left.
    pub(super) fn pairs_are_done(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Returns the next child, which the grammar makes sure is there.
    pub(super) fn must(&mut self) -> Node<'t> {
        self.next().expect("the grammar does not match without this child")
    }

    /// Returns how many are left; comments count, so there may be fewer.
    pub(super) fn most(&self) -> usize {
        self.pairs.len() + usize::from(self.ahead.is_some())
    }

    /// Lowers all that are left, into a list that is as long as they are: a fifth of a parse went into lists that grew.
    pub(super) fn all<T>(self, lower: impl FnMut(Node<'t>) -> T) -> Vec<T> {
        let mut list = Vec::with_capacity(self.most());
        list.extend(self.map(lower));
        list
    }

    /// As [`Children::all`], without those that stand for nothing.
    pub(super) fn some<T>(self, lower: impl FnMut(Node<'t>) -> Option<T>) -> Vec<T> {
        let mut list = Vec::with_capacity(self.most());
        list.extend(self.filter_map(lower));
        list
    }
}

impl<'t> Iterator for Children<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        self.ahead.take().or_else(|| self.pairs.by_ref().find(|pair| pair.as_rule() != Rule::remark))
    }
}
