//! Files of another writer (`tests/fixtures/parquet/make.py`): the numbers are those of the same table as CSV, and nothing broken is read.

use super::*;
use crate::data::{Builder, Format, Frozen, Input, Summary, Wanted, look, scan};
use crate::types::{Column as Declared, Range, Schema, Type};

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fixtures/parquet/", $name)).as_slice()
    };
}

const TABLE: &[u8] = file!("table.parquet");

fn placed(bytes: &[u8]) -> Arc<dyn Places> {
    Arc::new(bytes.to_vec())
}

fn frozen(format: Format, bytes: &[u8]) -> Frozen {
    let start = |names: &[String]| Ok(Builder::new(names, &[]));
    let builder: Builder = match format {
        Format::Parquet => crate::data::read(format, Input::Places(placed(bytes)), &start),
        _ => crate::data::read(format, &mut &bytes[..], &start),
    }
    .expect("a table");
    builder.finish("blake3:00".into()).expect("rows")
}

fn scanned(format: Format, bytes: &[u8], wanted: &Wanted<'_>) -> Summary {
    match format {
        Format::Parquet => scan(format, Input::Places(placed(bytes)), wanted),
        _ => scan(format, &mut &bytes[..], wanted),
    }
    .expect("a table")
}

fn refused(bytes: &[u8]) -> String {
    scan(Format::Parquet, Input::Places(placed(bytes)), &Wanted::default()).expect_err("no table").to_string()
}

#[test]
fn the_numbers_are_those_of_the_same_table_as_csv() {
    let csv = file!("table.csv");
    let reference = frozen(Format::Csv, csv);
    let column = |name: &str, ty: Type| Declared { name: name.into(), ty, unique: false, matches: None };
    let schema = Schema {
        name: "T".into(),
        columns: vec![
            Declared { unique: true, ..column("code", Type::String) },
            column("age", Type::Int(Range::ANY)),
            column("price", Type::Float(Range { low: Some(crate::types::Bound { at: 0.0, open: false }), high: None })),
            column("ok", Type::Optional(Box::new(Type::Bool))),
            column("at", Type::Timestamp),
            column("day", Type::Timestamp),
            column("city", Type::Optional(Box::new(Type::Enum(vec!["Oslo".into(), "Bergen".into()])))),
        ],
    };
    let classes = ["city", "code", "share", "ok"].map(str::to_owned).into();
    let wanted = Wanted { schemas: vec![&schema], classes, baselines: vec![("f", &reference)] };
    let expected = scanned(Format::Csv, csv, &wanted);
    assert_eq!(expected.rows, 60);
    assert!(expected.violations[0].1.len() > 4, "{:?}", expected.violations);
    // A line of a CSV file is one further on than its row.
    let counted = |summary: &Summary| {
        let of = |(schema, found): &(String, Vec<crate::data::Violation>)| {
            let found = found
                .iter()
                .map(|one| (one.column.clone(), one.what.split(" (line").next().map(str::to_owned), one.cells));
            (schema.clone(), found.collect::<Vec<_>>())
        };
        summary.violations.iter().map(of).collect::<Vec<_>>()
    };
    for (name, bytes) in [
        ("table", TABLE),
        ("zstd", file!("zstd.parquet")),
        ("gzip", file!("gzip.parquet")),
        ("plain", file!("plain.parquet")),
        ("delta", file!("delta.parquet")),
    ] {
        assert_eq!(look(Format::Parquet, &placed(bytes)), Ok(()), "{name}");
        assert_eq!(frozen(Format::Parquet, bytes), reference, "{name}");
        let summary = scanned(Format::Parquet, bytes, &wanted);
        assert_eq!(
            (summary.rows, &summary.columns, &summary.counts),
            (60, &expected.columns, &expected.counts),
            "{name}"
        );
        assert_eq!(counted(&summary), counted(&expected), "{name}");
    }
}

#[test]
fn a_line_is_a_row() {
    let column = Declared { name: "age".into(), ty: Type::Int(Range::ANY), unique: false, matches: None };
    let schema = Schema { name: "T".into(), columns: vec![column] };
    let wanted = Wanted { schemas: vec![&schema], ..Wanted::default() };
    let summary = scanned(Format::Parquet, TABLE, &wanted);
    assert_eq!(summary.violations[0].1[0].what, "`age` is null (line 1, line 8, line 15, …)");
}

struct Texts(Vec<Vec<String>>);

impl Fold for Texts {
    fn row(&mut self, _: u64, cells: &[Cell<'_>]) -> Result<(), Problem> {
        self.0.push(
            cells.iter().map(|cell| if cell.is_null() { "-".into() } else { cell.text().into_owned() }).collect(),
        );
        Ok(())
    }

    fn join(&mut self, later: Self) -> Result<(), Problem> {
        self.0.extend(later.0);
        Ok(())
    }
}

fn texts(bytes: &[u8]) -> Vec<Vec<String>> {
    read(placed(bytes), &|_| Ok(Texts(Vec::new()))).expect("a table").0
}

#[test]
fn rare_types_are_what_they_stand_for() {
    let uuid = "00010203-0405-0607-0809-0a0b0c0d0e0f";
    assert_eq!(
        texts(file!("rare.parquet")),
        [
            ["1", "1", "01:02:03", "-", uuid, "", "0.10000000149011612"],
            ["2", "-2.5", "-", "-", "-", "NA", "-"],
            ["3", "-", "23:59:59", "-", "00000000-0000-0000-0000-000000000000", "-", "inf"],
        ]
    );
    let old = texts(file!("int96.parquet"));
    assert_eq!(old[1], ["2", "1970-01-01T00:00:00.000000001"]);
    assert_eq!(texts(file!("empty.parquet")), Vec::<Vec<String>>::new());
}

#[test]
fn what_is_no_plain_table_is_refused_and_says_why() {
    assert_eq!(
        refused(file!("nested.parquet")),
        "`tags` is a list or a struct, and a table has plain columns: write its parts as columns"
    );
    assert_eq!(
        refused(file!("bytes.parquet")),
        "`raw` holds bytes, and the file does not say that they are texts: write it as strings"
    );
    let codec = refused(file!("lz4.parquet"));
    assert!(codec.to_lowercase().contains("lz4"), "{codec}");
    assert!(refused(b"a,b\n1,2\n").starts_with("it is no sound Parquet file"));
    for end in [0, 3, 4, 8, 11, TABLE.len() / 2, TABLE.len() - 1] {
        assert!(look(Format::Parquet, &placed(&TABLE[..end])).is_err(), "{end}");
        assert!(!refused(&TABLE[..end]).is_empty());
    }
    assert!(look(Format::Parquet, &placed(b"PAR1....PAR1")).is_err());
}

#[test]
fn a_broken_file_neither_passes_for_fewer_rows_nor_ends_the_program() {
    for (name, whole) in [("table", TABLE), ("zstd", file!("zstd.parquet")), ("gzip", file!("gzip.parquet"))] {
        for at in (0..whole.len()).step_by(5) {
            let mut bytes = whole.to_vec();
            bytes[at] ^= 0x55;
            if let Ok(summary) = scan(Format::Parquet, Input::Places(placed(&bytes)), &Wanted::default()) {
                assert_eq!(summary.rows, 60, "{name}, byte {at}");
            }
        }
    }
}
