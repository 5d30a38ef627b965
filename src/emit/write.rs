//! The writer: block style, two spaces a level, comments where the tree has them. Lines are never folded.

use super::{
    scalar::{self, Place},
    tree::{Entry, Value, Yaml},
};

/// YAML readers refuse an implicit key of more than 1,024 characters.
const LONGEST_KEY: usize = 1000;

/// Writes comment lines and an empty line after them.
pub(super) fn header(out: &mut String, lines: &[String]) {
    for line in lines {
        comment(out, 0, line);
    }
    if !lines.is_empty() {
        out.push('\n');
    }
}

/// Writes a whole document.
pub(super) fn root(out: &mut String, node: &Yaml) {
    for line in &node.before {
        comment(out, 0, line);
    }
    match &node.value {
        Value::Map(entries) if !entries.is_empty() && !node.flow => map(out, entries, 0, false),
        Value::Seq(items) if !items.is_empty() && !node.flow => seq(out, items, 0, false),
        _ => value(out, node, 0),
    }
}

/// Writes a map; with `inline`, its first key stands on the line that is already begun.
fn map(out: &mut String, entries: &[Entry], indent: usize, inline: bool) {
    for (index, entry) in entries.iter().enumerate() {
        if !(inline && index == 0) {
            lead(out, &entry.node, indent, index == 0);
            pad(out, indent);
        }
        let key = if entry.plain_key { entry.key.clone() } else { scalar::inline(&entry.key, Place::Key) };
        if key.chars().count() > LONGEST_KEY {
            out.push_str("? ");
            out.push_str(&key);
            out.push('\n');
            pad(out, indent);
        } else {
            out.push_str(&key);
        }
        out.push(':');
        child(out, &entry.node, indent);
    }
}

/// Writes a list; with `inline`, its first dash stands on the line that is already begun.
fn seq(out: &mut String, items: &[Yaml], indent: usize, inline: bool) {
    for (index, item) in items.iter().enumerate() {
        if !(inline && index == 0) {
            lead(out, item, indent, index == 0);
            let mut outer = item;
            while let Some(inner) = first(outer).filter(|_| beside(outer)) {
                lead(out, inner, indent, true);
                if matches!(outer.value, Value::Map(_)) {
                    break;
                }
                outer = inner;
            }
            pad(out, indent);
        }
        out.push('-');
        match &item.value {
            Value::Map(entries) if beside(item) => {
                out.push(' ');
                map(out, entries, indent + 2, true);
            }
            Value::Seq(inner) if beside(item) => {
                out.push(' ');
                seq(out, inner, indent + 2, true);
            }
            _ => child(out, item, indent),
        }
    }
}

/// Tells whether the first entry of a list's item stands on the line of its dash.
fn beside(item: &Yaml) -> bool {
    item.end.is_none() && !item.flow && first(item).is_some()
}

/// Returns what stands first in a list or map.
fn first(node: &Yaml) -> Option<&Yaml> {
    match &node.value {
        Value::Map(entries) => entries.first().map(|entry| &entry.node),
        Value::Seq(items) => items.first(),
        _ => None,
    }
}

/// Writes what stands behind a `:` or a `-`, to the end of its last line.
fn child(out: &mut String, node: &Yaml, indent: usize) {
    match &node.value {
        Value::Map(entries) if !entries.is_empty() && !node.flow => {
            end(out, node);
            map(out, entries, indent + 2, false);
        }
        Value::Seq(items) if !items.is_empty() && !node.flow => {
            end(out, node);
            seq(out, items, indent + 2, false);
        }
        _ => {
            out.push(' ');
            value(out, node, indent + 2);
        }
    }
}

/// Writes a value that begins on the current line: a scalar, a block scalar, or something in flow style.
fn value(out: &mut String, node: &Yaml, indent: usize) {
    if let Value::Str(text) = &node.value
        && let Some((mark, lines)) = scalar::block(text)
    {
        out.push_str(mark);
        end(out, node);
        let indent = indent.max(2);
        for line in lines {
            if !line.is_empty() {
                pad(out, indent);
                out.push_str(line);
            }
            out.push('\n');
        }
        return;
    }
    flow(out, node, Place::Block);
    end(out, node);
}

/// Writes a value on one line.
fn flow(out: &mut String, node: &Yaml, place: Place) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::Float(value) => out.push_str(&scalar::float(*value)),
        Value::Str(text) => out.push_str(&scalar::inline(text, place)),
        Value::Seq(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                flow(out, item, Place::Flow);
            }
            out.push(']');
        }
        Value::Map(entries) => {
            out.push('{');
            for (index, entry) in entries.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                let key = scalar::inline(&entry.key, Place::Key);
                let long = key.chars().count() > LONGEST_KEY;
                out.push_str(if long { "? " } else { "" });
                out.push_str(&key);
                out.push_str(if long { " : " } else { ": " });
                flow(out, &entry.node, Place::Flow);
            }
            out.push('}');
        }
    }
}

/// Writes the empty line and the comments over an entry; no empty line opens a container. An item's first entry
/// stands beside the dash, so what belongs over that entry is written over the dash.
fn lead(out: &mut String, node: &Yaml, indent: usize, opens: bool) {
    if node.gap && !opens {
        out.push('\n');
    }
    for line in &node.before {
        comment(out, indent, line);
    }
}

/// Writes a comment, one line for each of its own.
fn comment(out: &mut String, indent: usize, text: &str) {
    for line in scalar::comment_lines(text) {
        pad(out, indent);
        out.push_str(if line.is_empty() { "#" } else { "# " });
        out.push_str(&line);
        out.push('\n');
    }
}

/// Writes the comment at the end of a line, and ends it.
fn end(out: &mut String, node: &Yaml) {
    if let Some(text) = &node.end {
        out.push_str(" # ");
        out.push_str(&scalar::comment_lines(text).join(" "));
    }
    out.push('\n');
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}
