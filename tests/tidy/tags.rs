//! The handouts' ids: each is answered by code and proved by a test, or
//! `labs/ids.toml` says why not.

use std::collections::BTreeSet;

use harness::ids::{self, Row, Sources};

use crate::tree::{code, files, labs, none, read};

#[test]
fn every_id_has_a_tag_in_code_and_a_test() {
    let sources = Sources::read().expect("the sources");
    let rows = ids::rows().expect("labs/ids.toml");
    assert!(rows.len() > 40, "labs/ids.toml has lost its rows");
    none(rows.iter().flat_map(|row| unanswered(row, &sources)).collect());
}

/// What is missing for the ids of a row.
fn unanswered(row: &Row, sources: &Sources) -> Vec<String> {
    let mut problems = Vec::new();
    let answered = row.lab.is_some() && row.place.is_some();
    if answered == row.none.is_some() {
        problems.push(format!("{:?}: lab and where, or none", row.ids));
    }
    if row.ids.len() > 1 && row.each.len() != row.ids.len() {
        problems.push(format!("{:?}: `each` has a text for each id", row.ids));
    }
    for id in &row.ids {
        let places = sources.places(id);
        let tagged = places.iter().any(|place| place.kind == "code");
        let test = format!("fn {}", ids::test_prefix(id));
        let tested = places
            .iter()
            .any(|place| place.kind == "test" && place.text.contains(&test));
        if row.none.is_some() && tagged {
            problems.push(format!("{id}: has code, so `none` is wrong"));
        }
        if row.none.is_none() && !tagged {
            problems.push(format!("{id}: no [{id}] in src/ or labs/"));
        }
        if row.none.is_none() && !tested {
            problems.push(format!("{id}: no test is called {test}…"));
        }
    }
    problems
}

#[test]
fn every_tag_in_code_is_in_the_list() {
    let rows = ids::rows().expect("labs/ids.toml");
    let known: BTreeSet<String> =
        rows.into_iter().flat_map(|row| row.ids).collect();
    let mut problems = Vec::new();
    for (file, text) in [code("labs"), code("src")].concat() {
        for (number, line) in text.lines().enumerate() {
            for tag in tags(line) {
                if !known.contains(&tag) {
                    let number = number + 1;
                    problems.push(format!("{file}:{number}: [{tag}]"));
                }
            }
        }
    }
    none(problems);
}

/// `[E-T3]` and its like in a comment.
fn tags(line: &str) -> Vec<String> {
    let comment = line.split_once("//").unwrap_or_default().1;
    let candidates = comment.split('[').skip(1).filter_map(|rest| {
        let (tag, _) = rest.split_once(']')?;
        let (handout, number) = tag.split_once('-')?;
        let known = ["D", "E", "G", "W", "T", "X"].contains(&handout);
        (known && !number.is_empty() && !number.contains(' ')).then_some(tag)
    });
    candidates.map(str::to_string).collect()
}

#[test]
fn the_table_of_ids_is_the_list_of_ids() {
    let table = ids::markdown(&ids::rows().expect("labs/ids.toml"));
    let page = read("labs/README.md");
    assert!(
        page.contains(&table),
        "labs/README.md: the table has to be\n{table}"
    );
}

#[test]
fn the_list_of_ids_names_labs_and_files_that_exist() {
    let mut problems = Vec::new();
    let (labs, sources) = (labs(), files("src", ".rs"));
    for row in ids::rows().expect("labs/ids.toml") {
        let Some(lab) = &row.lab else { continue };
        let known = match lab.as_str() {
            "src" => sources.clone(),
            lab if labs.iter().any(|known| known == lab) => {
                code(&format!("labs/{lab}"))
            }
            _ => {
                problems.push(format!("{:?}: no lab {lab}", row.ids));
                continue;
            }
        };
        let place = row.place.unwrap_or_default();
        for name in place.split('`').skip(1).step_by(2) {
            let is_file = name.ends_with(".rs") && !name.contains('*');
            let exists = known
                .iter()
                .any(|(file, _)| file.ends_with(&format!("/{name}")));
            if is_file && !exists {
                problems.push(format!("{:?}: {lab} has no {name}", row.ids));
            }
        }
    }
    none(problems);
}

#[test]
fn each_rule_finds_what_breaks_it() {
    let row = |none: Option<&str>| Row {
        ids: vec!["Z-T9".into()],
        asks: "nothing".into(),
        each: Vec::new(),
        lab: None,
        place: None,
        none: none.map(str::to_string),
    };
    let sources = Sources::read().expect("the sources");
    assert_eq!(unanswered(&row(None), &sources).len(), 3);
    assert!(unanswered(&row(Some("a reason")), &sources).is_empty());
    let tagged = Row { ids: vec!["E-T3".into()], ..row(Some("a reason")) };
    assert_eq!(unanswered(&tagged, &sources).len(), 1);
    let two = vec!["Z-T8".into(), "Z-T9".into()];
    let two = Row { ids: two, ..row(Some("a reason")) };
    assert_eq!(unanswered(&two, &sources).len(), 1);
    assert_eq!(tags("let x = a[E-1]; // [E-T3] [not one]"), ["E-T3"]);
}
