//! The pest parser of one declaration, and a cursor over what it finds. Nothing outside `syntax` sees either.

use std::iter::Peekable;

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
    pairs: Peekable<Pairs<'t, Rule>>,
}

impl<'t> Children<'t> {
    /// Makes a cursor over the children of `node`, which has to be a match of `rule`.
    pub(super) fn of(node: Node<'t>, rule: Rule) -> Self {
        debug_assert_eq!(node.as_rule(), rule);
        Self { pairs: node.into_inner().peekable() }
    }

    fn skip_comments(&mut self) {
        while self.pairs.next_if(|pair| pair.as_rule() == Rule::comment).is_some() {}
    }

    /// Returns the next child if it is a match of `rule`.
    pub(super) fn opt(&mut self, rule: Rule) -> Option<Node<'t>> {
        self.skip_comments();
        self.pairs.next_if(|pair| pair.as_rule() == rule)
    }

    /// Returns the next child, which the grammar makes sure is there.
    pub(super) fn must(&mut self) -> Node<'t> {
        self.next().expect("the grammar does not match without this child")
    }
}

impl<'t> Iterator for Children<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        self.skip_comments();
        self.pairs.next()
    }
}

impl Children<'_> {
    /// Tells whether no child is left.
    pub(super) fn pairs_are_done(&mut self) -> bool {
        self.skip_comments();
        self.pairs.peek().is_none()
    }
}
