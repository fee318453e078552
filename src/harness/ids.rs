//! The ids of the handouts' tasks and questions, such as `E-T3`: what each id
//! asks (`labs/ids.toml`), and where this project answers it.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use socketlab::{Error, Result};

use crate::source_tree::{is_test, read, root, source_files};
use crate::steps;

/// A row of `labs/ids.toml`: ids that belong together.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The ids: `["G-7a", "G-7c"]`.
    pub ids: Vec<String>,
    /// What the handout asks, in our own words.
    pub asks: String,
    /// What each of the ids asks, in their order, if there are several.
    #[serde(default)]
    pub each: Vec<String>,
    /// The lab that answers it, or `src` for what all programs do alike.
    pub lab: Option<String>,
    /// The files and steps in that lab's folder, as Markdown.
    #[serde(rename = "where")]
    pub place: Option<String>,
    /// Why no code answers it. Such a row has neither lab nor place.
    pub none: Option<String>,
}

impl Row {
    /// What one of the row's ids asks.
    pub fn asks_of(&self, id: &str) -> &str {
        let position = self.ids.iter().position(|known| known == id);
        let own = position.and_then(|at| self.each.get(at));
        own.map_or(&self.asks, String::as_str)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    row: Vec<Row>,
}

/// All rows of `labs/ids.toml`, in their order.
pub fn rows() -> Result<Vec<Row>> {
    let file = root()?.join("labs/ids.toml");
    let table: Table = toml::from_str(&read(&file)?)
        .map_err(|error| Error::other(format!("labs/ids.toml: {error}")))?;
    Ok(table.row)
}

/// The rows as the table of `labs/README.md`.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = "| id | what the handout asks | lab | where |\n\
                    | --- | --- | --- | --- |\n"
        .to_string();
    for row in rows {
        let ids = row.ids.join(" ");
        let lab = row.lab.as_deref().unwrap_or("–");
        let place = row.place.as_ref().or(row.none.as_ref());
        let place = place.map_or("", String::as_str);
        text.push_str(&format!("| {ids} | {} | {lab} | {place} |\n", row.asks));
    }
    text
}

/// The kinds of places, in the order in which they are printed.
pub const KINDS: [&str; 4] = ["code", "viva", "test", "page"];

/// A place in the tree.
pub struct Place {
    /// One of [`KINDS`].
    pub kind: &'static str,
    /// The file, relative to the root.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The line's text, trimmed.
    pub text: String,
}

/// The text of every file that may contain an id: code, tests, pages.
pub struct Sources(Vec<Source>);

struct Source {
    file: PathBuf, // from the root
    text: String,
    low: String, // the same in small letters
}

impl Sources {
    /// Reads them all.
    pub fn read() -> Result<Sources> {
        let root = root()?;
        let mut files = source_files(&root)?;
        files.push(root.join("README.md"));
        let sources = files.into_iter().filter_map(|file| {
            let text = fs::read_to_string(&file).ok()?;
            let low = text.to_ascii_lowercase();
            let file = file.strip_prefix(&root).unwrap_or(&file).into();
            Some(Source { file, text, low })
        });
        Ok(Sources(sources.collect()))
    }

    /// Where an id such as `D-T3.2` is answered: its tags `[D-T3.2]` in code,
    /// first those in the files of *Read first*; the questions that belong to
    /// it; the tests whose names begin with `d_t3_2_`; and the tables that name
    /// it. Capital letters and small letters make no difference.
    pub fn places(&self, id: &str) -> Vec<Place> {
        let id = id.to_ascii_lowercase();
        let tag = format!("[{id}]");
        let test = format!("fn {}", test_prefix(&id));
        let question = format!("handout = \"{id}\"");
        let mut places = Vec::new();
        for Source { file, text, low } in &self.0 {
            let is_about_ids = ["tests/tidy", "labs/ids.toml"]
                .iter()
                .any(|path| file.starts_with(path));
            let is_found = low.contains(&id) || low.contains(&test);
            if is_about_ids || !is_found {
                continue;
            }
            let page = file.extension().is_some_and(|kind| kind == "md");
            let is_test = is_test(file);
            let lines = text.lines().zip(low.lines());
            for (index, (line, low)) in lines.enumerate() {
                let tagged = low.contains(&tag);
                let kind = match () {
                    () if is_test && (tagged || low.contains(&test)) => "test",
                    () if page && low.starts_with('|') && names(low, &id) => {
                        "page"
                    }
                    () if !page && !is_test && tagged => "code",
                    () if !page && low.starts_with(&question) => "viva",
                    () => continue,
                };
                let (line, shown) = match kind {
                    "viva" => question_below(text, index),
                    "code" if is_prose_of_header(line) => first_line(text),
                    "code" => heading_above(text, index)
                        .unwrap_or((index + 1, line.trim())),
                    _ => (index + 1, line.trim()),
                };
                places.push(Place {
                    kind,
                    file: file.clone(),
                    line,
                    text: shown.to_string(),
                });
            }
        }
        let read_first = self.read_first(&id);
        places.sort_by_key(|place| {
            let kind = KINDS.iter().position(|kind| *kind == place.kind);
            let position =
                read_first.iter().position(|file| place.file.ends_with(file));
            // A header's drawing comes after the steps.
            let is_drawing = place.text.starts_with("//!");
            let is_python =
                place.file.extension().is_some_and(|kind| kind == "py");
            (kind, is_python, position.unwrap_or(usize::MAX), is_drawing)
        });
        places
    }

    /// The files that the labs' *Read first* names for this id, in its order.
    fn read_first(&self, id: &str) -> Vec<String> {
        let mut files = Vec::new();
        for Source { file, text, .. } in &self.0 {
            let section = text.split("\n## Read first\n").nth(1);
            let rows = section.and_then(|text| text.split("\n## ").next());
            for row in rows.unwrap_or_default().lines() {
                let mut cells = row.split('|').skip(1);
                let ids = cells.next().unwrap_or_default();
                if !ids.split_whitespace().any(|w| w.eq_ignore_ascii_case(id)) {
                    continue;
                }
                let lab = file.parent().unwrap_or(file).display();
                let names = cells.next().unwrap_or_default().split('`');
                let names = names.skip(1).step_by(2);
                files.extend(names.map(|name| format!("{lab}/{name}")));
            }
        }
        files
    }

    /// The lines of code, not of tests, that have this word: file, line from
    /// 1, text.
    pub fn lines_with(&self, word: &str) -> Vec<(PathBuf, usize, String)> {
        let mut found = Vec::new();
        for Source { file, text, .. } in &self.0 {
            let code = file.extension().is_some_and(|kind| kind == "rs");
            if !code || is_test(file) || !text.contains(word) {
                continue;
            }
            for (index, line) in text.lines().enumerate() {
                let mut words =
                    line.split(|c: char| !c.is_alphanumeric() && c != '_');
                if words.any(|found| found == word) {
                    let text = line.trim().to_string();
                    found.push((file.clone(), index + 1, text));
                }
            }
        }
        found
    }
}

/// Is this a line of a header's sentences? A drawing is indented further.
fn is_prose_of_header(line: &str) -> bool {
    let text = line.strip_prefix("//! ");
    text.is_some_and(|text| !text.starts_with([' ', '|']))
}

/// The first line of the comment that has the line with this index, or the
/// heading in it, such as the step's banner; and its number from 1. The line
/// itself is often the end of a sentence.
fn heading_above(text: &str, index: usize) -> Option<(usize, &str)> {
    let lines: Vec<&str> = text.lines().take(index + 1).collect();
    let comment = lines.iter().enumerate().rev();
    let comment = comment.take_while(|(_, line)| {
        let line = line.trim_start();
        line.starts_with("//") && !line.starts_with("//!")
    });
    let comment: Vec<_> = comment.collect();
    let is_heading =
        |line: &str| steps::banner(line).is_some() || line.contains("// ==== ");
    let heading = comment.iter().find(|(_, line)| is_heading(line));
    let (at, line) = heading.or(comment.last())?;
    Some((at + 1, line.trim()))
}

/// A file's first line says what the file is: more than the line of its header
/// where the tag happens to be.
fn first_line(text: &str) -> (usize, &str) {
    (1, text.lines().next().unwrap_or_default())
}

/// The first line of the question to which the line `handout = …` with this
/// index belongs: its number from 1, and its text.
fn question_below(text: &str, handout: usize) -> (usize, &str) {
    let mut lines = text.lines().enumerate().skip(handout);
    let question = lines.find(|(_, line)| line.starts_with("question = "));
    let (index, line) = question.unwrap_or((handout, ""));
    let line = line.trim_start_matches("question = ").trim_matches('"');
    if !line.is_empty() {
        return (index + 1, line);
    }
    let (index, line) = lines.next().unwrap_or((index, ""));
    (index + 1, line.trim_end_matches('\\').trim_end().trim_matches('"'))
}

/// `D-T3.2` is proved by tests whose names begin with `d_t3_2_`.
pub fn test_prefix(id: &str) -> String {
    format!("{}_", id.to_lowercase().replace(['-', '.'], "_"))
}

/// Does the line name this id, and not only a longer id?
fn names(line: &str, id: &str) -> bool {
    line.match_indices(id).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().last());
        let mut after = line.get(at + id.len()..).unwrap_or_default().chars();
        let next = after.next();
        let goes_on = next.is_some_and(char::is_alphanumeric)
            || (next == Some('.')
                && after.next().is_some_and(|c| c.is_ascii_digit()));
        !before.is_some_and(|c| c.is_alphanumeric() || c == '-') && !goes_on
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_not_a_longer_one() {
        assert!(names("| D-T3 | quota |", "D-T3"));
        assert!(!names("| D-T3.2 | quota |", "D-T3"));
        assert!(names("as D-T3. Then", "D-T3"));
        assert!(!names("E-T10", "E-T1"));
        assert_eq!(test_prefix("D-T3.2"), "d_t3_2_");
    }
}
