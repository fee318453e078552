//! The names lab, black box: what the one program says of names, ports and
//! sockets, beside Python's socket module, and in worlds of other machines.

mod answers;
mod machines;
mod parts;
mod plain;
mod ports;
mod sockets;
mod typos;

use harness::terminal::{self, Terminal};

/// What a run printed, and its exit status.
struct Run {
    text: String,
    code: Option<i32>,
}

impl Run {
    /// The text after a label, joined with its further lines.
    #[track_caller]
    fn item(&self, label: &str) -> String {
        let mut found: Option<String> = None;
        for line in self.text.lines() {
            let (head, rest) = line.split_at_checked(10).unwrap_or((line, ""));
            match &mut found {
                None if head.trim_end() == label => found = Some(rest.into()),
                Some(text) if head.trim().is_empty() => {
                    text.push(' ');
                    text.push_str(rest);
                }
                Some(_) => break,
                None => {}
            }
        }
        found.unwrap_or_else(|| panic!("no '{label}' in:\n{}", self.text))
    }

    /// The text as if no line had been broken.
    fn flat(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn says(&self, wanted: &str) {
        assert!(self.flat().contains(wanted), "no '{wanted}':\n{}", self.text);
    }

    #[track_caller]
    fn lacks(&self, unwanted: &str) {
        assert!(!self.flat().contains(unwanted), "{}", self.text);
    }

    #[track_caller]
    fn ended(self, code: i32) -> Run {
        assert_eq!(self.code, Some(code), "{}", self.text);
        self
    }
}

/// Runs `names` with these arguments.
#[track_caller]
fn names(arguments: &[&str]) -> Run {
    run(terminal::command("names").args(arguments))
}

#[track_caller]
fn run(command: &mut std::process::Command) -> Run {
    let mut program = Terminal::run(command).expect("it starts");
    let said = program.read_to_end().expect("it ends");
    let code = program.wait_for_end().expect("it ends").code();
    Run { text: String::from_utf8_lossy(&said).into_owned(), code }
}

/// What Python says; `None` without Python.
#[track_caller]
fn python(arguments: &[&str]) -> Option<Run> {
    let mut command = harness::python("names/lookup.py")?;
    Some(run(command.args(arguments)))
}

/// Python's answer to each pair of words, a line each; `None` without it.
fn python_lines(what: &str, pairs: &[(&str, &str)]) -> Option<Vec<String>> {
    let mut arguments = vec![what];
    arguments.extend(pairs.iter().flat_map(|(one, two)| [*one, *two]));
    let text = python(&arguments)?.text;
    let lines: Vec<String> = text.lines().map(str::to_string).collect();
    assert_eq!(lines.len(), pairs.len(), "{text}");
    Some(lines)
}

/// Does this machine know these services by name?
fn knows(services: &[(&str, &str)]) -> bool {
    let known = python_lines("service", services).is_some_and(|lines| {
        lines.iter().all(|line| !line.starts_with("error"))
    });
    if !known {
        eprintln!("skipped: its list of services lacks one of {services:?}");
    }
    known
}

/// Has this machine IPv6 at all?
fn has_ipv6() -> bool {
    std::net::UdpSocket::bind("[::1]:0").is_ok()
}

#[test]
fn t_v1_the_readmes_transcripts_hold() {
    harness::play_readme("names");
}
