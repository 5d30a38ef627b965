//! What the whole pass shares: the scope, the diagnostics, the model as far as it stands.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::legs::{Family, Variables};
use crate::diagnostic::{Code, Diagnostic, codes, nearest};
use crate::model::{Input, MetricsId, Model, NodeId, OutputId, ParamId, RegistryId, RuntimeId, SecretId, SourceId};
use crate::modules::Scopes;
use crate::source::{FileId, Sources, Span, Spanned};
use crate::syntax::ast;
use crate::types::{Type, Value};

/// What a name of the file stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decl {
    Const(usize),
    Param(ParamId),
    Secret(SecretId),
    Runtime(RuntimeId),
    Metrics(MetricsId),
    Schema(usize),
    Source(SourceId),
    Registry(RegistryId),
    Profile(usize),
    Node(NodeId),
    /// A declaration with a loop: an index into the families.
    Family(usize),
    /// A node that has no row yet, by the word that declares it.
    Pending(&'static str),
    Credential(usize),
    Notify(usize),
    Monitor(usize),
    /// Declared by what is not in this version yet.
    Later,
}

/// A constant: evaluated when it is first asked for.
#[derive(Clone)]
pub(super) struct Const<'a> {
    pub(super) item: &'a ast::Const,
    pub(super) value: ConstValue,
}

/// How far a constant is.
#[derive(Clone)]
pub(super) enum ConstValue {
    Unread,
    Reading,
    Known(Value, Type),
    Broken,
}

/// So many of the names that stand for nothing are compared with those that are declared: nobody reads more of them, and
/// looking for the nearest of many is not free.
const COMPARED: usize = 60;

/// A name that stands for nothing: what it was to be.
pub(super) struct Stranger {
    name: ast::Name,
    wanted: Wanted,
    unread: Option<Unread>,
}

/// What is said of a name that is like no other, where it may be an input that was forgotten.
pub(super) struct Unread {
    pub(super) message: String,
    pub(super) place: Span,
    /// The inputs that there are.
    pub(super) inputs: Vec<Input>,
}

/// The pass's state.
pub(super) struct Cx<'a> {
    pub(super) sources: &'a Sources,
    /// What is known so far. Two that finish stages side by side see the same, and write nothing to it.
    pub(super) model: Cow<'a, Model>,
    pub(super) consts: Vec<Const<'a>>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Depth of constants that are being read, against endless chains.
    pub(super) depth: usize,
    /// Declarations with loops.
    pub(super) families: Vec<Family>,
    /// How many legs there are in all, and how many edges lists of them make.
    pub(super) legs: usize,
    pub(super) listed: usize,
    /// Values of stages that the command at hand mentions.
    pub(super) values_read: Vec<(OutputId, Span)>,
    /// Where something asked for an output of a stage that has none in the model, or not yet.
    pub(super) undrafted: Option<Span>,
    /// The loop variables of the leg that is being resolved.
    pub(super) variables: Variables,
    pub(super) scope: HashMap<&'a str, (Decl, Span)>,
    pub(super) mentioned: HashSet<String>,
    pub(super) hidden: HashSet<&'a str>,
    pub(super) scopes: &'a Scopes,
    /// By place: what is compared with all that is declared at the end, when it is known which diagnostics come first.
    pub(super) strangers: HashMap<Span, Stranger>,
    /// What the name that is looked up may be.
    pub(super) unread: Option<Unread>,
}

impl<'a> Cx<'a> {
    pub(super) fn new(sources: &'a Sources, hidden: HashSet<&'a str>, scopes: &'a Scopes) -> Self {
        Self {
            sources,
            model: Cow::Owned(Model::default()),
            consts: Vec::new(),
            diagnostics: Vec::new(),
            depth: 0,
            families: Vec::new(),
            legs: 0,
            listed: 0,
            values_read: Vec::new(),
            undrafted: None,
            variables: Variables::default(),
            scope: HashMap::new(),
            mentioned: HashSet::new(),
            hidden,
            scopes,
            strangers: HashMap::new(),
            unread: None,
        }
    }

    /// Reports; returns none, so that a caller can leave with it.
    pub(super) fn report<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.diagnostics.push(diagnostic);
        None
    }

    /// Reports a code with a message at a place, and help.
    pub(super) fn error<T>(&mut self, code: Code, span: Span, message: impl Into<String>, help: &str) -> Option<T> {
        let diagnostic = Diagnostic::new(code, span, message);
        self.report(if help.is_empty() { diagnostic } else { diagnostic.help(help) })
    }

    /// Brings a name into the scope, or says that it is taken.
    pub(super) fn declare(&mut self, name: &'a ast::Name, decl: Decl) {
        if let Some(&(_, first)) = self.scope.get(name.as_str()) {
            let message = format!("`{}` is declared twice", name.text);
            let diagnostic = Diagnostic::new(codes::DUPLICATE_NAME, name.span, message)
                .here("declared again here")
                .label(first, "first declared here")
                .help("rename one of them: a file's declarations share one namespace");
            self.diagnostics.push(diagnostic);
            return;
        }
        self.scope.insert(name.as_str(), (decl, name.span));
    }

    /// Says what a name stands for, now that it is known; a name that is taken keeps what it stood for.
    pub(super) fn settle(&mut self, name: &'a ast::Name, decl: Decl) {
        if let Some((known, place)) = self.scope.get_mut(name.as_str())
            && *place == name.span
        {
            *known = decl;
        }
    }

    /// Returns what a name stands for, and counts it as used.
    pub(super) fn find(&mut self, name: &str) -> Option<Decl> {
        let &(decl, _) = self.scope.get(name)?;
        self.mention(name);
        Some(decl)
    }

    /// Returns what a name stands for without counting it as used.
    pub(super) fn peek(&self, name: &str) -> Option<(Decl, Span)> {
        self.scope.get(name).copied()
    }

    /// Returns what a name stands for where it is written, without counting it as used: what another file declares
    /// is seen where it is listed.
    pub(super) fn seen(&self, name: &ast::Name) -> Option<(Decl, Span)> {
        self.peek(&name.text).filter(|(_, place)| self.scopes.sees(name.span.file, &name.text, place.file))
    }

    /// Returns the names that may be written in a file, with what they stand for.
    fn names_in(&self, file: FileId) -> impl Iterator<Item = (&'a str, Decl)> {
        let seen = self.scope.iter().filter(move |(name, (_, place))| self.scopes.sees(file, name, place.file));
        seen.map(|(name, (decl, _))| (*name, *decl))
    }

    /// Returns what a name stands for, or says that it stands for nothing.
    pub(super) fn look_up(&mut self, name: &ast::Name, wanted: Wanted) -> Option<Decl> {
        let seen = self.seen(name).and_then(|_| self.find(&name.text));
        match seen {
            Some(Decl::Later) => None,
            Some(Decl::Const(index)) if matches!(self.consts[index].value, ConstValue::Broken) => None,
            Some(decl) => Some(decl),
            None => {
                self.unknown(name, wanted);
                None
            }
        }
    }

    /// Says that a name stands for nothing, unless it may be declared where the text could not be read. What is like it is
    /// looked for at the end.
    pub(super) fn unknown(&mut self, name: &ast::Name, wanted: Wanted) {
        let unread = self.unread.take().filter(|unread| unread.place == name.span);
        if self.hidden.contains(name.as_str()) || self.scopes.lost.contains(name.as_str()) {
            return;
        }
        if let Some((_, place)) = self.peek(&name.text) {
            let sources = self.sources;
            let module = sources.file(place.file).name();
            let message = format!("no {} `{}` here", wanted.word(), name.text);
            let diagnostic = Diagnostic::new(codes::UNKNOWN_NAME, name.span, message)
                .here("another file declares it, and this one does not list it")
                .label(place, "declared here")
                .help(format!("list it: in `use` of `{module}`, `{{ …, {} }}`", name.text));
            self.diagnostics.push(diagnostic);
            return;
        }
        let stranger = Stranger { name: name.clone(), wanted, unread };
        self.diagnostics.push(Diagnostic::new(codes::UNKNOWN_NAME, name.span, stranger.message()));
        self.strangers.entry(name.span).or_insert(stranger);
    }

    /// Says of the first names that stand for nothing what is like them. Which are the first depends on the file alone, and not
    /// on how many threads read it.
    pub(super) fn compare_strangers(&mut self) {
        let mut diagnostics = std::mem::take(&mut self.diagnostics);
        let strangers = std::mem::take(&mut self.strangers);
        let mut left = COMPARED;
        for diagnostic in &mut diagnostics {
            if left == 0 {
                break;
            }
            if diagnostic.code == codes::UNKNOWN_NAME
                && let Some(stranger) = strangers.get(&diagnostic.span())
                && diagnostic.message == stranger.message()
            {
                *diagnostic = self.compared(stranger);
                left -= 1;
            }
        }
        self.diagnostics = diagnostics;
    }

    fn compared(&mut self, stranger: &Stranger) -> Diagnostic {
        let Stranger { name, wanted, unread } = stranger;
        let (wanted, file) = (*wanted, name.span.file);
        if wanted == Wanted::Value && matches!(name.as_str(), "None" | "none" | "null" | "nil") {
            let help = "what may be absent has `?` behind its type and no default: `param NAME: string?`";
            return Diagnostic::new(codes::UNKNOWN_NAME, name.span, stranger.message()).help(help);
        }
        let fits = self.names_in(file).filter(|(_, decl)| wanted.is(*decl)).map(|(name, _)| name);
        let mut names: Vec<&str> = fits.collect();
        names.sort_unstable();
        let near = nearest(&name.text, names.iter().copied())
            .or_else(|| {
                let mut all: Vec<&str> = self.names_in(file).map(|(name, _)| name).collect();
                all.sort_unstable();
                nearest(&name.text, all)
            })
            .map(str::to_owned);
        if let (None, Some(unread)) = (&near, unread)
            && let Some(help) = self.model.forgotten_input(&unread.inputs, unread.place, &name.text)
        {
            return Diagnostic::new(codes::UNKNOWN_NAME, unread.place, unread.message.clone()).help(help);
        }
        let mut diagnostic =
            Diagnostic::new(codes::UNKNOWN_NAME, name.span, stranger.message()).here("nothing declares it");
        if let Some(near) = near {
            let (_, place) = self.scope[near.as_str()];
            let fits = names.contains(&near.as_str());
            let rivals = self.names_in(file).filter(|(_, decl)| !fits || wanted.is(*decl)).map(|(name, _)| name);
            diagnostic = diagnostic
                .label(place, format!("`{near}` is declared here"))
                .help(format!("did you mean `{near}`?"))
                .fix_near(name.span, &name.text, &near, rivals);
            // One slip, one message: what is meant is not called unused.
            self.mention(&near);
        } else if wanted == Wanted::Source {
            // What such a source would measure is not called unused, and the other sources are data.
            let types = self.names_in(file).filter(|(_, decl)| matches!(decl, Decl::Metrics(_)));
            let types: Vec<String> = types.map(|(name, _)| name.to_owned()).collect();
            types.iter().for_each(|name| self.mention(name));
            diagnostic = diagnostic.help(format!("declare it: `{}`", wanted.example().replace("NAME", &name.text)));
        } else if !names.is_empty() && names.len() <= 6 {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            diagnostic = diagnostic.help(format!("declared are {}", names.join(", ")));
        } else if !wanted.example().is_empty() {
            let plain = name.text.to_lowercase();
            let example = wanted.example();
            diagnostic = diagnostic.help(if plain != name.text && example.starts_with("secret") {
                format!("declare `secret {plain}`, and write `secret {plain} as \"{}\"` here", name.text)
            } else {
                format!("declare it: `{}`", example.replace("NAME", &name.text))
            });
        }
        diagnostic
    }

    /// Says that a name stands for a thing of another kind.
    pub(super) fn wrong_kind<T>(&mut self, name: &ast::Name, decl: Decl, wanted: Wanted) -> Option<T> {
        let message =
            format!("`{}` is {}, not {}", name.text, with_article(decl.word(self)), with_article(wanted.word()));
        let mut diagnostic = Diagnostic::new(codes::WRONG_KIND, name.span, message);
        if let Some((_, place)) = self.peek(&name.text) {
            diagnostic = diagnostic.label(place, "declared here");
        }
        self.report(diagnostic)
    }

    /// Counts a name as used.
    pub(super) fn mention(&mut self, name: &str) {
        if !self.mentioned.contains(name) {
            self.mentioned.insert(name.to_owned());
        }
    }

    /// Counts every word of a piece of text as used.
    pub(super) fn mention_words(&mut self, span: Span) {
        let sources = self.sources;
        for word in words(sources.slice(span)) {
            self.mention(word);
        }
    }

    /// Tells whether something used the name.
    pub(super) fn is_mentioned(&self, name: &str) -> bool {
        self.mentioned.contains(name) || self.hidden.contains(name)
    }

    /// Returns a name as the model keeps it.
    pub(super) fn own(name: &ast::Name) -> Spanned<String> {
        Spanned::new(name.text.clone(), name.span)
    }

    /// Checks how a name is spelt: `snake_case`, or `CamelCase` for types.
    pub(super) fn spelling(&mut self, name: &ast::Name, camel: bool) {
        let text = name.as_str();
        if matches!(text, "true" | "false" | "and" | "or" | "not") {
            let message = format!("`{text}` is a word of the language and can't be a name");
            self.diagnostics
                .push(Diagnostic::new(codes::RESERVED_NAME, name.span, message).help("choose another name"));
            return;
        }
        let mut chars = text.chars();
        let first = chars.next().is_some_and(|c| if camel { c.is_ascii_uppercase() } else { c.is_ascii_lowercase() });
        let rest = chars.all(|c| {
            c.is_ascii_digit() || c.is_ascii_lowercase() || if camel { c.is_ascii_uppercase() } else { c == '_' }
        });
        if first && rest {
            return;
        }
        let better = if camel { camel_case(text) } else { snake_case(text) };
        let (kind, pattern) = if camel { ("types", "[A-Z][A-Za-z0-9]*") } else { ("names", "[a-z][a-z0-9_]*") };
        let mut diagnostic =
            Diagnostic::new(codes::BAD_NAME, name.span, format!("`{text}` is not spelt as {kind} are: `{pattern}`"));
        if !better.is_empty() && better != text {
            diagnostic = diagnostic.help(format!("write `{better}`"));
        }
        self.diagnostics.push(diagnostic);
    }
}

impl Stranger {
    fn message(&self) -> String {
        format!("no {} `{}`", self.wanted.word(), self.name.text)
    }
}

fn with_article(word: &str) -> String {
    format!("{} {word}", if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" })
}

/// Returns the words of a text: what could be names.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

fn snake_case(text: &str) -> String {
    let mut snake = String::new();
    for c in text.chars() {
        match c {
            'A'..='Z' => {
                if !snake.is_empty() && !snake.ends_with('_') {
                    snake.push('_');
                }
                snake.push(c.to_ascii_lowercase());
            }
            'a'..='z' | '_' => snake.push(c),
            '0'..='9' if !snake.is_empty() => snake.push(c),
            _ => {}
        }
    }
    snake.trim_matches('_').to_owned()
}

fn camel_case(text: &str) -> String {
    let mut camel = String::new();
    let mut upper = true;
    for c in text.chars() {
        match c {
            '_' => upper = true,
            'a'..='z' | 'A'..='Z' => {
                camel.push(if upper { c.to_ascii_uppercase() } else { c });
                upper = false;
            }
            '0'..='9' if !camel.is_empty() => camel.push(c),
            _ => {}
        }
    }
    camel
}

/// The kind of thing that a name has to stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Value,
    Param,
    Secret,
    Runtime,
    Metrics,
    Schema,
    Artifact,
    Stage,
    Registry,
    Profile,
    Node,
    Gate,
    Approval,
    Release,
    Setting,
    Source,
    Credential,
    Notify,
}

impl Wanted {
    fn word(self) -> &'static str {
        match self {
            Self::Value => "constant or parameter",
            Self::Param => "parameter",
            Self::Secret => "secret",
            Self::Runtime => "runtime",
            Self::Metrics => "metrics type",
            Self::Schema => "schema",
            Self::Artifact => "source or stage",
            Self::Stage => "stage",
            Self::Registry => "registry",
            Self::Profile => "profile",
            Self::Node => "stage, gate, approval, release, rollout or action",
            Self::Gate => "gate",
            Self::Approval => "approval",
            Self::Release => "release",
            Self::Setting => "parameter, source or registry",
            Self::Source => "source",
            Self::Credential => "credential",
            Self::Notify => "notification",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Param | Self::Value => "param NAME: int = 1",
            Self::Secret => "secret NAME",
            Self::Runtime => "runtime NAME { python: \"3.11\" }",
            Self::Metrics => "metrics NAME { accuracy: ratio higher }",
            Self::Artifact => "source NAME: File = \"data/NAME\"",
            Self::Source => "source NAME: Metrics<Live> = prometheus(\"http://metrics:9090\")",
            Self::Registry => "registry NAME = directory(\"registry\")",
            Self::Profile => "profile NAME { set … }",
            Self::Credential => "credential NAME = oidc(\"aws\", role: \"…\", region: \"…\")",
            Self::Notify => "notify NAME { slack: SECRET }",
            Self::Approval => "approval NAME of STAGE.MODEL { by: [\"login\"], timeout: 24h }",
            Self::Release => "register NAME = STAGE.MODEL to REGISTRY",
            Self::Schema | Self::Stage | Self::Node | Self::Gate | Self::Setting => "",
        }
    }

    fn is(self, decl: Decl) -> bool {
        match self {
            Self::Value => matches!(decl, Decl::Const(_) | Decl::Param(_)),
            Self::Param => matches!(decl, Decl::Param(_)),
            Self::Secret => matches!(decl, Decl::Secret(_)),
            Self::Runtime => matches!(decl, Decl::Runtime(_)),
            Self::Metrics => matches!(decl, Decl::Metrics(_)),
            Self::Schema => matches!(decl, Decl::Schema(_)),
            Self::Artifact => matches!(decl, Decl::Source(_) | Decl::Node(_) | Decl::Family(_)),
            Self::Stage | Self::Node | Self::Gate | Self::Approval | Self::Release => {
                matches!(decl, Decl::Node(_) | Decl::Family(_))
            }
            Self::Registry => matches!(decl, Decl::Registry(_)),
            Self::Profile => matches!(decl, Decl::Profile(_)),
            Self::Source => matches!(decl, Decl::Source(_)),
            Self::Credential => matches!(decl, Decl::Credential(_)),
            Self::Notify => matches!(decl, Decl::Notify(_)),
            Self::Setting => matches!(decl, Decl::Param(_) | Decl::Source(_) | Decl::Registry(_)),
        }
    }
}

impl Decl {
    /// Returns the word for the kind of thing.
    pub(super) fn word(self, cx: &Cx<'_>) -> &'static str {
        match self {
            Self::Const(_) => "constant",
            Self::Param(_) => "parameter",
            Self::Secret(_) => "secret",
            Self::Runtime(_) => "runtime",
            Self::Metrics(_) => "metrics type",
            Self::Schema(_) => "schema",
            Self::Source(_) => "source",
            Self::Registry(_) => "registry",
            Self::Profile(_) => "profile",
            Self::Node(id) => cx.model.nodes[id].keyword,
            Self::Family(family) => cx.families[family].keyword,
            Self::Pending(keyword) => keyword,
            Self::Credential(_) => "credential",
            Self::Notify(_) => "notification",
            Self::Monitor(_) => "monitor",
            Self::Later => "declaration",
        }
    }
}
