//! Rules for the text of the code: how long functions and lines may be, which
//! calls are forbidden, and that each public item is used.

use std::collections::BTreeMap;

use harness::imports;

use crate::tree::{self, Text, check, code, files, none, root};

/// Lines of code that a function may have: one screen.
const SCREEN: usize = 60;

#[test]
fn a_function_fits_a_screen() {
    let code = [code("labs"), code("src")].concat();
    none(check(code, long_functions));
}

/// Functions of more than [`SCREEN`] lines, comments and blank lines not
/// counted. rustfmt puts the closing brace under the function's beginning.
fn long_functions(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let begins = line.trim_start();
        let indent = line.len() - begins.len();
        let begins = begins.trim_start_matches("pub ");
        let begins = begins.trim_start_matches("const ");
        let Some(rest) = begins.strip_prefix("fn ") else { continue };
        let closing = format!("{}}}", " ".repeat(indent));
        let body = lines.iter().skip(start);
        let count = body
            .take_while(|line| **line != closing)
            .filter(|line| {
                let line = line.trim_start();
                !line.is_empty() && !line.starts_with("//")
            })
            .count()
            + 1;
        if count > SCREEN {
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            found.push((start + 1, format!("fn {name} has {count} lines")));
        }
    }
    found
}

#[test]
fn a_line_fits_beside_the_lecture_notes() {
    let files = [code("labs"), code("src"), files("labs", ".py")].concat();
    none(check(files, |text| {
        let long = |line: &str| line.chars().count() > 80;
        lines_that(text, long, "over 80 columns")
    }));
}

/// The lines for which `bad` holds.
fn lines_that(
    text: &str,
    bad: impl Fn(&str) -> bool,
    what: &str,
) -> Vec<(usize, String)> {
    let lines = text.lines().enumerate();
    let bad = lines.filter(|(_, line)| bad(line));
    bad.map(|(index, _)| (index + 1, what.to_string())).collect()
}

#[test]
fn nothing_a_peer_can_influence_is_unwrapped() {
    // The harness may panic, because a panic makes a test fail.
    let mut files = [code("labs"), code("src")].concat();
    files.retain(|(file, _)| {
        !file.starts_with("src/harness/") && !file.ends_with("tests.rs")
    });
    none(check(files, unwraps));
}

fn unwraps(text: &str) -> Vec<(usize, String)> {
    let code = without_strings(&imports::code(text));
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let bad = [
            ".unwrap()",
            ".expect(",
            ".unwrap_err()",
            ".expect_err(",
            "println!",
            "todo!",
            "unsafe ",
        ];
        let bad = bad.iter().find(|bad| line.contains(**bad));
        found.extend(bad.map(|bad| (index + 1, bad.to_string())));
    }
    found
}

/// The code with empty strings: a hint such as "call listener.accept() again"
/// is a text, not a call.
fn without_strings(code: &str) -> String {
    let mut kept = String::new();
    let (mut inside, mut raw) = (false, false);
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // The character '"' does not begin a string.
            '\'' if !inside && chars.peek() == Some(&'"') => {
                chars.next();
            }
            '\\' if inside && !raw => {
                // The character after a backslash does not end the string. A
                // newline is kept, so that later lines keep their numbers.
                kept.extend(chars.next().filter(|next| *next == '\n'));
            }
            '"' if inside && raw && chars.peek() != Some(&'#') => {}
            '"' => {
                raw = !inside && kept.ends_with("r#");
                inside = !inside;
                kept.push('"');
            }
            '\n' => kept.push('\n'),
            _ if inside => {}
            _ => kept.push(c),
        }
    }
    kept
}

#[test]
fn no_lint_is_silenced_and_no_file_is_included_by_its_path() {
    let all = ["labs", "src", "tests"].map(|folder| files(folder, ".rs"));
    none(check(all.concat(), attributes));
}

fn attributes(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(attribute) = line.trim_start().strip_prefix('#') else {
            continue;
        };
        let name = attribute.trim_start_matches(['!', '[']);
        let bad = ["allow(", "expect(", "path ="];
        if bad.iter().any(|bad| name.starts_with(bad)) {
            found.push((index + 1, line.to_string()));
        }
    }
    found
}

#[test]
fn accept_is_called_in_the_labs_and_never_in_src() {
    let mut files = code("src");
    files.retain(|(file, _)| {
        // Allowed are the method itself, and the servers of tests.
        file != "src/socketlab/net/tcp.rs"
            && !file.starts_with("src/harness/")
            && !file.ends_with("tests.rs")
    });
    none(check(files, accepts));
}

fn accepts(text: &str) -> Vec<(usize, String)> {
    let code = without_strings(&imports::code(text));
    lines_that(&code, |line| line.contains(".accept()"), "hides accept()")
}

#[test]
fn src_knows_no_lab_by_its_name() {
    let labs = tree::labs();
    let mut files = code("src");
    // src/explain names protocols (HTTP, SMTP), not labs.
    files.retain(|(file, _)| !file.starts_with("src/explain/"));
    none(check(files, |text| names_of_labs(text, &labs)));
}

/// A lab's name as a string of its own, or its programs' names.
fn names_of_labs(text: &str, labs: &[String]) -> Vec<(usize, String)> {
    let code = imports::code(text);
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        for lab in labs {
            let named = [
                format!("\"{lab}\""),
                format!("{lab}-server"),
                format!("{lab}-client"),
                format!("labs/{lab}"),
            ];
            if named.iter().any(|name| line.contains(name)) {
                found.push((index + 1, format!("names the lab {lab}")));
            }
        }
    }
    found
}

#[test]
fn each_public_item_of_a_lab_is_used_outside_its_file_and_its_tests() {
    let mut problems = Vec::new();
    for lab in tree::labs() {
        let files = code(&format!("labs/{lab}"));
        let library = root().join("labs").join(&lab).join("lib.rs");
        let library = imports::Library::of(&library).expect("a library");
        let modules = library.modules().values();
        let modules = modules.map(|file| {
            let file = file.strip_prefix(root()).expect("below the root");
            file.display().to_string()
        });
        let modules: Vec<String> = modules.collect();
        problems.extend(unused_items(&files, &modules));
    }
    none(problems);
}

/// The `pub` items of these modules whose name no other file has as a word.
/// (A library hides dead code from the compiler.)
fn unused_items(files: &[Text], modules: &[String]) -> Vec<String> {
    let words: BTreeMap<&str, Vec<String>> = files
        .iter()
        .map(|(file, text)| (file.as_str(), words(&imports::code(text))))
        .collect();
    let mut problems = Vec::new();
    for (file, text) in files {
        if !modules.contains(file) {
            continue;
        }
        for (index, line) in imports::code(text).lines().enumerate() {
            let Some(name) = public_name(line) else { continue };
            let used = words
                .iter()
                .any(|(other, words)| other != file && words.contains(&name))
                || in_public_signature(text, &name, index);
            if !used {
                problems.push(format!("{file}:{}: pub {name}", index + 1));
            }
        }
    }
    problems
}

/// A type that a public function returns or a public field has must be public
/// itself, although nobody outside names it.
fn in_public_signature(text: &str, name: &str, definition: usize) -> bool {
    let is_type = name.starts_with(char::is_uppercase)
        && name.contains(char::is_lowercase);
    let code = imports::code(text);
    let mut lines = code.lines().enumerate();
    is_type
        && lines.any(|(index, line)| {
            let public = line.contains("->")
                || line.trim_start().starts_with("pub ")
                || line.trim_start().starts_with("type ");
            index != definition
                && public
                && words(line).iter().any(|word| word == name)
        })
}

/// `hub` for `pub fn hub(…`, and for the other kinds of items.
fn public_name(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("pub ")?;
    let kinds = ["fn ", "struct ", "enum ", "trait ", "type ", "static "];
    let rest = rest
        .strip_prefix("const ")
        .map_or(rest, |rest| rest.strip_prefix("fn ").unwrap_or(rest));
    let rest = kinds.iter().find_map(|kind| rest.strip_prefix(kind));
    let rest = rest.or(line.trim_start().strip_prefix("pub const "))?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
    Some(rest.get(..end.unwrap_or(rest.len()))?.to_string())
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .map(str::to_string)
        .collect();
    words.sort();
    words.dedup();
    words
}

#[test]
fn tests_wait_for_events_and_never_sleep() {
    let sleep = concat!("thread::", "sleep");
    none(check(tree::tests(), |text| {
        lines_that(text, |line| line.contains(sleep), sleep)
    }));
}

#[test]
fn every_test_file_says_what_it_proves() {
    let first = |text: &str| match text.starts_with("//! ") {
        true => Vec::new(),
        false => vec![(1, "no //! line at its head".to_string())],
    };
    none(check(tree::tests(), first));
}

/// Tries each rule on a text that breaks it.
#[test]
fn each_rule_finds_what_breaks_it() {
    let long = format!("fn f() {{\n{}}}\n", "    g();\n".repeat(60));
    assert_eq!(long_functions(&long).len(), 1);
    let fits = format!("fn f() {{\n{}}}\n", "    g();\n".repeat(58));
    assert_eq!(long_functions(&fits), []);
    assert_eq!(unwraps("x.unwrap();\n"), [(1, ".unwrap()".to_string())]);
    assert_eq!(unwraps("#[cfg(test)]\nmod tests { x.unwrap() }\n"), []);
    assert_eq!(attributes("#[path = \"x.rs\"]\nmod x;\n").len(), 1);
    assert_eq!(attributes("#![allow(dead_code)]\n").len(), 1);
    assert_eq!(accepts("let x = listener.accept()?;\n").len(), 1);
    // A call in a text is not a call, and the lines keep their numbers.
    assert_eq!(accepts("say(\"call \\\"x.accept()\\\"\");\n"), []);
    let texts =
        "a(\"x \\\n  y\", '\"', r#\"z.accept() \"z\" \"#);\nb.accept();\n";
    let found = accepts(texts);
    assert_eq!(found, [(3, "hides accept()".to_string())]);
    let labs = ["echo".to_string()];
    assert_eq!(names_of_labs("start(\"echo-server\")\n", &labs).len(), 1);
    assert_eq!(names_of_labs("// like echo-server\n", &labs), []);
    let text = |file: &str, text: &str| (file.to_string(), text.to_string());
    let files = [
        text("a.rs", "pub fn used() {}\npub fn unused() {}\n"),
        text("b.rs", "a::used();\n"),
    ];
    let unused = unused_items(&files, &["a.rs".to_string()]);
    assert_eq!(unused, ["a.rs:2: pub unused"]);
}
