//! The lines of this machine's own tables, to show which one is responsible.
//! They are read to be shown; the answers come from the resolver.
//!
//!     /etc/nsswitch.conf   hosts: files dns       whom to ask, in order
//!     /etc/hosts           127.0.0.1  localhost   "files" for hosts
//!     /etc/services        https  443/tcp         "files" for services
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
        let first = self.text.split(' ').next().unwrap_or_default();
        first.parse() == Ok(address)
    }
}

fn lines(file: &str) -> Vec<Line> {
    // Bytes: a stray Latin-1 comment must not hide the whole file.
    let bytes = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let numbered = text.lines().enumerate().map(|(index, line)| {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        Line { number: index + 1, text: words.join(" ") }
    });
    numbered.filter(|line| !line.text.is_empty()).collect()
}

/// Lines of /etc/hosts that give this name an address.
pub fn hosts_lines_of(name: &str) -> Vec<Line> {
    let mut found = lines("/etc/hosts");
    found.retain(|line| {
        let mut names = line.text.split(' ').skip(1);
        names.any(|known| known.eq_ignore_ascii_case(name))
    });
    found
}

/// Lines of /etc/hosts for this address.
pub fn hosts_lines_for(address: IpAddr) -> Vec<Line> {
    let mut found = lines("/etc/hosts");
    found.retain(|line| line.is_for(address));
    found
}

/// Lines of /etc/services with this name (or alias), as `443/tcp` or
/// whatever else the second word is.
pub fn services_lines_of(name: &str) -> Vec<Line> {
    let mut found = lines("/etc/services");
    found.retain(|line| {
        let mut words = line.text.split(' ');
        let first = words.next();
        first == Some(name) || words.skip(1).any(|alias| alias == name)
    });
    found
}

/// Is there a table of services at all?
pub fn has_services() -> bool {
    fs::metadata("/etc/services").is_ok_and(|file| file.len() > 0)
}

/// The sources for host names, in their order: `files dns`. `None` where the
/// system has no such file.
pub fn sources() -> Option<String> {
    let lines = lines("/etc/nsswitch.conf");
    let mut found = lines.iter().filter_map(|line| {
        line.text.strip_prefix("hosts:").map(|rest| rest.trim().to_string())
    });
    found.next()
}
