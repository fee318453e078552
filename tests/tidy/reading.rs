//! The section *Read first* of each lab: the files are short, they answer the
//! handout, and they begin with the sockets. The line counts in the pages are
//! those of the files.

use std::path::Path;

use harness::ids;
use harness::source_tree;
use harness::steps::banner;

use crate::tree::{labs, none, programs, read, root};

/// The first step of a program must begin in one of this many lines.
const FIRST_SCREEN: usize = 40;

/// A task may ask a student to read this many lines.
const MOST_READ: usize = 300;

#[test]
fn step_1_is_on_the_first_screen_of_every_program() {
    let mut problems = Vec::new();
    for (name, path) in programs() {
        if path.starts_with("labs/") {
            let late = late_first_step(&read(&path));
            problems.extend(late.map(|line| format!("{path}:{line}: {name}")));
        }
    }
    none(problems);
}

/// The line of step 1, if it is too far down. (A program whose first step is
/// in a module has none.)
fn late_first_step(text: &str) -> Option<usize> {
    let mut lines = text.lines().enumerate();
    let first = lines.find(|(_, line)| {
        banner(line).is_some_and(|step| step.starts_with("1 "))
    });
    let line = first.map(|(index, _)| index + 1)?;
    (line > FIRST_SCREEN).then_some(line)
}

#[test]
fn read_first_is_short_and_answers_its_ids() {
    let mut problems = Vec::new();
    for lab in labs() {
        let page = read(&format!("labs/{lab}/README.md"));
        let Some(section) = section(&page, "Read first") else {
            problems.push(format!("labs/{lab}/README.md: no Read first"));
            continue;
        };
        let rows: Vec<&str> =
            section.lines().filter(|line| line.starts_with("| ")).collect();
        if rows.len() < 3 {
            problems.push(format!("labs/{lab}/README.md: an empty Read first"));
        }
        let folder = root().join("labs").join(&lab);
        for row in rows.iter().skip(2) {
            let found = row_problems(row, &folder).into_iter();
            problems.extend(found.map(|what| format!("{lab}: {what}")));
        }
    }
    none(problems);
}

#[test]
fn the_table_of_labs_counts_the_lines_of_the_first_programs() {
    let mut problems = Vec::new();
    let table = read("README.md");
    for lab in labs() {
        let page = read(&format!("labs/{lab}/README.md"));
        let first = section(&page, "Read first")
            .and_then(|section| {
                section.lines().filter(|line| line.starts_with("| ")).nth(2)
            })
            .map(last_cell);
        let row = format!("| [{lab}](labs/{lab}/README.md)");
        let told = table.lines().find(|line| line.starts_with(&row));
        let told = told.map(last_cell);
        if told != first {
            problems.push(format!("README.md: {lab}: {told:?}, not {first:?}"));
        }
    }
    none(problems);
}

/// The text of a table row's last cell.
fn last_cell(row: &str) -> &str {
    row.trim_end_matches('|').rsplit('|').next().unwrap_or_default().trim()
}

/// The text of a `## ` section.
fn section<'a>(page: &'a str, title: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("\n## {title}\n"))?;
    rest.split("\n## ").next()?.split("\n### ").next()
}

/// What is wrong with `| ids | files | lines |`.
fn row_problems(row: &str, folder: &Path) -> Vec<String> {
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let &[_, ids, files, lines, _] = cells.as_slice() else {
        return vec![format!("not three columns: {row}")];
    };
    let files: Vec<&str> = files.split('`').skip(1).step_by(2).collect();
    let mut problems = Vec::new();
    let mut all = String::new();
    for file in &files {
        match std::fs::read_to_string(folder.join(file)) {
            Ok(text) => all.push_str(&text),
            Err(_) => problems.push(format!("no file {file}")),
        }
    }
    let count = all.lines().count();
    if lines != count.to_string() {
        problems.push(format!("{ids}: {count} lines, not {lines}"));
    }
    if count > MOST_READ {
        problems.push(format!("{ids}: {count} lines, {MOST_READ} at most"));
    }
    for id in ids.split_whitespace() {
        if !all.contains(&format!("[{id}]")) {
            problems.push(format!("{id}: no [{id}] in {files:?}"));
        }
    }
    problems
}

#[test]
fn the_path_names_functions_that_exist() {
    let mut problems = Vec::new();
    let wanted = ["chat", "proxy", "mail", "message", "rpc", "internet"];
    for lab in labs() {
        let pages = source_tree::pages(&lab).expect("pages").into_iter();
        let pages = pages.map(|page| source_tree::read(&page).expect("text"));
        let pages = pages.collect::<Vec<_>>().concat();
        let folder = root().join("labs").join(&lab);
        let paths: Vec<&str> = pages
            .split("\n## ")
            .filter(|section| section.starts_with("The path"))
            .collect();
        if wanted.contains(&lab.as_str()) && paths.is_empty() {
            problems.push(format!("{lab}: no section The path"));
        }
        for path in paths {
            let found = path_problems(path, &folder).into_iter();
            problems.extend(found.map(|what| format!("{lab}: {what}")));
        }
    }
    none(problems);
}

/// What is wrong with eight lines like "1. `server.rs` `main`: …".
fn path_problems(section: &str, folder: &Path) -> Vec<String> {
    let mut problems = Vec::new();
    let mut steps = 0;
    for line in section.lines() {
        let Some((number, rest)) = line.split_once(". `") else { continue };
        if number.parse::<usize>().is_err() {
            continue;
        }
        steps += 1;
        let mut names = rest.split('`');
        let (file, function) = (names.next(), names.nth(1));
        let (file, function) =
            (file.unwrap_or_default(), function.unwrap_or_default());
        let path = match file.starts_with("src/") {
            true => root().join(file),
            false => folder.join(file),
        };
        let name = function.rsplit("::").next().unwrap_or_default();
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let begins = [format!("fn {name}("), format!("fn {name}<")];
        if !begins.iter().any(|begin| text.contains(begin)) {
            problems.push(format!("step {number}: {file} has no fn {name}"));
        }
    }
    if steps != 8 {
        problems.push(format!("The path has {steps} steps, not 8"));
    }
    problems
}

#[test]
fn the_ids_of_every_lab_are_read_first_somewhere() {
    let mut problems = Vec::new();
    for row in ids::rows().expect("labs/ids.toml") {
        let Some(lab) = row.lab.filter(|lab| lab != "src") else { continue };
        let page = read(&format!("labs/{lab}/README.md"));
        let first = section(&page, "Read first").unwrap_or_default();
        let named: Vec<&str> = first.split([' ', '|', '\n']).collect();
        let is_task = |id: &&String| {
            // Tasks and steps; questions and commands have their own places.
            let kind = id.split('-').nth(1).unwrap_or_default();
            !kind.starts_with(['Q', 'O', 'I', 'P', 'E', 'B', 'K'])
        };
        for id in row.ids.iter().filter(is_task) {
            if !named.contains(&id.as_str()) {
                problems.push(format!("{lab}: {id} is not in Read first"));
            }
        }
    }
    none(problems);
}

#[test]
fn each_rule_finds_what_breaks_it() {
    let late = format!("{}// ---- 1 socket() ---\n", "\n".repeat(40));
    assert_eq!(late_first_step(&late), Some(41));
    assert_eq!(late_first_step("// ---- 1 socket() ---\n"), None);
    let folder = root().join("labs/greet");
    assert_eq!(row_problems("| Z-9 | `server.rs` | 1 |", &folder).len(), 2);
    assert_eq!(row_problems("| T-S | `none.rs` | 0 |", &folder).len(), 2);
    let page =
        "The path\n1. `server.rs` `main`: x\n2. `server.rs` `nobody`: x\n";
    assert_eq!(path_problems(page, &folder).len(), 2);
}
