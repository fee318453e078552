//! Finds things in this source tree: where a requirement id is answered, the
//! steps of a program, the READMEs. The tree explains itself by these.

use std::fs;
use std::path::{Path, PathBuf};

use socketlab::{Error, Result};

/// The project's folder: the one above the current folder (or that itself)
/// which holds `labs`, else the one that the programs were built from.
pub fn root() -> Result<PathBuf> {
    let here = std::env::current_dir()
        .map_err(|error| Error::new("getcwd", "", error))?;
    let built = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .chain(built.ancestors())
        .find(|folder| is_root(folder))
        .map(Path::to_path_buf)
        .ok_or_else(|| {
            Error::other("no socketlab sources here: run it in their folder")
        })
}

fn is_root(folder: &Path) -> bool {
    let manifest = fs::read_to_string(folder.join("Cargo.toml"));
    let ours = manifest.is_ok_and(|text| text.contains("[workspace]"));
    ours && folder.join("src/socketlab").is_dir()
}

/// The labs in the reading order of the root README's table of labs, whose
/// rows begin with a link: `| [echo](labs/echo/README.md) | … |`.
pub fn labs() -> Result<Vec<String>> {
    let readme = read(&root()?.join("README.md"))?;
    let names = readme.lines().filter_map(|line| {
        let row = line.strip_prefix("| [")?;
        let (name, rest) = row.split_once("](labs/")?;
        rest.starts_with(&format!("{name}/")).then(|| name.to_string())
    });
    Ok(names.collect())
}

/// A file as text, with its name in the error.
pub fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file)
        .map_err(|error| Error::new("open", file.display(), error))
}

/// A place in the tree.
pub struct Place {
    /// `code`, `test`, `viva` or `page`.
    pub kind: &'static str,
    /// The file, relative to the root.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The line's text, trimmed.
    pub text: String,
}

/// The text of every file in which an id may stand: code, tests, pages.
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
    /// the tests whose names begin with `d_t3_2_`, the questions that belong
    /// to it and the pages that name it. Small and capital letters are the
    /// same here.
    pub fn places(&self, id: &str) -> Vec<Place> {
        let id = id.to_ascii_lowercase();
        let tag = format!("[{id}]");
        let test = format!("fn {}", test_prefix(&id));
        let question = format!("handout = \"{id}\"");
        let mut places = Vec::new();
        for Source { file, text, low } in &self.0 {
            if !low.contains(&id) && !low.contains(&test) {
                continue; // most files, most of the time
            }
            let page = file.extension().is_some_and(|kind| kind == "md");
            let is_test = is_test(file);
            let lines = text.lines().zip(low.lines());
            for (index, (line, low)) in lines.enumerate() {
                let tagged = low.contains(&tag);
                let kind = match () {
                    () if is_test && (tagged || low.contains(&test)) => "test",
                    () if page && names(low, &id) => "page",
                    () if !page && !is_test && tagged => "code",
                    () if low.starts_with(&question) => "viva",
                    () => continue,
                };
                places.push(Place {
                    kind,
                    file: file.clone(),
                    line: index + 1,
                    text: line.trim().to_string(),
                });
            }
        }
        places.sort_by_key(|place| {
            ["code", "test", "page"].map(|kind| kind != place.kind)
        });
        places
    }
}

/// Is this a file of tests, `tests/…` or `labs/<lab>/tests/…`?
pub fn is_test(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "tests")
}

/// `D-T3.2` is proved by tests whose names begin with `d_t3_2_`.
pub fn test_prefix(id: &str) -> String {
    format!("{}_", id.to_lowercase().replace(['-', '.'], "_"))
}

/// Does the line name this id, and not only a longer one?
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

/// The code, tests and pages below the root's three folders, sorted.
pub fn source_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in ["src", "labs", "tests"] {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let fail = |error| Error::new("opendir", folder.display(), error);
    for entry in fs::read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if matches!(
            path.extension().and_then(|kind| kind.to_str()),
            Some("rs" | "py" | "md" | "toml")
        ) {
            files.push(path);
        }
    }
    Ok(())
}

/// The step banners of a lab's file, `// ---- 4 accept() ---…`, in order.
pub fn steps(file: &Path) -> Result<Vec<String>> {
    let text = read(file)?;
    let banners = text.lines().filter_map(|line| {
        let rest = line.trim_start().strip_prefix("// ---- ")?;
        Some(rest.trim_end_matches('-').trim().to_string())
    });
    Ok(banners.collect())
}

/// The steps of a program, by their numbers: the banners of its own file and
/// of its modules, as far as they name a call, `4 accept()`. Without `()` a
/// banner is a step of a dialogue, and its file's own affair.
pub fn program_steps(program: &str) -> Result<Vec<String>> {
    let main = source_of(program)?;
    let mut found = steps(&main)?;
    for module in modules(&main)? {
        found.extend(steps(&module)?);
    }
    found.retain(|banner| banner.ends_with("()"));
    let number = |banner: &String| -> usize {
        let (number, _) = banner.split_once(' ').unwrap_or_default();
        number.parse().unwrap_or(0)
    };
    found.sort_by_key(|banner| (number(banner), banner.clone()));
    found.dedup();
    Ok(found)
}

/// The files of its lab's library that a program uses, also through other
/// ones: `use chat::hub::Hub;` stands for `hub.rs`, and `use crate::outbox`
/// in that file for `outbox.rs`.
pub fn modules(main: &Path) -> Result<Vec<PathBuf>> {
    let folder = main.parent().unwrap_or(Path::new("."));
    let library = folder.join("lib.rs");
    let lab = folder.file_name().unwrap_or_default().to_string_lossy();
    let known = read(&library)?;
    let known: Vec<&str> = known
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    let mut found: Vec<PathBuf> = Vec::new();
    let mut unread = vec![main.to_path_buf()];
    while let Some(file) = unread.pop() {
        let text = read(&file)?;
        for name in &known {
            let module = folder.join(format!("{name}.rs"));
            if uses(&text, &lab, name) && !found.contains(&module) {
                found.push(module.clone());
                unread.push(module);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Does a file name this module of its lab, in a `use` or in a path?
fn uses(text: &str, lab: &str, module: &str) -> bool {
    ["crate", lab].iter().any(|root| {
        let list = format!("{root}::{{");
        let lists = text.split(&list).skip(1);
        let mut lists = lists.filter_map(|rest| rest.split(';').next());
        let listed = |list: &str| {
            let not_in_a_name = |c: char| !c.is_alphanumeric() && c != '_';
            list.split(not_in_a_name).any(|word| word == module)
        };
        lists.any(listed)
            || text.match_indices(&format!("{root}::{module}")).any(
                |(at, found)| {
                    let next = text.get(at + found.len()..);
                    let next = next.and_then(|rest| rest.chars().next());
                    !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
                },
            )
    })
}

/// A program: its name, its file, and the package that it belongs to.
pub struct Program {
    /// What one types: `echo-server`.
    pub name: String,
    /// The file with its `main`, from the root: `labs/echo/tcp_server.rs`.
    pub file: PathBuf,
    /// The package: `echo`.
    pub package: String,
}

/// All programs, from the `[[bin]]` tables of the members that the root's
/// Cargo.toml lists.
pub fn programs() -> Result<Vec<Program>> {
    let root = root()?;
    let manifest = table(&root.join("Cargo.toml"))?;
    let members = manifest.get("workspace").and_then(|w| w.get("members"));
    let members = members.and_then(|members| members.as_array());
    let mut programs = Vec::new();
    for member in members.into_iter().flatten().filter_map(|m| m.as_str()) {
        let manifest = table(&root.join(member).join("Cargo.toml"))?;
        let text = |table: &toml::Value, key: &str| {
            let value = table.get(key).and_then(|value| value.as_str());
            value.unwrap_or_default().to_string()
        };
        let package = manifest.get("package").map(|p| text(p, "name"));
        let bins = manifest.get("bin").and_then(|bins| bins.as_array());
        programs.extend(bins.into_iter().flatten().map(|bin| Program {
            name: text(bin, "name"),
            file: Path::new(member).join(text(bin, "path")),
            package: package.clone().unwrap_or_default(),
        }));
    }
    Ok(programs)
}

fn table(file: &Path) -> Result<toml::Table> {
    read(file)?
        .parse()
        .map_err(|error| Error::other(format!("{}: {error}", file.display())))
}

/// The file of a program.
pub fn source_of(program: &str) -> Result<PathBuf> {
    let found = programs()?.into_iter().find(|known| known.name == program);
    match found {
        Some(found) => Ok(root()?.join(found.file)),
        None => Err(Error::other(format!("no program is called {program}"))),
    }
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
