//! Events that nobody emits, and events that nobody listens to.

use crate::check::{Rule, Subject};
use crate::diagnostic::{Diagnostic, codes, nearest};
use crate::model::{Event, Model, Reaction};
use crate::types::{Expr, TriggerKind, Type, Value};

pub(in crate::check) struct EventUnmatched;

impl Rule for EventUnmatched {
    fn check(&self, subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
        let model = subject.model;
        if model.torn {
            return;
        }
        let heard: Vec<(&str, _)> = model
            .triggers
            .iter()
            .filter_map(|trigger| match &trigger.kind {
                TriggerKind::Event { name, .. } => Some((name.as_str(), trigger.span)),
                _ => None,
            })
            .collect();
        for (name, span) in &heard {
            if emitted(model).any(|event| event.value == *name) {
                continue;
            }
            let message = format!("nothing emits the event `{name}`");
            let help = match nearest(name, emitted(model).map(|event| event.value.as_str())) {
                Some(near) => format!("did you mean `\"{near}\"`?"),
                None => format!("where somebody else does, write `external event \"{name}\"`"),
            };
            found.push(Diagnostic::new(codes::EVENT_NEVER_EMITTED, *span, message).help(help));
        }
        for event in emitted(model) {
            if heard.iter().any(|(name, _)| *name == event.value) {
                continue;
            }
            let message = format!("nothing listens to the event `{}`", event.value);
            let help = match nearest(&event.value, heard.iter().map(|(name, _)| *name)) {
                Some(near) => format!("did you mean `\"{near}\"`?"),
                None => format!("add `on event \"{}\" {{ {}}}`, or remove this", event.value, fields(model, event)),
            };
            found.push(Diagnostic::new(codes::EVENT_UNHEARD, event.span, message).help(help));
        }
    }
}

/// Writes the fields that come with an event, each followed by a space.
fn fields(model: &Model, event: &Event) -> String {
    let mut reactions = model.monitors.iter().flat_map(|monitor| &monitor.on_breach);
    let payload = reactions.find_map(|reaction| match reaction {
        Reaction::Emit { event: own, payload } if own.span == event.span => Some(payload),
        _ => None,
    });
    let ty = |value: &Expr| match value {
        Expr::Value(Value::Bool(_)) => "bool".to_owned(),
        Expr::Value(Value::Int(_)) => "int".to_owned(),
        Expr::Value(Value::Float(_)) => "float".to_owned(),
        Expr::Value(Value::Ratio(_)) => "ratio".to_owned(),
        Expr::Param(name) => {
            let mut params = model.params.iter().filter(|(_, param)| param.name.value == *name);
            params.find_map(|(_, param)| param.ty.as_ref()).map_or_else(|| "string".to_owned(), Type::to_string)
        }
        _ => "string".to_owned(),
    };
    let written = payload.into_iter().flatten();
    let fields: Vec<String> = written.map(|(name, value)| format!("{}: {}", name.value, ty(value))).collect();
    if fields.is_empty() { String::new() } else { fields.join(", ") + " " }
}

/// Iterates over the events that somebody emits: monitors of this pipeline, or others.
fn emitted(model: &Model) -> impl Iterator<Item = &Event> {
    let reactions = model.monitors.iter().flat_map(|monitor| &monitor.on_breach);
    let own = reactions.filter_map(|reaction| match reaction {
        Reaction::Emit { event, .. } => Some(event),
        Reaction::Notify(_) => None,
    });
    model.external.iter().chain(own)
}
