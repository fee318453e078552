//! Proves that `socketlab where` says what a word is and points at lines that
//! exist.

use harness::terminal::Terminal;
use harness::{ids, programs, source_tree};

/// What `socketlab where WORD` prints, and its exit status.
fn answer(word: &str) -> (String, Option<i32>) {
    let mut command = programs::command("socketlab");
    let mut terminal =
        Terminal::run(command.args(["where", word])).expect("it starts");
    let text = terminal.read_to_end().expect("it ends");
    let status = terminal.wait_for_end().expect("it ends");
    (String::from_utf8_lossy(&text).into_owned(), status.code())
}

/// The lines `KIND  FILE:LINE  TEXT` are true: the file has this line.
fn points_at_what_exists(text: &str) -> usize {
    let root = source_tree::root().expect("the sources");
    let mut checked = 0;
    for line in text.lines() {
        let mut words = line.splitn(3, "  ");
        let place = words.nth(1).and_then(|place| place.split_once(':'));
        let (Some((file, number)), Some(shown)) = (place, words.next()) else {
            continue;
        };
        let source = source_tree::read(&root.join(file)).expect("a file");
        let number: usize = number.parse().expect("a number");
        let real = source.lines().nth(number - 1).expect("a line");
        let step = shown.split(" of ").next().unwrap_or(shown);
        assert!(real.contains(step), "{line}: {real}");
        checked += 1;
    }
    checked
}

#[test]
fn an_id_has_its_task_and_its_places() {
    let (text, code) = answer("e-t3");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("E-T3: "), "{text}");
    for kind in ["code  ", "test  ", "page  ", "viva  "] {
        assert!(text.lines().any(|line| line.starts_with(kind)), "{kind}");
    }
    assert!(points_at_what_exists(&text) > 5, "{text}");
    // What answers it comes first: the step in the first program.
    let first = text.lines().nth(1).expect("a place");
    assert!(first.contains("task3_server.rs"), "{text}");
    assert!(!first.contains("//!"), "a drawing comes after it: {text}");
    let questions = text.lines().filter(|line| line.starts_with("viva  "));
    for line in questions {
        assert!(!line.contains("handout ="), "{line}");
    }
    let kinds: Vec<_> = text.lines().skip(1).map(|line| &line[..4]).collect();
    let rank = |kind: &&str| ids::KINDS.iter().position(|one| one == kind);
    assert!(kinds.iter().map(rank).is_sorted(), "{text}");
    assert!(!text.contains("ids.toml"), "{text}");
}

#[test]
fn a_beginning_lists_the_ids() {
    let (text, _) = answer("E-T");
    for id in ["E-T1 ", "E-T2 ", "E-T3 ", "E-T4 "] {
        assert!(text.contains(&format!("\n{id}")), "{id}: {text}");
    }
    assert!(!text.contains("\nE-S1"), "{text}");
}

#[test]
fn each_part_of_a_question_has_its_own_text() {
    let (list, _) = answer("G-6");
    let texts: Vec<_> = list.lines().skip(1).collect();
    assert_eq!(texts.len(), 4, "{list}");
    for line in &texts {
        let (_, text) = line.split_at(21);
        let same = texts.iter().filter(|other| other.ends_with(text));
        assert_eq!(same.count(), 1, "{list}");
        assert!(line.chars().count() <= 80, "{line}");
        // The same text begins the answer to the whole id.
        let id = line.split(' ').next().expect("an id");
        let (one, _) = answer(id);
        let first = format!("{id}: {text} (lab calculator)");
        assert_eq!(one.lines().next(), Some(first.as_str()), "{one}");
    }
}

#[test]
fn a_tag_in_the_sentences_of_a_header_points_at_the_first_line() {
    let (text, _) = answer("X-WIRE");
    assert!(text.contains("labs/wire/cable.rs:1  //! "), "{text}");
    assert!(points_at_what_exists(&text) > 5, "{text}");
}

#[test]
fn an_id_without_code_says_why() {
    let (text, code) = answer("G-N");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("G-N: "), "{text}");
    assert!(text.contains("no code: "), "{text}");
}

#[test]
fn a_call_has_the_steps_that_make_it() {
    for word in ["accept", "accept()"] {
        let (text, _) = answer(word);
        assert!(text.contains("4 accept() of greet-server"), "{text}");
        assert!(points_at_what_exists(&text) > 10, "{text}");
    }
}

#[test]
fn a_program_and_an_error_are_found() {
    let (text, _) = answer("echo-server");
    assert!(text.contains("labs/echo/tcp_server.rs"), "{text}");
    assert!(text.contains("step  4 accept()"), "{text}");
    let (text, _) = answer("ECONNREFUSED");
    assert!(text.contains("make explain ARGS=ECONNREFUSED"), "{text}");
    assert!(points_at_what_exists(&text) > 0, "{text}");
}

#[test]
fn what_is_not_there_is_an_error_with_examples() {
    let (text, code) = answer("bogus");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("E-T3"), "{text}");
}
