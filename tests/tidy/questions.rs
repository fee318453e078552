//! The questions of the viva are complete, and name steps and files that exist.

use guide::viva;
use harness::source_tree;
use harness::steps::banners;

use crate::tree::{code, labs, none, root};

#[test]
fn viva_questions_are_complete_and_name_what_exists() {
    let mut problems = Vec::new();
    for lab in labs() {
        let folder = root().join("labs").join(&lab);
        let questions = match viva::load(&folder) {
            Ok(questions) => questions,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        problems.extend(viva::check(&lab, &questions));
        for question in &questions {
            for place in &question.places {
                let Ok(text) = source_tree::read(&root().join(&place.file))
                else {
                    let (id, file) = (&question.id, &place.file);
                    problems.push(format!("{id}: no file {file}"));
                    continue;
                };
                let step = &place.step;
                let found = match step.strip_prefix("fn ") {
                    Some(_) => text.contains(&format!("{step}(")),
                    None => banners(&root().join(&place.file))
                        .expect("a file")
                        .iter()
                        .any(|banner| banner.ends_with(&format!(" {step}"))),
                };
                if !found {
                    let (id, file) = (&question.id, &place.file);
                    problems.push(format!("{id}: {file} has no {step}"));
                }
            }
        }
        problems.extend(pointers(&lab, questions.len()));
    }
    none(problems);
}

/// `(viva 3)` and `(try 1)` in a lab's files must point at something.
fn pointers(lab: &str, questions: usize) -> Vec<String> {
    let tries = tries(lab);
    let mut problems = Vec::new();
    for (file, text) in code(&format!("labs/{lab}")) {
        for (number, line) in text.lines().enumerate() {
            for (kind, most) in [("(viva ", questions), ("(try ", tries)] {
                for rest in line.split(kind).skip(1) {
                    let target = rest.split(')').next().unwrap_or_default();
                    let target = target.parse::<usize>().unwrap_or(0);
                    if target == 0 || target > most {
                        let at = number + 1;
                        problems.push(format!("{file}:{at}: {kind}{target})"));
                    }
                }
            }
        }
    }
    problems
}

/// The number of experiments: `## Try` in the README, and `## More to try` in
/// the notes, which continue the numbers.
fn tries(lab: &str) -> usize {
    let mut count = 0;
    for page in source_tree::pages(lab).expect("pages") {
        let text = source_tree::read(&page).expect("a page");
        for title in ["\n## Try\n", "\n## More to try\n"] {
            let (_, tries) = text.split_once(title).unwrap_or_default();
            let tries = tries.split("\n## ").next().unwrap_or_default();
            let numbers = tries.lines().filter_map(|line| {
                line.split_once(". ")?.0.parse::<usize>().ok()
            });
            count += numbers.count();
        }
    }
    count
}
