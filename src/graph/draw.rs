//! Drawings of a graph: Mermaid, DOT, and text for a terminal. Knows vertices and lines, not what they mean.

use std::fmt::Write as _;

/// A graph that can be drawn.
#[derive(Debug, Clone, Default)]
pub struct Drawing {
    /// Its name.
    pub name: String,
    /// The vertices in order.
    pub vertices: Vec<Vertex>,
    /// The lines in order, from what comes first to what waits for it.
    pub lines: Vec<Line>,
}

/// A vertex.
#[derive(Debug, Clone)]
pub struct Vertex {
    /// Its name.
    pub name: String,
    /// The word for what it is.
    pub kind: String,
    /// How it is drawn.
    pub shape: Shape,
}

/// How a vertex is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A box: something runs.
    Box,
    /// A box with a broken border: made by mlpc.
    Derived,
    /// A diamond: something is decided.
    Diamond,
    /// A rounded box: a person decides.
    Round,
    /// A cylinder: something is kept.
    Store,
    /// A hexagon: something is watched.
    Watch,
}

/// A line between two vertices.
#[derive(Debug, Clone)]
pub struct Line {
    /// Index of what comes first.
    pub from: usize,
    /// Index of what waits.
    pub to: usize,
    /// What is written on it; may be empty.
    pub text: String,
    /// Drawn broken: it only waits.
    pub broken: bool,
}

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For Markdown pages.
    Mermaid,
    /// For Graphviz.
    Dot,
    /// For people.
    Text,
}

impl Drawing {
    /// Draws it.
    #[must_use]
    pub fn draw(&self, format: Format) -> String {
        match format {
            Format::Mermaid => self.mermaid(),
            Format::Dot => self.dot(),
            Format::Text => self.text(),
        }
    }

    fn mermaid(&self) -> String {
        let mut out = String::from("flowchart LR\n");
        for (index, vertex) in self.vertices.iter().enumerate() {
            let name = mermaid_text(&vertex.name);
            let (open, close) = match vertex.shape {
                Shape::Box | Shape::Derived => ("[", "]"),
                Shape::Diamond => ("{", "}"),
                Shape::Round => ("([", "])"),
                Shape::Store => ("[(", ")]"),
                Shape::Watch => ("{{", "}}"),
            };
            add(&mut out, format_args!("  n{index}{open}\"{name}\"{close}\n"));
        }
        for line in &self.lines {
            let arrow = if line.broken { "-.->" } else { "-->" };
            let text = if line.text.is_empty() { String::new() } else { format!("|\"{}\"|", mermaid_text(&line.text)) };
            add(&mut out, format_args!("  n{} {arrow}{text} n{}\n", line.from, line.to));
        }
        let derived: Vec<String> = self
            .vertices
            .iter()
            .enumerate()
            .filter(|(_, vertex)| vertex.shape == Shape::Derived)
            .map(|(index, _)| format!("n{index}"))
            .collect();
        if !derived.is_empty() {
            out.push_str("  classDef derived stroke-dasharray: 4 3\n");
            add(&mut out, format_args!("  class {} derived\n", derived.join(",")));
        }
        out
    }

    fn dot(&self) -> String {
        let mut out = format!("digraph {} {{\n  rankdir=LR;\n", dot_text(&self.name));
        for vertex in &self.vertices {
            let shape = match vertex.shape {
                Shape::Box => "shape=box",
                Shape::Derived => "shape=box, style=dashed",
                Shape::Diamond => "shape=diamond",
                Shape::Round => "shape=box, style=rounded",
                Shape::Store => "shape=cylinder",
                Shape::Watch => "shape=hexagon",
            };
            add(&mut out, format_args!("  {} [{shape}];\n", dot_text(&vertex.name)));
        }
        for line in &self.lines {
            let (from, to) = (&self.vertices[line.from].name, &self.vertices[line.to].name);
            let mut attributes = Vec::new();
            if !line.text.is_empty() {
                attributes.push(format!("label={}", dot_text(&line.text)));
            }
            if line.broken {
                attributes.push("style=dashed".to_owned());
            }
            let attributes =
                if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
            add(&mut out, format_args!("  {} -> {}{attributes};\n", dot_text(from), dot_text(to)));
        }
        out.push_str("}\n");
        out
    }

    fn text(&self) -> String {
        let mut before: Vec<Vec<&Line>> = vec![Vec::new(); self.vertices.len()];
        for line in &self.lines {
            before[line.to].push(line);
        }
        let width = self.vertices.iter().map(|vertex| vertex.kind.chars().count()).max().unwrap_or_default();
        let mut out = String::new();
        for (vertex, lines) in self.vertices.iter().zip(before) {
            add(&mut out, format_args!("{:width$}  {}\n", vertex.kind, vertex.name));
            for line in lines {
                let from = &self.vertices[line.from].name;
                let text = if line.text.is_empty() { String::new() } else { format!("  ({})", line.text) };
                add(&mut out, format_args!("{:width$}    ← {from}{text}\n", ""));
            }
        }
        out
    }
}

fn add(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("writing to a string does not fail");
}

fn mermaid_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

fn dot_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
