//! Readers: what is fine, what is not and on which line; and that neither blocks nor threads change anything.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::types::{Bound, Column, Range, Schema, Type};

/// Keeps every row as text.
struct Rows {
    names: Vec<String>,
    rows: Vec<(u64, Vec<String>)>,
}

impl Fold for Rows {
    fn row(&mut self, line: u64, cells: &[Cell<'_>]) -> Result<(), Problem> {
        self.rows.push((line, cells.iter().map(|cell| cell.text().into_owned()).collect()));
        Ok(())
    }

    fn join(&mut self, later: Self) -> Result<(), Problem> {
        self.rows.extend(later.rows);
        Ok(())
    }
}

fn rows(format: Format, bytes: &[u8]) -> Result<Rows, Problem> {
    read(format, &mut &bytes[..], &|names| Ok(Rows { names: names.to_vec(), rows: Vec::new() }))
}

fn csv(text: &str) -> Result<Rows, Problem> {
    rows(Format::Csv, text.as_bytes())
}

fn refused(text: &str) -> String {
    match csv(text) {
        Err(problem) => problem.to_string(),
        Ok(read) => panic!("`{text}` was read as {:?}", read.rows),
    }
}

#[test]
fn what_rfc_4180_allows_is_read() {
    let read = csv("\u{feff}a,\"b \"\"x\"\"\"\r\n1,\"two\r\nlines, and a comma\"\r\n,\r\n").expect("fine");
    assert_eq!(read.names, ["a", "b \"x\""]);
    assert_eq!(read.rows[0], (2, vec!["1".to_owned(), "two\r\nlines, and a comma".to_owned()]));
    assert_eq!((read.rows[1].0, &read.rows[1].1[..]), (4, &["".to_owned(), "".to_owned()][..]));
    let lines = |text: &str| csv(text).expect("fine").rows.iter().map(|row| row.0).collect::<Vec<_>>();
    assert_eq!(lines("a\r\n1\r\n2\r\n3\r\n"), [2, 3, 4]);
    assert_eq!(lines("a\n1\n2\n3\n"), [2, 3, 4]);
    assert_eq!(csv("a,b").expect("a header").rows.len(), 0);
    assert_eq!(csv("a\n1\n2").expect("no line end at the end").rows.len(), 2);
    assert_eq!(csv("a\n1\n\n").expect("an empty line at the end").rows.len(), 1);
    assert_eq!(csv("a\n\"\"\n1\n").expect("an empty value").rows.len(), 2);
    assert_eq!(csv("\u{feff}\"a\"\n1\n").expect("a mark before a quote").names, ["a"]);
}

#[test]
fn what_other_readers_forgive_is_named_with_its_line() {
    assert_eq!(refused(""), "the file is empty");
    assert_eq!(refused("\na\n"), "line 1: there is no header line");
    assert_eq!(refused("a,b\n1,2\n3\n"), "line 3: 1 fields under a header of 2");
    assert_eq!(refused("a,b\n\"x\ny\",2\n1,2,3\n"), "line 4: 3 fields under a header of 2");
    assert_eq!(refused("a,b,a\n"), "line 1: two columns are named `a`");
    assert_eq!(refused("a,\n"), "line 1: column 2 has no name");
    assert_eq!(
        refused("a,b\n1,2\n\n3,4\n"),
        "line 3: an empty line; an empty value alone on its line is written `\"\"`"
    );
    assert!(refused("a\r\n1\r\n\r\n2\r\n").starts_with("line 3: an empty line"));
    assert_eq!(refused("a,b\n1,\"x\n2,3\n"), "line 2: the quote that opens here is never closed");
    assert!(refused("a,b\n1,\"x\"y\n").starts_with("line 2: text behind a closing quote"));
    assert!(refused("a,b\n1,5\"\n").starts_with("line 2: a quote in a field"));
    let problem = rows(Format::Csv, b"a,b\n1,2\n3,\xff\n").err().expect("not UTF-8");
    assert_eq!(problem.to_string(), "line 3: the byte 0xff is not UTF-8");
}

/// More than a block, so that several threads read it.
fn long(quoted: bool) -> String {
    let mut text = "id,note\n".to_owned();
    for id in 0..200_000 {
        let note = if quoted && id % 7 == 0 { "\"a\nb, c\"" } else { "plain" };
        let _ = writeln!(text, "{id},{note}");
    }
    text
}

#[test]
fn long_files_are_read_in_order_and_their_mistakes_keep_their_lines() {
    for quoted in [false, true] {
        let text = long(quoted);
        let read = csv(&text).expect("fine");
        assert_eq!(read.rows.len(), 200_000);
        assert!(read.rows.iter().enumerate().all(|(at, (_, row))| row[0] == at.to_string()));
        assert!(read.rows.windows(2).all(|pair| pair[0].0 < pair[1].0), "lines rise");
        let broken = text.replacen("\n150000,", "\n150000,x,", 1);
        let line = broken.lines().position(|line| line.starts_with("150000,")).expect("there") + 1;
        assert_eq!(refused(&broken), format!("line {line}: 3 fields under a header of 2"));
        let blank = text.replacen("\n180000,", "\n\n180000,", 1);
        assert!(refused(&blank).contains("an empty line"));
    }
    assert!(refused(&format!("{}\n1,2\n", long(false))).contains("an empty line"));
}

#[test]
fn json_lines_have_the_columns_of_the_first() {
    let jsonl = |text: &str| rows(Format::Jsonl, text.as_bytes());
    let read = jsonl("{\"a\": 1, \"b\": \"x\"}\n{\"b\": null, \"a\": 2.5}\r\n{\"a\": true}\n\n").expect("fine");
    assert_eq!(read.names, ["a", "b"]);
    assert_eq!(read.rows[1].1, ["2.5", ""]);
    let refused = |text: &str| jsonl(text).err().expect("refused").to_string();
    assert_eq!(refused("{\"a\": 1}\n{\"c\": 1}\n"), "line 2: `c` is no column of the first line");
    assert!(refused("{\"a\": 1}\n[1]\n").starts_with("line 2: no JSON object"));
    assert!(refused("{\"a\": 1, \"a\": 2}\n").contains("`a` stands twice"));
    assert!(refused("{\"a\": {}}\n").contains("no plain value"));
    assert!(refused("{\"a\": NaN}\n").starts_with("line 1:"));
    assert_eq!(refused(""), "the file is empty");
}

fn schema() -> Schema {
    let column = |name: &str, ty| Column { name: name.into(), ty, unique: false, matches: None };
    let range = Range { low: Some(Bound { at: 0.0, open: false }), high: Some(Bound { at: 10.0, open: false }) };
    Schema {
        name: "T".into(),
        columns: vec![
            Column { unique: true, ..column("id", Type::String) },
            column("amount", Type::Float(range)),
            column("kind", Type::Enum(vec!["card".into(), "cash".into()])),
            column("note", Type::Optional(Box::new(Type::String))),
            Column { matches: Some("^[A-Z]{2}$".into()), ..column("country", Type::String) },
            column("day", Type::Timestamp),
            column("count", Type::Int(Range::ANY)),
        ],
    }
}

fn scanned(text: &str, wanted: &Wanted<'_>) -> Summary {
    scan(Format::Csv, &mut text.as_bytes(), wanted).expect("a table")
}

#[test]
fn a_schema_says_every_kind_of_mistake() {
    let schema = schema();
    let wanted = Wanted { schemas: vec![&schema], ..Wanted::default() };
    let header = "id,amount,kind,note,country,day,count\n";
    let good = "1,0.5,card,,DE,2026-01-01,3\n2,10,cash,NA,NA,2026-01-02 03:04:05,4.0\n";
    assert_eq!(scanned(&format!("{header}{good}"), &wanted).violations[0].1, []);
    let bad = "1,-1,crd,x,deu,1.2.2026,0.5\n,NA,,,,,x\n";
    let summary = scanned(&format!("{header}{good}{bad}"), &wanted);
    let found: Vec<_> = summary.violations[0].1.iter().map(|violation| violation.what.as_str()).collect();
    assert_eq!(
        found,
        [
            "`id` is null (line 5)",
            "`id` is not unique (line 4: `1`)",
            "`amount` is null (line 5)",
            "`amount` is outside `float in 0..10` (line 4: `-1`)",
            "`kind` is null (line 5)",
            "`kind` is outside `\"card\" | \"cash\"` (line 4: `crd`)",
            "`country` is null (line 5)",
            "`country` does not match `^[A-Z]{2}$` (line 4: `deu`)",
            "`day` is null (line 5)",
            "`day` is no `timestamp` (line 4: `1.2.2026`)",
            "`count` is no `int` (line 4: `0.5`, line 5: `x`)",
        ]
    );
    let missing = scanned("id\n1\n", &wanted);
    assert_eq!(missing.violations[0].1[0].what, "there is no column `amount`");
}

#[test]
fn what_is_null_depends_on_what_else_is_in_the_column() {
    let text = "numbers,texts,both\n1,NA,\nNA,x,NA\n,y,3\n";
    let summary = scanned(text, &Wanted::default());
    let nulls: Vec<_> = summary.columns.iter().map(|column| column.nulls).collect();
    assert_eq!(nulls, [2, 0, 2], "`NA` is Namibia among texts");
}

/// A label and an id, as a whole number that stands once.
fn counted() -> Schema {
    let int = |name: &str, unique| Column { name: name.into(), ty: Type::Int(Range::ANY), unique, matches: None };
    Schema { name: "S".into(), columns: vec![int("label", false), int("id", true)] }
}

#[test]
fn a_number_is_one_value_however_it_is_written() {
    let schema = counted();
    let declared = Wanted { schemas: vec![&schema], classes: ["label".to_owned()].into(), ..Wanted::default() };
    let found = |format: Format, text: &str, wanted: &Wanted<'_>| {
        let summary = scan(format, &mut text.as_bytes(), wanted).expect("fine");
        let broken = summary.violations.iter().flat_map(|(_, found)| found).map(|found| found.what.clone());
        (summary.columns[0].classes, broken.collect::<Vec<_>>().join("; "))
    };
    let twice = (Some(1), "`id` is not unique (line 3: `1.0`)".to_owned());
    assert_eq!(found(Format::Csv, "label,id\n0,1\n0.0,1.0\n", &declared), twice);
    assert_eq!(found(Format::Jsonl, "{\"label\":0,\"id\":1}\n{\"label\":0.0,\"id\":1.0}\n", &declared).0, twice.0);
    for (one, other) in [("0", "-0"), ("0", "00"), ("1", "1e0"), ("1", "01"), ("1", "+1"), ("0", "1e-400")] {
        let text = format!("label,id\n{one},{one}\n{other},{other}\n");
        let (classes, broken) = found(Format::Csv, &text, &declared);
        assert_eq!((classes, broken.contains("not unique")), (Some(1), true), "{one} {other}");
        let by_content = Wanted { classes: ["label".to_owned()].into(), ..Wanted::default() };
        assert_eq!(found(Format::Csv, &text, &by_content).0, Some(1), "{one} {other}");
        let texts = format!("{text}x,x\n");
        assert_eq!(found(Format::Csv, &texts, &by_content).0, Some(3), "a text is as it is written");
    }
    // More digits than a float holds.
    for format in [Format::Csv, Format::Jsonl] {
        let row = |id: &str| match format {
            Format::Csv => format!("0,{id}\n"),
            _ => format!("{{\"label\":0,\"id\":{id}}}\n"),
        };
        let header = if format == Format::Csv { "label,id\n" } else { "" };
        for ids in [["9007199254740992", "9007199254740993"], ["18446744073709551614", "18446744073709551615"]] {
            let text = header.to_owned() + &row(ids[0]) + &row(ids[1]);
            assert_eq!(found(format, &text, &declared), (Some(1), String::new()), "{text}");
        }
    }
    let words = "label\nTrue\ntrue\nTRUE\nfalse\n";
    assert_eq!(found(Format::Csv, words, &Wanted { schemas: Vec::new(), ..declared }).0, Some(2));
}

#[test]
fn classes_are_distinct_values() {
    let wanted = Wanted { classes: ["label".to_owned()].into(), ..Wanted::default() };
    let classes = |text: &str| scanned(text, &wanted).columns[0].classes;
    assert_eq!(classes("label\n0\n1\n0\n\"\"\n"), Some(2));
    assert_eq!(classes("label\n0\n0\nNA\n"), Some(1), "a missing value is no class");
    assert_eq!(classes("label\na\nNA\n"), Some(2));
    let many: String = std::iter::once("label\n".to_owned()).chain((0..10_001).map(|n| format!("{n}\n"))).collect();
    assert_eq!(classes(&many), None);
}

fn frozen(text: &str) -> Frozen {
    let start = |names: &[String]| Ok(Builder::new(names, &[]));
    let builder: Builder = read(Format::Csv, &mut text.as_bytes(), &start).expect("a table");
    builder.finish("blake3:00".into()).expect("rows")
}

#[test]
fn a_baseline_reads_back_and_is_strict() {
    let text: String = std::iter::once("x,kind,name\n".to_owned())
        .chain((0..5000).map(|n| format!("{},{},n{n}\n", f64::from(n) / 7.0, if n % 3 == 0 { "a" } else { "b" })))
        .collect();
    let frozen = frozen(&text);
    let json = frozen.to_json();
    assert_eq!(Frozen::from_json(json.as_bytes()), Ok(frozen.clone()));
    let Kind::Numbers { bins: Bins::Edges(edges), counts, points, below, .. } = &frozen.columns[0].kind else {
        panic!("{:?}", frozen.columns[0].kind)
    };
    assert_eq!((edges.len(), counts.as_slice()), (9, [500; 10].as_slice()));
    assert_eq!((points.len(), below.last()), (1001, Some(&5000)));
    assert!(matches!(&frozen.columns[1].kind, Kind::Categories { counts, .. } if *counts == [1667, 3333]));
    assert_eq!(frozen.columns[2].kind, Kind::Open {});
    assert!(Frozen::from_json(json.replacen("500", "501", 1).as_bytes()).is_err(), "counts that do not add up");
    assert!(Frozen::from_json(json.replacen("\"rows\"", "\"more\": 1, \"rows\"", 1).as_bytes()).is_err());
    assert!(Frozen::from_json(json.replacen("\"format\": 2", "\"format\": 1", 1).as_bytes()).is_err());
    assert!(Frozen::from_json(b"{}").is_err());
    let edited = |from: &str, to: &str| {
        assert!(json.contains(from), "{from}");
        Frozen::from_json(json.replacen(from, to, 1).as_bytes()).expect_err("edited")
    };
    assert!(edited("1667,", "1668,").contains("it was edited"), "also where the sums were kept");
    assert!(edited("\"stddev\": 2", "\"stddev\": 9").contains("it was edited"));
    assert!(edited("blake3:00", "blake3:01").contains("it was edited"));
    let laid_out = json.replace("\n", "\r\n").replace("  ", "\t");
    assert_eq!(Frozen::from_json(laid_out.as_bytes()), Ok(frozen.clone()), "the layout is no content");
}

#[test]
fn values_outside_the_baseline_are_counted() {
    let frozen = frozen("x,k\n1,a\n2,b\n2,a\n3,a\n");
    let wanted = Wanted { baselines: vec![("f", &frozen)], ..Wanted::default() };
    let summary = scanned("x,k\n0,a\n2,c\n9,\nNA,a\n", &wanted);
    let Some(Ok(Counts::Numbers { bins, below, nulls, values, above, before })) = summary.counts("f", "x") else {
        panic!("{:?}", summary.counts)
    };
    assert_eq!(bins, &[0, 1, 0, 2], "a bin for each of few values, and one for what was never seen");
    assert_eq!((below.as_slice(), *nulls, *values), ([1, 2, 2].as_slice(), 1, 3));
    assert_eq!((*above, *before), (6.0, 1.0));
    assert_eq!(summary.counts("f", "k"), Some(&Ok(Counts::Categories { counts: vec![2, 0, 1], nulls: 1 })),);
    let summary = scanned("x,k\nfoo,a\n", &wanted);
    assert_eq!(
        summary.counts("f", "x"),
        Some(&Err("line 2: `x` is `foo`, and the baseline has numbers there".to_owned()))
    );
}

proptest! {
    #[test]
    fn any_bytes_return(bytes in proptest::collection::vec(prop_oneof![
        Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(b'a'), any::<u8>()
    ], 0..60)) {
        let _ = rows(Format::Csv, &bytes);
        let _ = rows(Format::Jsonl, &bytes);
    }

    #[test]
    fn what_a_writer_quotes_is_read_back(table in proptest::collection::vec(
        proptest::collection::vec("[a-c\",\n\r é]{0,6}", 3), 1..12
    )) {
        let mut writer = ::csv::Writer::from_writer(Vec::new());
        writer.write_record(["x", "y", "z"]).expect("written");
        for row in &table {
            writer.write_record(row).expect("written");
        }
        let bytes = writer.into_inner().expect("written");
        let read = rows(Format::Csv, &bytes).expect("what a writer writes");
        let found: Vec<_> = read.rows.into_iter().map(|(_, row)| row).collect();
        prop_assert_eq!(found, table);
    }
}
