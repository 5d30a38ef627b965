//! The book's table of hazards is whole, and names tests that there are.

use crate::sandbox::{repository, tracked};

#[test]
fn every_hazard_has_a_row_and_every_test_that_a_row_names_exists() {
    let page = std::fs::read_to_string(repository().join("book/src/hazards.md")).expect("the page");
    let mut source = String::new();
    for folder in ["src", "tests"] {
        for path in tracked(&repository().join(folder)) {
            if path.extension().is_some_and(|extension| extension == "rs") {
                source += &std::fs::read_to_string(repository().join(folder).join(path)).expect("a source");
            }
        }
    }
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| ") && line[2..].starts_with(|first: char| first.is_ascii_digit()))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let numbers: Vec<_> = rows.iter().map(|row| row[0].to_owned()).collect();
    assert_eq!(numbers, (1..=23).map(|number| number.to_string()).collect::<Vec<_>>());
    for row in rows {
        let tests: Vec<_> = row[3].split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "{}: no test is named", row[0]);
        for test in tests {
            assert!(test.starts_with(&format!("hazard_{:0>2}_", row[0])), "{}: {test}", row[0]);
            assert!(source.contains(&format!("fn {test}()")), "there is no test {test}");
        }
    }
}
