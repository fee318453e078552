//! `socketlab`: plays the labs, finds what answers an id, explains a word.

use std::io::{self, Write};

use argh::{ArgsInfo, FromArgs};
use guide::viva;
use harness::house;
use harness::transcript;
use socketlab::args::{self, Program};
use socketlab::{Error, Result, console, say, socket_table, warn};

const PROGRAM: Program = Program {
    lab: "socketlab",
    role: "guide",
    port: 0,
    steps: "",
    example: "socketlab demo echo",
};

/// Plays the labs, finds the code that answers an id, explains errors.
#[derive(FromArgs, ArgsInfo)]
struct Args {
    /// one of: demo [LAB…] (play the READMEs' transcripts) · where ID
    /// (code, test and page for D-T3.2) · explain WORD (ECONNREFUSED, 111,
    /// TIME_WAIT; 550, 5.1.1 of a mail server, 404 of a web server) ·
    /// viva [LAB…] (questions, one by one) · steps PROGRAM [PROGRAM] (the
    /// numbered steps, side by side) · ports (what listens)
    #[argh(positional)]
    command: String,
    /// what it is about
    #[argh(positional)]
    words: Vec<String>,
}

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    let words: Vec<&str> = args.words.iter().map(String::as_str).collect();
    match (args.command.as_str(), words.as_slice()) {
        ("demo", labs) => demo(labs),
        ("where", [id]) => locate(id),
        ("explain", [_, ..]) => tell(&words.join(" ")),
        ("viva", labs) => quiz(labs),
        ("steps", [program]) => steps(program, None),
        ("steps", [left, right]) => steps(left, Some(right)),
        ("ports", []) => ports(),
        ("where", []) => args::usage("where WHAT? An id: make where ARGS=E-T3"),
        ("explain", []) => args::usage(
            "explain WHAT? An error or a state: make explain ARGS=ECONNREFUSED",
        ),
        ("where", _) => args::usage("where takes one id at a time"),
        ("steps", _) => args::usage("steps takes one program, or two"),
        ("ports", _) => args::usage("ports stands alone"),
        (command, _) => args::usage(&format!(
            "'{command}' is none of: demo [LAB…], where ID, explain WORD, \
             viva [LAB…], steps PROGRAM [PROGRAM], ports"
        )),
    }
}

/// The labs that were named, or all in reading order.
fn chosen(labs: &[&str]) -> Result<Vec<String>> {
    let all = house::labs()?;
    for lab in labs {
        if !all.iter().any(|known| known == lab) {
            let known = all.join(" ");
            args::usage(&format!("there is no lab '{lab}'; there is: {known}"));
        }
    }
    match labs {
        [] => Ok(all),
        some => Ok(some.iter().map(ToString::to_string).collect()),
    }
}

/// Plays each lab's transcripts.
fn demo(labs: &[&str]) -> Result<()> {
    say!(
        "Each line is printed as it happens. Ports are mapped to free ones, \
         files in /tmp to a folder of their own."
    );
    let mut played = 0;
    for lab in chosen(labs)? {
        let page = house::root()?.join("labs").join(&lab).join("README.md");
        let blocks = transcript::blocks(&house::read(&page)?);
        for (index, (line, block)) in blocks.iter().enumerate() {
            let (number, count) = (index + 1, blocks.len());
            say!("\n==== {lab}, {number} of {count} (README, line {line})");
            transcript::play(block, &mut |text| say!("{text}")).map_err(
                |error| {
                    Error::other(format!(
                        "labs/{lab}/README.md, transcript at line {line}: \
                         {error}"
                    ))
                },
            )?;
            played += 1;
        }
    }
    say!("\nall of it held; transcripts played: {played}");
    Ok(())
}

/// Prints file:line of code, test and page for an id.
fn locate(id: &str) -> Result<()> {
    let id = id.trim_matches(['[', ']']);
    let handouts = ["d-", "e-", "g-", "w-", "t-", "x-"];
    let low = id.to_lowercase();
    let is_id = handouts.iter().any(|handout| low.starts_with(handout));
    let places = match is_id {
        true => house::Sources::read()?.places(id),
        false => Vec::new(),
    };
    if places.is_empty() {
        return Err(Error::other(format!(
            "nothing here answers '{id}'. Ids look like D-T3.2, E-T4, G-6b, \
             W-T1.1a, T-S: the table in README.md lists them"
        )));
    }
    for place in places {
        let file = place.file.display();
        say!("{}  {file}:{}  {}", place.kind, place.line, place.text);
    }
    Ok(())
}

/// Prints all entries that a word, or a phrase, names.
fn tell(words: &str) -> Result<()> {
    let words = &plain(words);
    // `550 5.1.1 no such user`: the exact part of a mail server's answer.
    let enhanced = words.split(' ').find_map(|word| {
        explain::smtp::enhanced(word).map(|text| (word, text))
    });
    if let Some((code, text)) = &enhanced {
        let class = match code.get(..1) {
            Some("2") => "a success",
            Some("4") => "a temporary failure: the same may do later",
            _ => "a permanent failure: the same again will not do",
        };
        let rfc = "RFC 3463 and later ones";
        say!("{code} of a mail server ({rfc}): {text}. That is {class}.");
    }
    let mut entries = explain::find(words);
    if entries.is_empty() {
        // `HTTP/1.1 404 Not Found`: the number says more than "found".
        let numbers = words.split(' ').filter(|w| w.parse::<u16>().is_ok());
        entries = numbers.flat_map(explain::find).collect();
    }
    if entries.is_empty() {
        entries = words.split(' ').flat_map(explain::find).collect();
    }
    if entries.is_empty() {
        if enhanced.is_some() {
            return Ok(());
        }
        let nearest = match explain::nearest(words).as_slice() {
            [] => "Try ECONNREFUSED, 111, TIME_WAIT, 404 or 550".to_string(),
            near => format!("Near it: {}", near.join(", ")),
        };
        return Err(Error::other(format!(
            "'{words}' is not known here. {nearest}"
        )));
    }
    let mut out = io::stdout().lock();
    let printed =
        entries.into_iter().enumerate().try_for_each(|(at, entry)| {
            if at > 0 {
                writeln!(out)?;
            }
            explain::print(entry, &mut out)
        });
    console::unless_closed(printed)
}

/// The words without what stands around them: `[Errno 98]`, `(EPIPE):`, and
/// the dash of a reply that has more lines, `550-5.7.26`.
fn plain(words: &str) -> String {
    let around = ['[', ']', '(', ')', ',', ':', ';', '"', '\'', '.'];
    let words = words.split_whitespace().map(|word| {
        let word = word.trim_matches(around);
        let (code, rest) = word.split_once('-').unwrap_or_default();
        match code.len() == 3 && code.parse::<u16>().is_ok() {
            true => format!("{code} {rest}"),
            false => word.to_string(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Asks the questions of the labs, one by one.
fn quiz(labs: &[&str]) -> Result<()> {
    let mut questions = Vec::new();
    for lab in chosen(labs)? {
        let folder = house::root()?.join("labs").join(lab);
        questions.extend(viva::load(&folder).map_err(Error::other)?);
    }
    // Closed output or input: the student has left.
    let (input, output) = (io::stdin().lock(), io::stdout().lock());
    console::unless_closed(viva::ask(&questions, input, output))
}

/// The steps of one program, or of two side by side. [G-4]
fn steps(left: &str, right: Option<&str>) -> Result<()> {
    let one = house::program_steps(left)?;
    let two = match right {
        Some(right) => house::program_steps(right)?,
        None => Vec::new(),
    };
    let width = one.iter().map(String::len).max().unwrap_or(0);
    let width = width.max(left.len()) + 4;
    say!("{left:width$}{}", right.unwrap_or_default());
    for row in 0..one.len().max(two.len()) {
        let cell = |steps: &[String]| steps.get(row).cloned();
        let (one, two) = (cell(&one), cell(&two));
        let (one, two) = (one.unwrap_or_default(), two.unwrap_or_default());
        say!("{}", format!("{one:width$}{two}").trim_end());
    }
    Ok(())
}

/// What of ours listens now.
fn ports() -> Result<()> {
    let holders = socket_table::holders();
    let folder = harness::terminal::program_folder();
    let mut found = 0;
    for entry in socket_table::all() {
        let waits = entry.name == "LISTEN"
            || (entry.protocol == "udp" && entry.peer.port() == 0);
        let Some((pid, name)) = holders.get(&entry.inode) else { continue };
        if waits && folder.join(name).is_file() {
            let (protocol, local) = (entry.protocol, entry.local);
            say!("{protocol}  {local:22}  {name}  (pid {pid}: kill {pid})");
            found += 1;
        }
    }
    if found == 0 {
        warn!(
            "none of our programs listens, as far as this user may see \
             (all programs: ss -tulnp)"
        );
    }
    Ok(())
}
