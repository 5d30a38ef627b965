//! `allow CODE "REASON"`: warnings and notes that an author means to leave.
//!
//! Looks at the tree and at what was found, and knows nothing of the model: an allow is no meaning. A clause covers what
//! begins in its declaration, a declaration what begins in its file; the narrowest one that fits is the one used. What a
//! module allows in its file is called unused where the module is looked at, not where a part of it is taken.

use crate::diagnostic::{Code, Diagnostic, Severity, catalogue, codes, nearest};
use crate::source::{FileId, Sources, Span};
use crate::syntax::ast::{self, ItemKind};

/// Codes that the compiler does not give: the surroundings of a pipeline do, or a target.
const ELSEWHERE: [Code; 10] = [
    codes::RUNNER_WITHOUT_MLPC,
    codes::NOTHING_MATCHES,
    codes::NOT_OF_ITS_TYPE,
    codes::DVC_OUT_OF_REACH,
    codes::NOTHING_RUNS_IT,
    codes::APPROVER_NOT_CHECKED,
    codes::CHECKPOINT_LOST,
    codes::CRON_ON_THE_HOUR,
    codes::TRIGGER_ELSEWHERE,
    codes::POINTER_OF_TWO_PIPELINES,
];

/// The allows of a file that are in order.
#[derive(Debug, Clone, Default)]
pub struct Allows(Vec<Allowed>);

#[derive(Debug, Clone)]
struct Allowed {
    code: Code,
    /// The code as it stands there.
    name: Span,
    /// What it covers; none for the whole file.
    declaration: Option<Span>,
    /// What goes with it where it is removed.
    line: Span,
    /// All that it covers is looked at.
    whole: bool,
    used: bool,
}

impl Allows {
    /// Reads the allows of a file and says what is wrong with them.
    #[must_use]
    pub fn of(sources: &Sources, file: &ast::File) -> (Self, Vec<Diagnostic>) {
        let mut reader = Reader { sources, root: file.span.file, allows: Vec::new(), found: Vec::new() };
        for item in &file.items {
            match &item.kind {
                ItemKind::Allow(allow) => reader.add(allow, None),
                ItemKind::Stage(ast::Stage { body: ast::StageBody::Clauses(clauses), .. }) => {
                    reader.clauses(clauses, item.span);
                }
                ItemKind::Action(it) => reader.clauses(&it.clauses, item.span),
                ItemKind::Gate(it) => it.clauses.iter().for_each(|clause| {
                    if let ast::GateClause::Allow(allow) = clause {
                        reader.add(allow, Some(item.span));
                    }
                }),
                ItemKind::Rollout(it) => it.clauses.iter().for_each(|clause| {
                    if let ast::RolloutClause::Stage(clause) = clause {
                        reader.clause(clause, item.span);
                    }
                }),
                ItemKind::Monitor(it) => it.clauses.iter().for_each(|clause| {
                    if let ast::MonitorClause::Stage(clause) = clause {
                        reader.clause(clause, item.span);
                    }
                }),
                ItemKind::Experiment(it) => it.clauses.iter().for_each(|clause| {
                    if let ast::ExperimentClause::Stage(clause) = clause {
                        reader.clause(clause, item.span);
                    }
                }),
                _ => {}
            }
        }
        (Self(reader.allows), reader.found)
    }

    /// Takes away what is allowed, and remembers which allow that was.
    pub fn cover(&mut self, found: &mut Vec<Diagnostic>) {
        if !self.0.is_empty() {
            found.retain(|one| one.is_error() || !self.covers(one));
        }
    }

    fn covers(&mut self, one: &Diagnostic) -> bool {
        let span = one.span();
        let fits = |allowed: &&mut Allowed| {
            allowed.code == one.code
                && allowed.name.file == span.file
                && allowed.declaration.is_none_or(|whole| whole.start <= span.start && span.start <= whole.end)
        };
        let width = |allowed: &&mut Allowed| allowed.declaration.map_or(u32::MAX, |whole| whole.end - whole.start);
        let narrowest = self.0.iter_mut().filter(fits).min_by_key(width);
        narrowest.map(|allowed| allowed.used = true).is_some()
    }

    /// Returns what there is to say of allows that covered nothing which the compiler alone finds.
    #[must_use]
    pub fn unused(&self) -> Vec<Diagnostic> {
        self.left(|code| !ELSEWHERE.contains(&code))
    }

    /// Returns what there is to say of allows that covered nothing of what the surroundings of a pipeline tell.
    #[must_use]
    pub fn unused_around(&self) -> Vec<Diagnostic> {
        self.left(|code| [codes::NOTHING_MATCHES, codes::NOT_OF_ITS_TYPE, codes::DVC_OUT_OF_REACH].contains(&code))
    }

    fn left(&self, told: impl Fn(Code) -> bool) -> Vec<Diagnostic> {
        self.0.iter().filter(|one| one.whole && !one.used && told(one.code)).map(Allowed::unused).collect()
    }

    /// Tells whether what the surroundings tell is allowed somewhere: then the texts alone never say that all is clean.
    #[must_use]
    pub fn look_around(&self) -> bool {
        self.0.iter().any(|one| ELSEWHERE.contains(&one.code))
    }
}

impl Allowed {
    fn unused(&self) -> Diagnostic {
        let place = if self.declaration.is_some() { "declaration" } else { "file" };
        let message = format!("nothing in this {place} gives `{}`", self.code.name());
        Diagnostic::new(codes::UNUSED_ALLOW, self.name, message).help("remove the `allow`").fix(self.line, "")
    }
}

struct Reader<'s> {
    sources: &'s Sources,
    root: FileId,
    allows: Vec<Allowed>,
    found: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn clauses(&mut self, clauses: &[ast::Clause], declaration: Span) {
        clauses.iter().for_each(|clause| self.clause(clause, declaration));
    }

    fn clause(&mut self, clause: &ast::Clause, declaration: Span) {
        if let ast::StageClause::Allow(allow) = &clause.kind {
            self.add(allow, Some(declaration));
        }
    }

    fn add(&mut self, allow: &ast::Allow, declaration: Option<Span>) {
        let (name, place) = (allow.code.as_str(), allow.code.span);
        if allow.reason.plain().is_none_or(|reason| reason.trim().is_empty()) {
            let help = format!("say it as plain text: `allow {name} \"REASON\"`");
            let message = "`allow` needs a reason";
            self.found.push(Diagnostic::new(codes::MISSING_CLAUSE, allow.reason.span, message).help(help));
        }
        let Some(code) = catalogue::Code::find(name) else {
            self.unknown(name, place);
            return;
        };
        if code.severity() == Severity::Error || code == codes::UNUSED_ALLOW {
            let message = match code.severity() {
                Severity::Error => format!("`{name}` is an error, and only warnings and notes can be allowed"),
                _ => format!("`{name}` can't be allowed: it is about allows"),
            };
            let help = format!("remove the `allow`, and mend what is wrong; `mlpc explain {name}` tells how");
            self.found.push(Diagnostic::new(codes::ALLOW_OF_ERROR, place, message).help(help));
            return;
        }
        let twice = |one: &&Allowed| one.code == code && one.declaration == declaration && one.name.file == place.file;
        if let Some(first) = self.allows.iter().find(twice) {
            let again = Diagnostic::new(codes::DUPLICATE_CLAUSE, place, format!("`{name}` is allowed already"))
                .here("said again here")
                .label(first.name, "first said here")
                .help("keep one");
            self.found.push(again);
            return;
        }
        let line = self.line(allow.span);
        let whole = declaration.is_some() || place.file == self.root;
        self.allows.push(Allowed { code, name: place, declaration, line, whole, used: false });
    }

    fn unknown(&mut self, name: &str, place: Span) {
        let names = || catalogue::all().filter(|code| code.severity() != Severity::Error).map(Code::name);
        let diagnostic = Diagnostic::new(codes::UNKNOWN_NAME, place, format!("no code `{name}`"));
        self.found.push(match nearest(name, names()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix_near(place, name, near, names()),
            None => diagnostic.help("`mlpc explain` lists the codes; each message begins with its own"),
        });
    }

    /// Returns the lines of an allow where nothing else stands on them; else it with the blanks before it.
    fn line(&self, span: Span) -> Span {
        let text = self.sources.file(span.file).text();
        let (before, behind) = (&text[..span.start as usize], &text[span.end as usize..]);
        let start = before.trim_end_matches([' ', '\t']).len() as u32;
        let alone = start == 0 || before[..start as usize].ends_with('\n');
        let rest = behind.trim_start_matches([' ', '\t', '\r']);
        match rest.strip_prefix('\n') {
            Some(rest) if alone => Span { start, end: (text.len() - rest.len()) as u32, ..span },
            None if alone && rest.is_empty() => Span { start, end: text.len() as u32, ..span },
            _ if alone => span,
            _ => Span { start, ..span },
        }
    }
}
