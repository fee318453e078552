//! The lines of this machine's own tables, to show which one is responsible.
//! They are read to be shown; the answers come from the resolver.
//!
//! ```text
//! /etc/nsswitch.conf   hosts: files dns       whom to ask, in order
//! /etc/hosts           127.0.0.1  localhost   "files" for hosts
//! /etc/services        https  443/tcp         "files" for services
//! ```
//!
//! A file that is missing is an empty file.

use std::fs;
use std::net::IpAddr;

/// Lines shown of a file for one name; a longer list is cut.
pub const SHOWN: usize = 6;

/// A line of a file, without its comment.
pub struct Line {
    /// From 1.
    pub number: usize,
    /// The words of the line, blanks between them.
    pub text: String,
}

impl Line {
    /// Does this line of /etc/hosts begin with the address?
    pub fn is_for(&self, address: IpAddr) -> bool {
        begins_with(self.text.split(' ').next().as_ref(), address)
    }
}

/// The lines whose words are wanted. Whole lists of blocked hosts stand in
/// some hosts files, so that nothing is kept of the other lines.
fn lines(file: &str, wanted: impl Fn(&[&str]) -> bool) -> Vec<Line> {
    // Bytes: a stray Latin-1 comment must not hide the whole file.
    let bytes = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        if wanted(&words) {
            found.push(Line { number: index + 1, text: words.join(" ") });
        }
    }
    found
}

/// Lines of /etc/hosts that give this name an address.
pub fn hosts_lines_of(name: &str) -> Vec<Line> {
    lines("/etc/hosts", |words| {
        let mut names = words.iter().skip(1);
        names.any(|known| known.eq_ignore_ascii_case(name))
    })
}

/// Lines of /etc/hosts for this address.
pub fn hosts_lines_for(address: IpAddr) -> Vec<Line> {
    lines("/etc/hosts", |words| begins_with(words.first(), address))
}

fn begins_with(word: Option<&&str>, address: IpAddr) -> bool {
    word.is_some_and(|word| word.parse() == Ok(address))
}

/// Lines of /etc/services with this name (or alias): `http 80/tcp www`.
pub fn services_lines_of(name: &str) -> Vec<Line> {
    lines("/etc/services", |words| match words {
        [first, _, aliases @ ..] => *first == name || aliases.contains(&name),
        _ => false,
    })
}

/// Is there a table of services at all?
pub fn has_services() -> bool {
    fs::metadata("/etc/services").is_ok_and(|file| file.len() > 0)
}

/// The sources for host names, in their order: `files dns`. `None` where the
/// system has no such file.
pub fn sources() -> Option<String> {
    let is_hosts = |words: &[&str]| words.first() == Some(&"hosts:");
    let mut found = lines("/etc/nsswitch.conf", is_hosts).into_iter();
    let line = found.next()?.text;
    Some(line.trim_start_matches("hosts:").trim().to_string())
}
