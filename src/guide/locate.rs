//! `socketlab where WHAT`: finds the place of an id (`E-T3`), all ids with the
//! same beginning (`E-T`), the steps with a call (`accept`), a program, or the
//! text about an error.

use harness::ids::{self, Row, Sources};
use harness::source_tree::{self, Program, read, root};
use harness::steps;
use socketlab::{Error, Result, say};

/// For the name of an error, at most this many lines of code are shown.
const SHOWN: usize = 12;

/// Says what `what` is, and prints file:line of each place.
pub fn locate(what: &str) -> Result<()> {
    let what = what.trim_matches(['[', ']']);
    let rows = ids::rows()?;
    let is = |id: &String| id.eq_ignore_ascii_case(what);
    if rows.iter().any(|row| row.ids.iter().any(is)) {
        return tell_id(what, &rows);
    }
    if tell_prefix(what, &rows) || tell_program(what)? || tell_call(what)? {
        return Ok(());
    }
    if tell_error(what)? {
        return Ok(());
    }
    // An id that only a viva.toml names.
    let places = Sources::read()?.places(what);
    if places.is_empty() || !what.contains('-') {
        return Err(Error::other(format!(
            "'{what}' was not found. Use an id (E-T3, G-6b, T-S), the \
             beginning of ids (E-T, W), a call (accept), a program's name \
             or an error (ECONNREFUSED). labs/README.md lists all ids"
        )));
    }
    print(places);
    Ok(())
}

/// Prints a task or question of a handout, and its places.
fn tell_id(id: &str, rows: &[Row]) -> Result<()> {
    for row in rows {
        let known = row.ids.iter().find(|known| known.eq_ignore_ascii_case(id));
        if let Some(known) = known {
            let lab = match (&row.lab, &row.none) {
                (Some(lab), _) => format!("lab {lab}"),
                (None, Some(none)) => format!("no code: {none}"),
                (None, None) => String::new(),
            };
            say!("{known}: {} ({lab})", row.asks_of(known));
        }
    }
    print(Sources::read()?.places(id));
    Ok(())
}

/// Prints the ids with this beginning, each with what it asks. Returns false
/// if there are none.
fn tell_prefix(prefix: &str, rows: &[Row]) -> bool {
    let begins = |id: &String| {
        let head = id.get(..prefix.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    let letter = prefix.chars().next().unwrap_or_default();
    let is_prefix = "DEGWTXdegwtx".contains(letter)
        && (prefix.len() == 1 || prefix.contains('-'));
    let mut found = false;
    for row in rows.iter().filter(|_| is_prefix) {
        for id in row.ids.iter().filter(|id| begins(id)) {
            if !found {
                say!("ids that begin with {prefix}:");
            }
            found = true;
            let lab = row.lab.as_deref().unwrap_or("no code");
            say!("{id:8} {lab:11} {}", row.asks_of(id));
        }
    }
    found
}

/// Prints a program's file, page and steps. Returns false if no program has
/// this name.
fn tell_program(name: &str) -> Result<bool> {
    let programs = source_tree::programs()?;
    let Some(found) = programs.into_iter().find(|known| known.name == name)
    else {
        return Ok(false);
    };
    let Program { file, package, .. } = found;
    say!("{name} is a program of {package}:");
    say!("code  {}:1", file.display());
    say!("page  labs/{package}/README.md");
    for step in steps::of_program(name)? {
        say!("step  {step}");
    }
    Ok(true)
}

/// Prints each numbered step with this call. Returns false if there is none.
fn tell_call(call: &str) -> Result<bool> {
    let call = call.trim_end_matches("()").to_ascii_lowercase();
    let ending = format!(" {call}()");
    let mut found = false;
    for Program { name, file, .. } in source_tree::programs()? {
        let text = read(&root()?.join(&file))?;
        for (index, line) in text.lines().enumerate() {
            let step = steps::banner(line);
            let Some(step) = step.filter(|step| step.ends_with(&ending)) else {
                continue;
            };
            if !found {
                say!("programs with a step{ending}:");
            }
            found = true;
            say!("step  {}:{}  {step} of {name}", file.display(), index + 1);
        }
    }
    Ok(found)
}

/// Prints how to read about an error or a state, and the code that names it.
fn tell_error(word: &str) -> Result<bool> {
    let Some(entry) = explain::find(word).first().copied() else {
        return Ok(false);
    };
    say!("{}: {}", entry.name, entry.title);
    say!("page  make explain ARGS={}", entry.name);
    let lines = Sources::read()?.lines_with(entry.name);
    for (file, line, text) in lines.iter().take(SHOWN) {
        say!("code  {}:{line}  {text}", file.display());
    }
    if let more @ 1.. = lines.len().saturating_sub(SHOWN) {
        say!("… and {more} more lines");
    }
    Ok(true)
}

fn print(places: Vec<ids::Place>) {
    for place in places {
        let file = place.file.display();
        say!("{}  {file}:{}  {}", place.kind, place.line, place.text);
    }
}
