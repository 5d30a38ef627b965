//! The graph: one task a node, every edge with the result that it wants, and a last task behind them all.

use std::collections::{BTreeSet, HashSet};

use super::model::{Arguments, Artifact, Dag, Empty, Parameter, Suspend, Task, Template, ValueFrom};
use super::raw::Additions;
use super::reads::Reads;
use super::{Context, absent, names, pod};
use crate::emit::Noted;
use crate::plan::{Node, NodeKind, Why};

/// Makes the templates: the graph first, then one a node in declaration order, then the verdict.
pub(super) fn templates(context: &Context<'_>, additions: &Additions<'_>) -> Vec<Noted<Template>> {
    let first = "the commit that every pod clones";
    let commit = Task { name: names::COMMIT.into(), template: names::COMMIT.into(), ..Task::default() };
    let mut tasks = vec![Noted::new(commit).before(first)];
    let mut templates = vec![Noted::new(pod::of_commit(context)).before(first).gap()];
    let releasing = context.plan.releasing();
    for node in &context.plan.nodes {
        let reads = context.reads(node);
        let note = note(node);
        if let NodeKind::Approval(approval) = &node.kind {
            let seconds = approval.timeout / 1_000_000_000;
            let slug = context.slug(&node.name);
            tasks.push(Noted::new(asking(context, node, reads, &releasing)).before(note.clone()).gap());
            tasks.push(Noted::new(answering(context, node, reads)));
            templates.push(Noted::new(waiting(slug, seconds, reads, context)).before(note).gap());
            templates.push(Noted::new(pod::of_answer(context, node, reads)).gap());
        } else {
            tasks.push(Noted::new(working(context, node, reads, &releasing)).before(note.clone()).gap());
            let mut template = Noted::new(pod::of_node(context, node, reads)).before(note).gap();
            let added = additions.template(node, &mut template.value);
            template.before.extend(added);
            templates.push(template);
        }
    }
    tasks.push(Noted::new(last(context)).before("the verdict: how the workflow ends").gap());
    templates.push(Noted::new(pod::of_verdict(context)).before("the verdict: how the workflow ends").gap());
    let main = Template { name: "main".into(), dag: Some(Dag { fail_fast: false, tasks }), ..Template::default() };
    templates.insert(0, Noted::new(main));
    templates
}

fn note(node: &Node) -> String {
    let doc = node.doc.as_deref().and_then(|doc| doc.lines().next());
    match doc {
        Some(doc) => format!("{} {}: {doc}", node.kind.keyword(), node.name),
        None => format!("{} {}", node.kind.keyword(), node.name),
    }
}

/// Says when a node's task does not run although all that it waits for came out as it should: it is a matter of releases,
/// and the profile does not release; or what it waits for was left out otherwise than rightly. Argo compares names of
/// profiles, which reach it as they are.
fn when(context: &Context<'_>, node: &Node, releasing: &HashSet<&str>) -> Option<String> {
    let mut terms = Vec::new();
    if releasing.contains(node.name.as_str()) {
        terms.extend(absent::quiet(context.plan).map(|profile| format!("'{}' != '{profile}'", absent::PROFILE)));
    }
    if let Some(release) = absent::passed_over(context.plan, &node.name) {
        terms.push(format!("'{{{{tasks.{}.outputs.parameters.there}}}}' != 'true'", context.slug(release)));
    }
    let no_obstacle = node.waits.iter().filter(|wait| context.absent.is_no_obstacle(node, wait));
    terms.extend(no_obstacle.map(|wait| context.absent.condition(context, node, wait)));
    let mut seen = BTreeSet::new();
    terms.retain(|term| seen.insert(term.clone()));
    (!terms.is_empty()).then(|| terms.join(" && "))
}

/// The task of a node that runs in a pod.
fn working(context: &Context<'_>, node: &Node, reads: &Reads, releasing: &HashSet<&str>) -> Task {
    let slug = context.slug(&node.name).to_owned();
    Task {
        template: slug.clone(),
        name: slug,
        depends: Some(depends(context, node)),
        when: when(context, node, releasing),
        arguments: arguments(context, reads),
    }
}

/// The task that waits for a person. Where only gates ask for it, it is skipped unless one did.
fn asking(context: &Context<'_>, node: &Node, reads: &Reads, releasing: &HashSet<&str>) -> Task {
    let mut task = working(context, node, reads, releasing);
    // What a gate may ask for is no affair of releases alone.
    if let Some(question) = absent::question(context, node) {
        task.when = Some(question);
    }
    // It is no pod: it clones nothing.
    task.arguments.artifacts.clear();
    task.arguments.parameters.retain(|parameter| parameter.name != names::COMMIT);
    task
}

/// The task that fails unless the answer was YES. Anything else, the default of a wait that ended by itself too, is NO.
fn answering(context: &Context<'_>, node: &Node, reads: &Reads) -> Task {
    let slug = context.slug(&node.name);
    let mut arguments = arguments(context, reads);
    let answer = format!("{{{{=tasks['{slug}'].outputs.parameters.approve == 'YES' ? 'YES' : 'NO'}}}}");
    arguments.parameters.push(Parameter { name: "answer".into(), value: Some(answer), ..Parameter::default() });
    let name = names::answer(slug);
    Task { template: name.clone(), name, depends: Some(format!("{slug}.Succeeded")), when: None, arguments }
}

fn waiting(slug: &str, seconds: i64, reads: &Reads, context: &Context<'_>) -> Template {
    let shown = |(node, _): (&String, &bool)| Parameter { name: context.slug(node).to_owned(), ..Parameter::default() };
    let approve = Parameter {
        name: "approve".into(),
        default: Some("NO".into()),
        one_of: vec!["NO", "YES"],
        value_from: Some(ValueFrom { path: None, supplied: Some(Empty {}), default: Some("NO") }),
        ..Parameter::default()
    };
    let offered = Parameter { value_from: None, ..approve.clone() };
    let supplied = Parameter { default: None, one_of: vec![], ..approve };
    let inputs = reads.results.iter().map(shown).chain([offered]).collect();
    Template {
        name: slug.to_owned(),
        suspend: Some(Suspend { duration: format!("{seconds}s") }),
        inputs: Arguments { parameters: inputs, artifacts: vec![] },
        outputs: Arguments { parameters: vec![supplied], artifacts: vec![] },
        ..Template::default()
    }
}

/// The digests and files that a node is given.
fn arguments(context: &Context<'_>, reads: &Reads) -> Arguments {
    // A parameter of a task that was skipped is an error to name, but not in an expression that says what then.
    let digest = |(node, optional): (&String, &bool)| {
        let task = context.task(node);
        let value = match optional {
            true => format!("{{{{=tasks['{task}']?.outputs?.parameters?.digest ?? ''}}}}"),
            false => format!("{{{{tasks.{task}.outputs.parameters.digest}}}}"),
        };
        Parameter { name: context.slug(node).to_owned(), value: Some(value), ..Parameter::default() }
    };
    let result = |(node, optional): (&String, &bool)| {
        let name = format!("{}-result", context.slug(node));
        passed(name, &context.task(node), "result", *optional)
    };
    let file = |((node, output), optional): (&(String, String), &bool)| {
        let name = pod::file_artifact(context.slug(node), output);
        passed(name, &context.task(node), &format!("file-{output}"), *optional)
    };
    let commit = format!("{{{{tasks.{0}.outputs.parameters.{0}}}}}", names::COMMIT);
    let commit = Parameter { name: names::COMMIT.into(), value: Some(commit), ..Parameter::default() };
    Arguments {
        parameters: std::iter::once(commit).chain(reads.results.iter().map(digest)).collect(),
        artifacts: reads.results.iter().map(result).chain(reads.files.iter().map(file)).collect(),
    }
}

fn passed(name: String, task: &str, artifact: &str, optional: bool) -> Artifact {
    let from = format!("{{{{tasks.{task}.outputs.artifacts.{artifact}}}}}");
    Artifact { name, from: Some(from), optional, ..Artifact::default() }
}

/// Says what must have come out how. A bare name would also hold where the task was skipped. What waits for nothing else
/// waits for the commit, and so everything does.
fn depends(context: &Context<'_>, node: &Node) -> String {
    let mut terms = Vec::new();
    let mut seen = BTreeSet::new();
    for wait in &node.waits {
        if !seen.insert(&wait.node) {
            continue;
        }
        let task = context.task(&wait.node);
        let lenient = node.waits.iter().all(|other| other.node != wait.node || other.why == Why::Baseline);
        terms.push(if lenient {
            // A baseline that today's code can't score is the gate's to judge; one that was lost is not.
            format!("({task}.Succeeded || {task}.Failed)")
        } else if context.absent.is_no_obstacle(node, wait) {
            // Whether it was left out rightly is for `when` to say, which sees more than how it ended.
            format!("({task}.Succeeded || {task}.Skipped || {task}.Omitted)")
        } else if is_approval(context, &wait.node) {
            absent::given(context, node, &wait.node)
        } else {
            format!("{task}.Succeeded")
        });
        if wait.why != Why::Ask {
            terms.extend(absent::asked_by(context.plan, &wait.node).filter(|approval| approval.name != node.name).map(
                |approval| {
                    let slug = context.slug(&approval.name);
                    format!("({slug}.Skipped || {}.Succeeded)", names::answer(slug))
                },
            ));
        }
    }
    // Behind a stage, too, an approval that asked nobody lets through nothing of another release.
    let for_others = context.plan.decided_for_others(node);
    terms.extend(for_others.iter().map(|approval| format!("{}.Succeeded", context.task(&approval.name))));
    let mut seen = BTreeSet::new();
    terms.retain(|term| seen.insert(term.clone()));
    if terms.is_empty() {
        terms.push(format!("{}.Succeeded", names::COMMIT));
    }
    terms.join(" && ")
}

fn is_approval(context: &Context<'_>, node: &str) -> bool {
    matches!(context.plan.node(node).map(|node| &node.kind), Some(NodeKind::Approval(_)))
}

/// The last task waits for the end of every task that none waits for, whatever it was, and so for all.
fn last(context: &Context<'_>) -> Task {
    let nodes = &context.plan.nodes;
    let waited: BTreeSet<_> = nodes.iter().flat_map(|node| &node.waits).map(|wait| wait.node.as_str()).collect();
    let ended = |task: &str| {
        let ends = ["Succeeded", "Failed", "Errored", "Skipped", "Omitted"].map(|end| format!("{task}.{end}"));
        format!("({})", ends.join(" || "))
    };
    let sinks = nodes.iter().filter(|node| !waited.contains(node.name.as_str()));
    let mut sinks: Vec<_> = sinks.map(|node| ended(&context.task(&node.name))).collect();
    if sinks.is_empty() {
        sinks.push(ended(names::COMMIT));
    }
    // An approval that no gate asked for is skipped; the task that would read the answer is then omitted.
    let status = |node: &Node| {
        let slug = context.slug(&node.name);
        let value = match &node.kind {
            NodeKind::Approval(_) => {
                let answer = names::answer(slug);
                format!("{{{{=tasks['{slug}'].status == 'Skipped' ? 'Skipped' : tasks['{answer}'].status}}}}")
            }
            _ => format!("{{{{tasks.{slug}.status}}}}"),
        };
        Parameter { name: slug.to_owned(), value: Some(value), ..Parameter::default() }
    };
    let heard = || nodes.iter().filter(|node| pod::is_heard(context, node));
    let result = |node: &Node| {
        let slug = context.slug(&node.name);
        passed(format!("{slug}-result"), slug, "result", true)
    };
    let digest = |node: &Node| {
        let (task, name) = (context.task(&node.name), pod::digest_parameter(context.slug(&node.name)));
        let value = format!("{{{{=tasks['{task}']?.outputs?.parameters?.digest ?? ''}}}}");
        Parameter { name, value: Some(value), ..Parameter::default() }
    };
    // Where no commit was found nothing ran, and the verdict says so at whatever commit it gets.
    let value = format!("{{{{=tasks['{0}']?.outputs?.parameters?.{0} ?? ''}}}}", names::COMMIT);
    let commit = Parameter { name: names::COMMIT.into(), value: Some(value), ..Parameter::default() };
    Task {
        name: "verdict".into(),
        template: "verdict".into(),
        depends: Some(sinks.join(" && ")),
        when: None,
        arguments: Arguments {
            parameters: std::iter::once(commit).chain(nodes.iter().map(status)).chain(heard().map(digest)).collect(),
            artifacts: heard().map(result).collect(),
        },
    }
}
