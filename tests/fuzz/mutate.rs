//! Breaks texts: one input from one seed.

use crate::corpus::Kind;

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 where that is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        if limit == 0 { 0 } else { (self.next() % limit as u64) as usize }
    }
}

/// Words and marks that parsers stumble over.
const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "'",
    "<<<",
    ">>>",
    "<<<EOF\n",
    "EOF>>>",
    "\n",
    "\r\n",
    "\r",
    "\u{feff}",
    "\0",
    "#",
    "##",
    ",",
    ":",
    "=",
    "==",
    ".",
    "..",
    "...",
    "@",
    "?",
    "*",
    "-",
    "--",
    "<",
    ">",
    "<=",
    "|",
    "||",
    "&&",
    "!",
    "%",
    ";",
    "$",
    "${",
    "{x}",
    "é",
    "😀",
    "\u{202e}",
    "\u{2028}",
    "ﬁ",
    "0",
    "1e400",
    "9223372036854775808",
    "1_000",
    "0.1.2",
    "5%",
    "16GiB",
    "10mss",
    "1d",
    "true",
    "not not ",
    "and",
    "or",
    "in",
    "for x in 1..3",
    "for x in []",
    "when",
    "after",
    "of",
    "over",
    "as",
    "stage a {\n",
    "gate g on a.b {\n",
    "param p: int = ",
    "use",
    "use \"x.mlp\" { y }",
    "on push",
    "run",
    "run <<<",
    "require",
    "out x: ",
    "<<<<<<< a\n",
    "=======\n",
    ">>>>>>> b\n",
    "stage",
    "with {",
    "models@production",
    "between",
    "one_of",
    "not",
    "const c = c\n",
    "const c = 1 / 0\n",
    "[[[[[[[[[[[[[[[[",
    "((((((((((((((((",
    "{{{{{{{{{{{{{{{{",
    "-9223372036854775808",
    "1..0",
    "0.0..<0.0",
    "allow",
    "\"{a}{b}\"",
    "\\",
    "\\u",
    "<![CDATA[",
    "]]>",
    "&#x0;",
    "&amp;",
    "\"\":",
    "null",
    "1e-999",
    "- ",
    "? ",
    "&a ",
    "*a",
    "!!x ",
    "|\n",
    "${item}",
    "foreach:",
    "deps:",
];

/// Makes one input.
pub(crate) fn input(corpus: &[(Kind, Vec<u8>)], random: &mut Random) -> (Kind, Vec<u8>) {
    // Foreign formats are few texts and get a share of their own.
    let (kind, text) = if random.below(8) == 0 {
        let foreign: Vec<_> = corpus.iter().filter(|(kind, _)| *kind != Kind::Mlp).collect();
        foreign[random.below(foreign.len())].clone()
    } else {
        corpus[random.below(corpus.len())].clone()
    };
    let mut text = text;
    if text.len() > 6_000 {
        let start = random.below(text.len() - 6_000);
        text = text[start..start + 6_000].to_vec();
    }
    for _ in 0..=random.below(6) {
        let at = random.below(text.len() + 1);
        let end = (at + random.below(40)).min(text.len());
        match random.below(9) {
            0 => text.truncate(at),
            1 => drop(text.drain(at..end)),
            2 => {
                let copy = text[at..end].to_vec();
                let to = random.below(text.len() + 1);
                text.splice(to..to, copy);
            }
            3 if at < text.len() => text[at] = random.next() as u8,
            4 => {
                let (_, other) = &corpus[random.below(corpus.len())];
                let from = random.below(other.len() + 1);
                let length = random.below(300).min(other.len() - from);
                text.splice(at..at, other[from..from + length].to_vec());
            }
            5 => {
                let piece = PIECES[random.below(PIECES.len())];
                text.splice(at..end, piece.bytes());
            }
            6 => {
                let piece = PIECES[random.below(PIECES.len())].repeat(1 + random.below(40));
                text.splice(at..at, piece.bytes());
            }
            _ => {
                let piece = PIECES[random.below(PIECES.len())];
                text.splice(at..at, piece.bytes());
            }
        }
    }
    (kind, text)
}
