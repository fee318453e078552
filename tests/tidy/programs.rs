//! Programs: each is listed, has its make targets and declares its steps.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use harness::imports::Library;
use harness::steps::{banners, of_program};

use crate::tree::{code, labs, none, programs, read, root};

#[test]
fn every_program_is_listed_and_every_list_names_it() {
    let mut problems = Vec::new();
    let programs = programs();
    let makefile = read("Makefile");
    for (file, text) in code("labs") {
        let listed = programs.iter().any(|(_, path)| *path == file);
        if text.contains("\nfn main()") != listed {
            problems.push(format!("{file}: fn main() and [[bin]] disagree"));
        }
    }
    for (name, path) in &programs {
        let Some(lab) = path.strip_prefix("labs/") else { continue };
        let lab = lab.split('/').next().expect("a lab");
        let fits = name == lab || name.starts_with(&format!("{lab}-"));
        // `fetch` is the one exception: users type it often.
        if !fits && name != "fetch" {
            problems.push(format!("{name}: does not begin with {lab}-"));
        }
        if !makefile.contains(&format!("\n{name}: ##")) {
            problems.push(format!("{name}: no line in the Makefile's help"));
        }
    }
    none(problems);
}

#[test]
fn every_lab_has_page_questions_tests_and_targets() {
    let mut problems = Vec::new();
    let makefile = read("Makefile");
    let labs = labs();
    for entry in fs::read_dir(root().join("labs")).expect("labs").flatten() {
        let name = entry.file_name().to_string_lossy().to_string();
        if entry.path().is_dir() && !labs.contains(&name) {
            problems.push(format!("labs/{name}: not in the README's table"));
        }
    }
    for lab in labs {
        for file in [
            format!("labs/{lab}/README.md"),
            format!("labs/{lab}/viva.toml"),
            format!("labs/{lab}/tests/main.rs"),
            format!("labs/{lab}/lib.rs"),
        ] {
            if !root().join(&file).is_file() {
                problems.push(format!("{file} is missing"));
            }
        }
        for target in
            [lab.clone(), format!("test-{lab}"), format!("viva-{lab}")]
        {
            if !makefile.contains(&format!("\n{target}: ##")) {
                problems.push(format!("Makefile: no target {target}"));
            }
        }
        let page = read(&format!("labs/{lab}/README.md"));
        let mut from = 0;
        for section in ["Handout", "Run it", "Try", "Viva", "Limits"] {
            match page[from..].find(&format!("\n## {section}\n")) {
                Some(at) => from += at,
                None => problems.push(format!(
                    "labs/{lab}/README.md: section {section} is missing or \
                     in the wrong place"
                )),
            }
        }
    }
    none(problems);
}

#[test]
fn step_banners_are_the_steps_that_the_program_declares() {
    let mut problems = Vec::new();
    for (name, path) in programs() {
        let text = read(&path);
        let Some((_, steps)) = text.split_once("    steps: \"") else {
            continue;
        };
        let steps = steps.split('"').next().unwrap_or_default();
        let written = of_program(&name).expect("a program");
        for banner in banners(&root().join(&path)).expect("a file") {
            if !banner.ends_with("()") {
                problems.push(format!("{path}: {banner} is not a call"));
            }
        }
        let mut dialogues = BTreeMap::<String, BTreeSet<usize>>::new();
        let main = root().join(&path);
        let library = Library::of(&main).expect("a library");
        for module in library.reached_from(&main).expect("files") {
            let mut steps = banners(&module).expect("a file");
            steps.retain(|banner| !banner.ends_with("()"));
            // The files of a folder are one dialogue, with its own numbers.
            let folder = module.parent().expect("a folder");
            let in_folder = !folder.join("lib.rs").is_file();
            let dialogue = if in_folder { folder } else { &module };
            let dialogue = dialogue.with_extension("").display().to_string();
            let numbers = steps.iter().map(|banner| {
                let number = banner.split(' ').next().unwrap_or_default();
                number.parse::<usize>().unwrap_or_default()
            });
            dialogues.entry(dialogue).or_default().extend(numbers);
        }
        let declared: Vec<String> = steps
            .split_whitespace()
            .filter(|word| *word != "\\") // the string continues below
            .enumerate()
            .map(|(index, step)| format!("{} {step}()", index + 1))
            .collect();
        if declared != written {
            problems.push(format!(
                "{path} ({name}): declares {declared:?}, banners {written:?}"
            ));
        }
        for (dialogue, numbers) in dialogues {
            if !numbers.iter().copied().eq(1..=numbers.len()) {
                problems.push(format!("{path}, {dialogue}: {numbers:?}"));
            }
        }
    }
    none(problems);
}
