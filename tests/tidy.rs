//! The rules of the house, as tests. Each failure says what to mend where.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use guide::viva;
use harness::house;

fn root() -> PathBuf {
    house::root().expect("the sources")
}

fn read(path: &str) -> String {
    house::read(&root().join(path)).expect("a file")
}

fn labs() -> Vec<String> {
    house::labs().expect("the README's table of labs")
}

/// All files below a folder that end so, with their path from the root.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
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

/// Fails with all problems at once.
#[track_caller]
fn none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// The programs of all packages: name, and path from the root.
fn programs() -> Vec<(String, String)> {
    let programs = house::programs().expect("the lists of programs");
    let pair = |program: house::Program| {
        (program.name, program.file.display().to_string())
    };
    programs.into_iter().map(pair).collect()
}

/// The code of labs/ or src/: all files but the tests.
fn code(folder: &str) -> Vec<(String, String)> {
    let mut files = files(folder, ".rs");
    files.retain(|(file, _)| !house::is_test(Path::new(file)));
    files
}

/// The files of all tests, and what they share.
fn tests() -> Vec<(String, String)> {
    let mut files = [files("labs", ".rs"), files("tests", ".rs")].concat();
    files.retain(|(file, _)| house::is_test(Path::new(file)));
    files
}

/// The ids in the first column of the README's last table.
fn ids() -> Vec<String> {
    let readme = read("README.md");
    let (_, table) = readme.split_once("\n## The handouts").expect("the table");
    let rows = table.lines().filter_map(|row| row.strip_prefix("| "));
    let cells = rows.filter_map(|row| row.split(" |").next());
    let ids = cells.flat_map(|cell| cell.split(' '));
    ids.filter(|id| id.contains('-') && !id.contains("--"))
        .map(str::to_string)
        .collect()
}

#[test]
fn every_id_of_the_readme_has_a_tag_in_code_and_a_test() {
    let mut problems = Vec::new();
    let ids = ids();
    assert!(ids.len() > 20, "the README's table of ids is gone");
    let sources = house::Sources::read().expect("the sources");
    for id in ids {
        let places = sources.places(&id);
        let has = |kind: &str| places.iter().any(|place| place.kind == kind);
        if !has("code") {
            problems.push(format!("{id}: no [{id}] in src/ or labs/"));
        }
        let test = house::test_prefix(&id);
        let name = format!("fn {test}");
        if !places.iter().any(|p| p.kind == "test" && p.text.contains(&name)) {
            problems.push(format!("{id}: no test is called {test}…"));
        }
    }
    none(problems);
}

#[test]
fn every_tag_in_code_is_in_the_readmes_table() {
    let ids: BTreeSet<String> = ids().into_iter().collect();
    let mut problems = Vec::new();
    for (file, text) in code("labs") {
        for (number, line) in text.lines().enumerate() {
            for tag in tags(line) {
                if !ids.contains(&tag) {
                    let number = number + 1;
                    problems.push(format!("{file}:{number}: [{tag}]"));
                }
            }
        }
    }
    none(problems);
}

/// `[E-T3]` and its like in a line.
fn tags(line: &str) -> Vec<String> {
    let candidates = line.split('[').skip(1).filter_map(|rest| {
        let (tag, _) = rest.split_once(']')?;
        let (handout, number) = tag.split_once('-')?;
        let known = ["D", "E", "G", "W", "T", "X"].contains(&handout);
        (known && !number.is_empty() && !number.contains(' ')).then_some(tag)
    });
    candidates.map(str::to_string).collect()
}

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
        // The one exception: its user types it often.
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
        if !labs.contains(&name) {
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
                    "labs/{lab}/README.md: no section {section}, or not here"
                )),
            }
        }
    }
    none(problems);
}

#[test]
fn every_page_links_to_what_exists() {
    let mut problems = Vec::new();
    let mut pages = files("labs", ".md");
    pages.push(("README.md".into(), read("README.md")));
    for (file, text) in pages {
        let folder = root().join(&file);
        let folder = folder.parent().unwrap_or(Path::new("")).to_path_buf();
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap_or_default();
            if !link.is_empty()
                && !link.starts_with("http")
                && !folder.join(link).exists()
            {
                problems.push(format!("{file}: broken link {link}"));
            }
        }
    }
    none(problems);
}

#[test]
fn every_file_that_a_lab_names_exists() {
    let mut problems = Vec::new();
    let texts = [code("labs"), files("labs", ".md")].concat();
    for (file, text) in texts.into_iter().chain(files("labs", ".toml")) {
        let lab = file.rsplit_once('/').expect("a lab's folder").0;
        let python = format!("{lab}/python");
        let homes = [lab, "", "labs", "src", "src/socketlab", &python];
        for (number, line) in text.lines().enumerate() {
            let no_path = |c: char| !c.is_alphanumeric() && !"_/.*".contains(c);
            for word in line.split(no_path) {
                let named = word.ends_with(".rs") || word.ends_with(".py");
                let exists = |home| root().join(home).join(word).is_file();
                // `udp_*.rs` stands for several.
                if named && !word.contains('*') && !homes.iter().any(exists) {
                    problems.push(format!("{file}:{}: {word}", number + 1));
                }
            }
        }
    }
    none(problems);
}

#[test]
fn lab_files_can_be_read_in_one_sitting_and_beside_the_notes() {
    let mut problems = Vec::new();
    for (file, text) in code("labs") {
        let lines = text.lines().count();
        if lines > 300 {
            problems.push(format!("{file}: {lines} lines, 300 at most"));
        }
    }
    for (file, text) in
        [code("labs"), code("src"), files("labs", ".py")].concat()
    {
        for (number, line) in text.lines().enumerate() {
            if line.chars().count() > 80 {
                let number = number + 1;
                problems.push(format!("{file}:{number}: over 80 columns"));
            }
        }
    }
    none(problems);
}

#[test]
fn nothing_a_peer_can_influence_is_unwrapped() {
    let mut problems = Vec::new();
    for (file, text) in [code("labs"), code("src")].concat() {
        // In src/ the tests of a module may unwrap: they stand at its end, or
        // in a file of their own. In labs/ nothing does.
        let tests = file.starts_with("src/").then_some("#[cfg(test)]");
        let code = tests.and_then(|tests| text.split(tests).next());
        // What tests share fails by a panic, too.
        let exempt = tests.is_some()
            && (file.ends_with("tests.rs") || file == "src/harness/peers.rs");
        for (number, line) in code.unwrap_or(&text).lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            let bad = [
                ".unwrap()",
                ".expect(",
                ".unwrap_err()",
                ".expect_err(",
                "println!",
                "todo!",
                "unsafe ",
            ];
            let found = bad.iter().find(|bad| line.contains(**bad));
            if let Some(found) = found
                && !exempt
            {
                problems.push(format!("{file}:{}: {found}", number + 1));
            }
        }
    }
    none(problems);
}

#[test]
fn a_program_includes_only_what_it_uses() {
    let mut problems = Vec::new();
    let all = ["labs", "src", "tests"].map(|folder| files(folder, ".rs"));
    for (file, text) in all.concat() {
        for (number, line) in text.lines().enumerate() {
            // Code that one program needs and another does not stands in a
            // file of its own, which only the one includes; what all tests
            // share is a library. So no lint need be silenced.
            let Some(attribute) = line.trim_start().strip_prefix('#') else {
                continue;
            };
            let name = attribute.trim_start_matches(['!', '[']);
            if name.starts_with("allow(") || name.starts_with("expect(") {
                problems.push(format!("{file}:{}: {line}", number + 1));
            }
        }
    }
    none(problems);
}

#[test]
fn accept_is_called_in_the_labs_and_never_in_src() {
    let mut problems = Vec::new();
    for (file, text) in code("src") {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let allowed =
            file == "src/socketlab/net/tcp.rs" || file.ends_with("tests.rs");
        if code.contains(".accept()") && !allowed {
            problems.push(format!("{file} hides accept()"));
        }
    }
    none(problems);
}

#[test]
fn tests_wait_for_events_and_never_sleep() {
    let mut problems = Vec::new();
    let sleep = concat!("thread::", "sleep");
    for (file, text) in tests() {
        if text.contains(sleep) {
            problems.push(format!("{file}: {sleep}"));
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
        let written = house::program_steps(&name).expect("a program");
        for banner in house::steps(&root().join(&path)).expect("a file") {
            if !banner.ends_with("()") {
                problems.push(format!("{path}: {banner} is no call"));
            }
        }
        let mut dialogues = BTreeMap::<String, BTreeSet<usize>>::new();
        for module in house::modules(&root().join(&path)).expect("a file") {
            let mut banners = house::steps(&module).expect("a file");
            banners.retain(|banner| !banner.ends_with("()"));
            // ftp.rs and ftp_data.rs are one dialogue, with its own numbers.
            let stem = module.file_stem().expect("a name").to_string_lossy();
            let dialogue = stem.split('_').next().unwrap_or(&stem).to_string();
            let numbers = banners.iter().map(|banner| {
                let number = banner.split(' ').next().unwrap_or_default();
                number.parse::<usize>().unwrap_or_default()
            });
            dialogues.entry(dialogue).or_default().extend(numbers);
        }
        let declared: Vec<String> = steps
            .split_whitespace()
            .filter(|word| *word != "\\") // the string goes on below
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

#[test]
fn viva_questions_are_whole_and_point_at_what_exists() {
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
                let Ok(text) = house::read(&root().join(&place.file)) else {
                    let (id, file) = (&question.id, &place.file);
                    problems.push(format!("{id}: no file {file}"));
                    continue;
                };
                let step = &place.step;
                let found = match step.strip_prefix("fn ") {
                    Some(_) => text.contains(&format!("{step}(")),
                    None => house::steps(&root().join(&place.file))
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
    let page = read(&format!("labs/{lab}/README.md"));
    let (_, tries) = page.split_once("\n## Try\n").unwrap_or_default();
    let tries = tries.split("\n## ").next().unwrap_or_default();
    let tries = tries
        .lines()
        .filter_map(|line| line.split_once(". "))
        .filter(|(number, _)| number.parse::<usize>().is_ok())
        .count();
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
