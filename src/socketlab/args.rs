//! `PROGRAM [HOST] [PORT] [options]`: what all command lines have in common.
//! [X-CLI]
//!
//! The crate argh parses the words. This module adds what argh lacks: `-h`,
//! `-V`, `--option=value`, negative numbers and the word `help` as ordinary
//! arguments, an example and exit status 2 after a usage error, and a port
//! whose errors explain what a port is.
//!
//! This module ends the program after `-h`, `-V` and a usage error.

use std::env;
use std::fmt;
use std::process;
use std::str::FromStr;

use argh::{ArgsInfo, FlagInfo, FlagInfoKind, FromArgs};

use crate::{console, program, signals, trace, warn};

pub use crate::program::{Program, Role};

/// Reads the command line into `A`, and starts tracing if `TRACE` asks for
/// it. Does not return on `-h`, `-V` (status 0) and usage errors (status 2).
pub fn parse<A: FromArgs + ArgsInfo>(program: &'static Program) -> A {
    program::set(program);
    signals::survive_large_files();
    trace::start();
    let mut words = Vec::new();
    for word in env::args_os() {
        match word.into_string() {
            Ok(word) => words.push(word),
            Err(word) => usage(&format!("{word:?} is not UTF-8")),
        }
    }
    let path = words.first().cloned().unwrap_or_default();
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let words = words.get(1..).unwrap_or_default();
    let words = match arrange::<A>(words, program.port) {
        Ok(words) => words,
        Err(problem) => usage(&problem),
    };
    if words == ["-V"] {
        crate::say!("{name} {}", env!("CARGO_PKG_VERSION"));
        process::exit(0);
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match A::from_args(&[name], &words) {
        Ok(args) => args,
        Err(early) if early.status.is_ok() => {
            let help = early
                .output
                // arrange() adds them, if no other argument follows.
                .replace("<host> <port>\n", "[<host>] [<port>]\n")
                .replace(ARGHS_HELP, OUR_HELP)
                .replace(" [--] ", " ");
            crate::say!("{}", help.trim_end());
            print_rare(A::get_args_info().flags);
            crate::say!("\nExample:\n  {}", program.example);
            process::exit(0);
        }
        Err(early) => {
            let problem = early
                .output
                .replace("invalid digit found in string", NO_NUMBER)
                .replace("cannot parse integer from empty string", NO_NUMBER)
                .replace("invalid float literal", "not a number");
            usage(problem.trim_end());
        }
    }
}

/// Prints the options that argh's help hides. A description that begins with
/// `internal` belongs to an option that a program sets for itself.
fn print_rare(flags: &[FlagInfo<'_>]) {
    let is_rare = |flag: &&FlagInfo<'_>| {
        flag.hidden && !flag.description.starts_with("internal")
    };
    let mut title = "\nRarely needed:";
    for flag in flags.iter().filter(is_rare) {
        if !title.is_empty() {
            crate::say!("{title}");
            title = "";
        }
        let name = match flag.short {
            Some(short) => format!("-{short}, {}", flag.long),
            None => flag.long.to_string(),
        };
        let mut line = format!("  {name:<17}");
        if name.len() > 17 {
            crate::say!("  {name}");
            line = " ".repeat(19);
        }
        for word in flag.description.split_whitespace() {
            if line.len() + 1 + word.len() > 80 {
                crate::say!("{line}");
                line = " ".repeat(19);
            }
            line = format!("{line} {word}");
        }
        crate::say!("{line}");
    }
}

/// The lines about help in argh's text, and their replacement.
const ARGHS_HELP: &str = "--help, help      display usage information";
const OUR_HELP: &str = "-h, --help        display this help\n  \
                        -V, --version     display the version";

/// Plainer words than those of the standard library.
const NO_NUMBER: &str = "not a whole number";

/// Ends the program with status 2, because its command line is wrong.
pub fn usage(problem: &str) -> ! {
    // The problem may contain the user's own words, so they are escaped.
    for line in problem.lines() {
        warn!("{}", console::escape_short(line.as_bytes(), 2000));
    }
    if let Some(program) = program::current() {
        warn!("Example: {}\nRun with --help for all options.", program.example);
    }
    process::exit(2);
}

/// Puts options first, then `--`, then the rest, because argh reads words such
/// as `-5` and `help` after `--` as arguments. Adds the HOST and PORT that were
/// left out, because argh allows a default for the last argument only.
fn arrange<A: ArgsInfo>(
    words: &[String],
    port: u16,
) -> std::result::Result<Vec<String>, String> {
    let info = A::get_args_info();
    let known = |word: &str| {
        info.flags.iter().find(|flag| {
            flag.long == word
                || flag.short.is_some_and(|short| word == format!("-{short}"))
        })
    };
    let (mut options, mut others) = (Vec::new(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            others.extend(words.by_ref().cloned());
        } else if let Some((name, value)) = word.split_once('=')
            && let Some(flag) = known(name)
        {
            if let FlagInfoKind::Switch = flag.kind {
                return Err(format!("{name} takes no value"));
            }
            options.extend([name.to_string(), value.to_string()]);
        } else if let Some(flag) = known(word) {
            options.push(word.clone());
            if let FlagInfoKind::Option { .. } = flag.kind {
                let value = words.next();
                options.push(
                    value.ok_or(format!("{word} needs a value"))?.clone(),
                );
            }
        } else if matches!(word.as_str(), "-h" | "--help") {
            return Ok(vec!["--help".into()]);
        } else if matches!(word.as_str(), "-V" | "--version") {
            return Ok(vec!["-V".into()]);
        } else if word.len() > 1
            && word.starts_with('-')
            && word.parse::<f64>().is_err()
        {
            return Err(format!("there is no option {word}"));
        } else {
            others.push(word.clone());
        }
    }
    if port != 0 {
        match others.as_slice() {
            [] => others.extend(["127.0.0.1".into(), port.to_string()]),
            [only] if only.parse::<u32>().is_ok() => {
                return Err(format!(
                    "'{only}' looks like a port: write HOST PORT"
                ));
            }
            [_] => others.push(port.to_string()),
            _ => {}
        }
    }
    options.push("--".into());
    options.extend(others);
    Ok(options)
}

/// A port from the command line: 0 to 65535, where 0 lets the kernel choose.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Port(pub u16);

impl Port {
    /// The port for a server to bind. Ports below 1024 are refused, as the
    /// handouts ask, unless `allow_privileged`: they belong to well-known
    /// services, and on most systems only root may bind them. [E-I6]
    pub fn for_server(self, allow_privileged: bool) -> u16 {
        if (1..1024).contains(&self.0) && !allow_privileged {
            usage(&format!(
                "port {} is refused: ports below 1024 belong to well-known \
                 services and need privileges to bind. Choose 1024 to 65535, \
                 or add --allow-privileged to see what happens.",
                self.0
            ));
        }
        self.0
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Port {
    type Err = String;

    fn from_str(word: &str) -> std::result::Result<Port, String> {
        match word.parse::<i64>() {
            Ok(number) => match u16::try_from(number) {
                Ok(port) => Ok(Port(port)),
                Err(_) => Err(format!(
                    "{number} is not a port: ports are 16 bits, 0 to 65535"
                )),
            },
            Err(_) => Err(format!(
                "'{word}' is not a port: give a number, 1024 to 65535"
            )),
        }
    }
}

/// A number that must be in a range. Otherwise it is a usage error, which names
/// the range.
pub fn in_range<N: PartialOrd + fmt::Display>(
    name: &str,
    value: N,
    least: N,
    most: N,
) -> N {
    // Not `value < least || value > most`: a NaN would pass that.
    if !(least <= value && value <= most) {
        usage(&format!("{name} {value} is out of range: {least} to {most}"));
    }
    value
}
