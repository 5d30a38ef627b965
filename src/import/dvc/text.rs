//! Values and texts as the language writes them.

/// Writes a string of the language.
pub(super) fn quote(text: &str) -> String {
    if text.contains(['"', '\\', '{']) && !text.contains(['\'', '\n']) {
        return format!("'{text}'");
    }
    let mut made = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' | '{' => made.extend(['\\', c]),
            '\n' => made.push_str("\\n"),
            '\t' => made.push_str("\\t"),
            c => made.push(c),
        }
    }
    made + "\""
}

/// Writes a number of the language; nothing for what is none.
pub(super) fn number(text: &str) -> Option<String> {
    let value: f64 = text.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    Some(if text.contains(['e', 'E']) { value.to_string() } else { text.to_owned() })
}

/// Writes a script: on one line where it fits, else as a block that no line of it ends.
pub(super) fn script(text: &str) -> String {
    let text = text.trim_end();
    if !text.contains('\n') && !text.contains(">>>") && text.len() <= 90 {
        return format!("run  <<< {} >>>", text.trim());
    }
    let mut tag = String::new();
    while text.lines().any(|line| line.trim() == format!("{tag}>>>")) {
        tag.push_str(if tag.is_empty() { "SCRIPT" } else { "X" });
    }
    let mut made = format!("run <<<{tag}\n");
    for line in text.lines() {
        if !line.trim().is_empty() {
            made.push_str("    ");
            made.push_str(line.trim_end());
        }
        made.push('\n');
    }
    made + "  " + &tag + ">>>"
}

/// Writes text as a `##` comment.
pub(super) fn doc(text: &str, indent: &str) -> String {
    text.trim().lines().map(|line| format!("{indent}## {}\n", line.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_quoted_so_that_nothing_is_interpolated() {
        assert_eq!(quote("a/b.csv"), "\"a/b.csv\"");
        assert_eq!(quote("a{b}"), "'a{b}'");
        assert_eq!(quote("it's {x}"), "\"it's \\{x}\"");
    }

    #[test]
    fn a_script_never_ends_at_a_line_of_its_own() {
        assert!(script("cat <<EOF\n>>>\nEOF").starts_with("run <<<SCRIPT\n"));
        assert_eq!(script("python x.py\n"), "run  <<< python x.py >>>");
        assert!(script("echo '>>>'").starts_with("run <<<\n"));
    }
}
