//! Brings what a file takes from modules, `use "FILE" { names }`, into one tree: the listed declarations and what these
//! mention where they stand. Nothing is renamed; who may mention what is kept beside the tree.
//!
//! Pure: the host reads the files and keeps them by [`place`]; what names mean is for those behind.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::source::{FileId, Sources, Span};
use crate::syntax::{self, ast};

/// How many modules may stand in each other.
const DEPTH: usize = 64;

/// Who may mention what: a file its own names and those that it lists.
#[derive(Debug, Clone, Default)]
pub struct Scopes {
    taken: BTreeMap<FileId, BTreeMap<String, Span>>,
    /// Modules whose text could not be read wholly.
    pub torn: Vec<FileId>,
    /// Listed names that nothing could be found for, and why has been said.
    pub lost: BTreeSet<String>,
}

impl Scopes {
    /// Tells whether a name that `place` declares may be mentioned in `file`.
    #[must_use]
    pub fn sees(&self, file: FileId, name: &str, place: FileId) -> bool {
        file == place || self.taken.get(&file).is_some_and(|taken| taken.contains_key(name))
    }

    /// Iterates over the files that are part of the pipeline beside its own.
    pub fn modules(&self) -> impl Iterator<Item = FileId> {
        self.taken.keys().copied()
    }
}

/// A file with what it takes from others.
#[derive(Debug)]
pub struct Linked<'a> {
    /// The file's declarations, and behind them those of modules.
    pub file: Cow<'a, ast::File>,
    /// Who may mention what.
    pub scopes: Scopes,
    /// What is wrong with the modules' texts.
    pub unreadable: Vec<Diagnostic>,
    /// What is wrong with how they are used.
    pub diagnostics: Vec<Diagnostic>,
}

/// Tells whether a file is a module: it declares something, and nothing that only a pipeline has.
#[must_use]
pub fn is_module(file: &ast::File) -> bool {
    file.items.iter().any(|item| item.name().is_some()) && file.items.iter().all(|item| of_pipeline(item).is_none())
}

/// Returns the name under which a module's text is kept: its path, relative as the path of `from` is. `None` where it
/// has no place below any folder.
#[must_use]
pub fn place(from: &str, path: &str) -> Option<String> {
    if path.is_empty() || path.starts_with('/') {
        return None;
    }
    let (folder, _) = from.rsplit_once('/').map_or(("", from), |(folder, name)| (folder, name));
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if folder.starts_with('/') => return None,
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    Some(format!("{}{}", if folder.starts_with('/') || from.starts_with('/') { "/" } else { "" }, parts.join("/")))
}

/// Tells whether a module lies in the folder of the pipeline's file.
#[must_use]
pub fn is_inside(pipeline: &str, module: &str) -> bool {
    // The folder's own name is brought into the same form.
    match place(pipeline, "x").as_deref().and_then(|beside| beside.strip_suffix('x').map(str::to_owned)) {
        Some(folder) if folder.is_empty() => !module.starts_with("../"),
        Some(folder) => module.strip_prefix(&folder).is_some_and(|rest| !rest.starts_with("../")),
        None => false,
    }
}

/// Joins a file and its modules.
#[must_use]
pub fn link<'a>(sources: &Sources, file: &'a ast::File) -> Linked<'a> {
    if !file.items.iter().any(|item| matches!(item.kind, ast::ItemKind::Use(_))) {
        return Linked {
            file: Cow::Borrowed(file),
            scopes: Scopes::default(),
            unreadable: Vec::new(),
            diagnostics: Vec::new(),
        };
    }
    let mut linker = Linker {
        sources,
        root: file.span.file,
        alone: is_module(file),
        units: Vec::new(),
        by_file: HashMap::new(),
        stack: Vec::new(),
        scopes: Scopes::default(),
        unreadable: Vec::new(),
        diagnostics: Vec::new(),
    };
    linker.visit(Cow::Borrowed(file), &[]);
    linker.unused();
    let items = linker.come_along();
    let file = ast::File { items, span: file.span };
    for unit in &linker.units {
        let taken = unit.taken.iter().map(|(name, (_, span))| (name.clone(), *span)).collect();
        linker.scopes.taken.insert(unit.file.span.file, taken);
    }
    Linked {
        file: Cow::Owned(file),
        scopes: linker.scopes,
        unreadable: linker.unreadable,
        diagnostics: linker.diagnostics,
    }
}

/// One file of the pipeline.
struct Unit<'a> {
    file: Cow<'a, ast::File>,
    /// Its own declarations.
    items: BTreeMap<String, usize>,
    /// What it takes: from which unit, and where that is written.
    taken: BTreeMap<String, (usize, Span)>,
}

struct Linker<'s, 'a> {
    sources: &'s Sources,
    root: FileId,
    /// The root is a module itself: it may lie anywhere in its pipeline.
    alone: bool,
    units: Vec<Unit<'a>>,
    by_file: HashMap<FileId, usize>,
    /// The files that are being visited, each with the place that asks for the next.
    stack: Vec<(FileId, Span)>,
    scopes: Scopes,
    unreadable: Vec<Diagnostic>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Linker<'_, 'a> {
    fn name(&self, file: FileId) -> &str {
        self.sources.file(file).name()
    }

    /// Takes in a file and, before it returns, all that this one takes from others. `broken` are the names of
    /// declarations that could not be read.
    fn visit(&mut self, file: Cow<'a, ast::File>, broken: &[ast::Name]) -> usize {
        let id = file.span.file;
        let unit = self.units.len();
        let mut items = BTreeMap::new();
        for (index, item) in file.items.iter().enumerate() {
            if let Some(name) = item.name() {
                items.entry(name.text.clone()).or_insert(index);
            }
        }
        let uses: Vec<ast::Use> = file.items.iter().filter_map(as_use).cloned().collect();
        self.by_file.insert(id, unit);
        self.units.push(Unit { file, items, taken: BTreeMap::new() });
        self.scopes.lost.extend(broken.iter().map(|name| name.text.clone()));
        for it in &uses {
            self.stack.push((id, it.file.span));
            let target = self.module(it);
            self.stack.pop();
            for name in &it.names {
                self.take(unit, target, name, it);
            }
        }
        unit
    }

    /// Finds a module and takes it in; what is wrong with it is said.
    fn module(&mut self, it: &ast::Use) -> Option<usize> {
        let (from, span) = (it.file.span.file, it.file.span);
        let Some(path) = it.file.plain() else {
            let message = "a module's path is a text without `{…}`";
            return self.say(Diagnostic::new(codes::NOT_CONSTANT, span, message).help("write the path itself"));
        };
        let name = place(self.name(from), path);
        let inside = |name: &String| self.alone || is_inside(self.name(self.root), name);
        let Some(name) = name.filter(inside) else {
            let message = format!("`{path}` lies outside of the workspace, the folder of the pipeline's file");
            let help = "move the module into the workspace; a path is relative to the file that it is written in";
            return self.say(Diagnostic::new(codes::PATH_OUTSIDE, span, message).help(help));
        };
        let Some(file) = self.sources.named(&name) else { return self.missing(span, &name, path) };
        if let Some(first) = self.stack.iter().position(|(open, _)| *open == file) {
            return self.cycle(first, file);
        }
        if let Some(&known) = self.by_file.get(&file) {
            return Some(known);
        }
        if self.stack.len() > DEPTH {
            let message = format!("more than {DEPTH} modules use each other");
            return self.say(
                Diagnostic::new(codes::NESTING_TOO_DEEP, span, message)
                    .help("list the names from where they are declared"),
            );
        }
        let parsed = syntax::parse(file, self.sources.file(file).text());
        if parsed.diagnostics.iter().any(Diagnostic::is_error) {
            self.scopes.torn.push(file);
        }
        self.unreadable.extend(parsed.diagnostics);
        self.only_modules(&parsed.file, span);
        Some(self.visit(Cow::Owned(parsed.file), &parsed.broken))
    }

    fn missing(&mut self, span: Span, name: &str, path: &str) -> Option<usize> {
        let unread = self.sources.unread(name);
        let diagnostic = match unread.and_then(|unread| unread.why.as_ref()) {
            Some(why) => {
                Diagnostic::new(codes::UNKNOWN_MODULE, span, format!("the module `{path}` can't be read: {why}"))
            }
            None => {
                let message = format!("no file `{name}`");
                let diagnostic =
                    Diagnostic::new(codes::UNKNOWN_MODULE, span, message).here("this module does not exist");
                let beside = unread.map(|unread| unread.beside.as_slice()).unwrap_or_default();
                match nearest(path, beside.iter().map(String::as_str)) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None if !beside.is_empty() && beside.len() <= 6 => {
                        diagnostic.help(format!("there are `{}`", beside.join("`, `")))
                    }
                    None => diagnostic.help("a path is relative to the file that it is written in"),
                }
            }
        };
        self.say(diagnostic)
    }

    fn cycle(&mut self, first: usize, file: FileId) -> Option<usize> {
        let ring = &self.stack[first..];
        let mut names: Vec<String> = ring.iter().map(|(file, _)| format!("`{}`", self.name(*file))).collect();
        names.push(format!("`{}`", self.name(file)));
        let span = ring[ring.len() - 1].1;
        let message = format!("modules use each other in a ring: {}", names.join(" → "));
        let mut diagnostic = Diagnostic::new(codes::CYCLE, span, message).here("this closes the ring");
        for (_, place) in &ring[..ring.len() - 1] {
            diagnostic = diagnostic.label(*place, "used here");
        }
        self.say(diagnostic.help("move what both need into a module of its own"))
    }

    /// Says what a module may not have.
    fn only_modules(&mut self, file: &ast::File, used: Span) {
        for item in &file.items {
            if let ast::ItemKind::Edition(edition) = &item.kind
                && self.sources.slice(edition.year.span) != "2026"
            {
                let message = "this version of mlpc reads edition 2026";
                let diagnostic = Diagnostic::new(codes::OUT_OF_RANGE, edition.year.span, message);
                self.diagnostics.push(diagnostic.help("write `edition 2026`, or leave the line out of a module"));
            }
            let Some(word) = of_pipeline(item) else { continue };
            let span = Span { end: item.span.start + word.len() as u32, ..item.span };
            let message = format!("a module has no `{word}`");
            let help = match word {
                "pipeline" => "a file with this line is a pipeline of its own; move what is shared into a module",
                _ => "write it into the pipeline's file",
            };
            let diagnostic = Diagnostic::new(codes::MISPLACED_CLAUSE, span, message);
            self.diagnostics.push(diagnostic.label(used, "used as a module here").help(help));
        }
    }

    /// Brings a listed name into a file.
    fn take(&mut self, unit: usize, target: Option<usize>, name: &ast::Name, it: &ast::Use) {
        let here = &self.units[unit];
        if let Some(&(_, first)) = here.taken.get(&name.text) {
            let message = format!("`{}` is listed twice", name.text);
            let diagnostic = Diagnostic::new(codes::DUPLICATE_NAME, name.span, message).here("listed again here");
            self.diagnostics.push(diagnostic.label(first, "first listed here").help("keep one"));
            return;
        }
        let own = here.items.get(&name.text).and_then(|&index| here.file.items[index].name()).map(|own| own.span);
        let Some(target) = target else {
            self.scopes.lost.insert(name.text.clone());
            return;
        };
        let there = &self.units[target];
        let declared = there.items.get(&name.text).and_then(|&index| there.file.items[index].name());
        let Some(declared) = declared else {
            self.not_declared(target, name, it);
            return;
        };
        if let Some(own) = own {
            let message = format!("`{}` is taken from a module, and declared here", name.text);
            let diagnostic = Diagnostic::new(codes::DUPLICATE_NAME, name.span, message)
                .here("taken from the module here")
                .label(own, "declared here")
                .label(declared.span, "declared in the module here")
                .help("rename one of them: what is listed is as if it were declared here");
            self.scopes.lost.insert(name.text.clone());
            self.diagnostics.push(diagnostic);
            return;
        }
        self.units[unit].taken.insert(name.text.clone(), (target, name.span));
    }

    fn not_declared(&mut self, target: usize, name: &ast::Name, it: &ast::Use) {
        self.scopes.lost.insert(name.text.clone());
        let there = &self.units[target];
        let file = there.file.span.file;
        if self.scopes.torn.contains(&file) {
            return;
        }
        let message = format!("`{}` declares no `{}`", self.name(file), name.text);
        let mut diagnostic = Diagnostic::new(codes::UNKNOWN_NAME, name.span, message);
        let names: Vec<&str> = there.items.keys().map(String::as_str).collect();
        if let Some(&(origin, place)) = there.taken.get(&name.text) {
            let origin = self.name(self.units[origin].file.span.file);
            diagnostic = diagnostic
                .label(place, "taken from another module here")
                .help(format!("take it from where it is declared: `{origin}`"));
        } else if let Some(near) = nearest(&name.text, names.iter().copied()) {
            if let Some(place) = there.items.get(near).and_then(|&index| there.file.items[index].name()) {
                diagnostic = diagnostic.label(place.span, format!("`{near}` is declared here"));
            }
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
            if !it.names.iter().any(|listed| listed.text == near) {
                diagnostic = diagnostic.fix_near(name.span, &name.text, near, names.iter().copied());
            }
        } else if !names.is_empty() && names.len() <= 6 {
            diagnostic = diagnostic.help(format!("it declares `{}`", names.join("`, `")));
        }
        self.diagnostics.push(diagnostic);
    }

    /// Says which listed names the root has no use for. What runs by itself is used by being there.
    fn unused(&mut self) {
        let root = &self.units[0];
        let mut mentioned = HashSet::new();
        for item in root.file.items.iter().filter(|item| as_use(item).is_none()) {
            syntax::mentions(item, &mut |name| {
                mentioned.insert(name.as_str());
            });
        }
        let runtimes = self.runtimes(0).len();
        let mut found = Vec::new();
        for (name, (target, span)) in &root.taken {
            let there = &self.units[*target];
            let Some(&index) = there.items.get(name) else { continue };
            let word = match &there.file.items[index].kind {
                ast::ItemKind::Const(_) => "constant",
                ast::ItemKind::Param(_) => "parameter",
                ast::ItemKind::Secret(_) => "secret",
                ast::ItemKind::Runtime(_) if runtimes > 1 => "runtime",
                ast::ItemKind::Metrics(_) => "metrics type",
                ast::ItemKind::Schema(_) => "schema",
                ast::ItemKind::Source(_) => "source",
                ast::ItemKind::Registry(_) => "registry",
                ast::ItemKind::Credential(_) => "credential",
                _ => continue,
            };
            // What is misspelt where it is used has its message.
            let meant = || nearest(name, mentioned.iter().copied()).is_some();
            if !mentioned.contains(name.as_str()) && !meant() && root.file.items.iter().all(|item| !item.incomplete) {
                let message = format!("nothing here uses the {word} `{name}`");
                let help = "remove it from the list: what listed declarations need themselves comes along unlisted";
                found.push(Diagnostic::new(codes::UNUSED_NAME, *span, message).help(help));
            }
        }
        self.diagnostics.extend(found);
    }

    /// Returns the runtimes that a file's stages may mean: its own and those that it lists.
    fn runtimes(&self, unit: usize) -> Vec<(usize, usize)> {
        let here = &self.units[unit];
        let own = here.items.values().map(|&index| (unit, index));
        let listed =
            here.taken.iter().filter_map(|(name, (from, _))| Some((*from, *self.units[*from].items.get(name)?)));
        let is_runtime = |&(unit, index): &(usize, usize)| {
            matches!(self.units[unit].file.items[index].kind, ast::ItemKind::Runtime(_))
        };
        own.chain(listed).filter(is_runtime).collect()
    }

    /// Returns the root's declarations and those of modules that these need, in the order in which they stand.
    fn come_along(&mut self) -> Vec<ast::Item> {
        let listed = self.units[0].taken.iter();
        let mut ask: Vec<(usize, usize)> =
            listed.filter_map(|(name, (unit, _))| Some((*unit, *self.units[*unit].items.get(name)?))).collect();
        let mut wanted = BTreeSet::new();
        while let Some((unit, index)) = ask.pop() {
            if unit == 0 || !wanted.insert((unit, index)) {
                continue;
            }
            let here = &self.units[unit];
            let item = &here.file.items[index];
            syntax::mentions(item, &mut |name| {
                if let Some(&own) = here.items.get(&name.text) {
                    ask.push((unit, own));
                } else if let Some((from, _)) = here.taken.get(&name.text) {
                    ask.extend(self.units[*from].items.get(&name.text).map(|&index| (*from, index)));
                }
            });
            // The only runtime of a file is the one of its stages, and nothing mentions it.
            if let [only] = self.runtimes(unit)[..] {
                let works = matches!(
                    item.kind,
                    ast::ItemKind::Stage(_)
                        | ast::ItemKind::Action(_)
                        | ast::ItemKind::Rollout(_)
                        | ast::ItemKind::Experiment(_)
                        | ast::ItemKind::Monitor(_)
                );
                ask.extend(works.then_some(only));
            }
        }
        let mut items = self.units[0].file.items.clone();
        let mut declared: BTreeMap<String, Span> = BTreeMap::new();
        for name in items.iter().filter_map(ast::Item::name) {
            declared.entry(name.text.clone()).or_insert(name.span);
        }
        for (unit, index) in wanted {
            let item = &self.units[unit].file.items[index];
            let Some(name) = item.name() else { continue };
            if let Some(&first) = declared.get(&name.text) {
                let message = format!("`{}` is declared in two files of this pipeline", name.text);
                let help = "rename one of them: what a listed declaration mentions comes along under its own name";
                let diagnostic = Diagnostic::new(codes::DUPLICATE_NAME, first, message).here("declared here");
                self.diagnostics.push(diagnostic.label(name.span, "comes along from here").help(help));
                self.scopes.lost.insert(name.text.clone());
                continue;
            }
            declared.insert(name.text.clone(), name.span);
            items.push(item.clone());
        }
        // What a module allows in its file holds for what came along from it.
        let allows = self.units[1..].iter().flat_map(|unit| &unit.file.items);
        items.extend(allows.filter(|item| matches!(item.kind, ast::ItemKind::Allow(_))).cloned());
        items
    }

    fn say<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.diagnostics.push(diagnostic);
        None
    }
}

fn as_use(item: &ast::Item) -> Option<&ast::Use> {
    match &item.kind {
        ast::ItemKind::Use(it) => Some(it),
        _ => None,
    }
}

/// Returns the word of a declaration that only a pipeline's file has.
fn of_pipeline(item: &ast::Item) -> Option<&'static str> {
    Some(match &item.kind {
        ast::ItemKind::Pipeline(_) => "pipeline",
        ast::ItemKind::On(_) => "on",
        ast::ItemKind::Target(_) => "target",
        ast::ItemKind::External(_) => "external",
        _ => return None,
    })
}
