//! The files that the rules read, and how a rule reports.

use std::fs;
use std::path::{Path, PathBuf};

use harness::source_tree;

/// A file: its path from the root, and its text.
pub type Text = (String, String);

pub fn root() -> PathBuf {
    source_tree::root().expect("the sources")
}

pub fn read(path: &str) -> String {
    source_tree::read(&root().join(path)).expect("a file")
}

pub fn labs() -> Vec<String> {
    source_tree::labs().expect("the README's table of labs")
}

/// All files below a folder whose names end with `ending`.
pub fn files(folder: &str, ending: &str) -> Vec<Text> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let text = fs::read_to_string(&path).expect("text");
                let name = path.strip_prefix(root()).expect("below the root");
                found.push((name.display().to_string(), text));
            }
        }
    }
    found.sort();
    found
}

/// The code of labs/ or src/: all files but the tests.
pub fn code(folder: &str) -> Vec<Text> {
    let mut files = files(folder, ".rs");
    files.retain(|(file, _)| !source_tree::is_test(Path::new(file)));
    files
}

/// The files of all tests.
pub fn tests() -> Vec<Text> {
    let mut files = [files("labs", ".rs"), files("tests", ".rs")].concat();
    files.retain(|(file, _)| source_tree::is_test(Path::new(file)));
    files
}

/// All programs: name, and path from the root.
pub fn programs() -> Vec<(String, String)> {
    let programs = source_tree::programs().expect("the lists of programs");
    let pair = |program: source_tree::Program| {
        (program.name, program.file.display().to_string())
    };
    programs.into_iter().map(pair).collect()
}

/// Applies a rule to each file. Returns what is wrong, after the file's name.
pub fn check(
    files: Vec<Text>,
    rule: impl Fn(&str) -> Vec<(usize, String)>,
) -> Vec<String> {
    let problems = files.iter().flat_map(|(file, text)| {
        let found = rule(text).into_iter();
        found.map(move |(line, what)| format!("{file}:{line}: {what}"))
    });
    problems.collect()
}

/// Fails with all problems at once.
#[track_caller]
pub fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
