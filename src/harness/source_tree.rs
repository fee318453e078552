//! The source tree of this project: where its root is, which labs and
//! programs it has, and its files as text.

use std::fs;
use std::path::{Path, PathBuf};

use socketlab::{Error, Result};

/// The project's folder: the current folder or one above it that is a
/// workspace with our crates, else the one that the programs were built from.
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

/// The pages of a lab: README.md, and NOTES.md and SINK.md where they exist.
pub fn pages(lab: &str) -> Result<Vec<PathBuf>> {
    let folder = root()?.join("labs").join(lab);
    let others = ["NOTES.md", "SINK.md"].map(|name| folder.join(name));
    let others = others.into_iter().filter(|file| file.is_file());
    Ok([folder.join("README.md")].into_iter().chain(others).collect())
}

/// A file as text, with its name in the error.
pub fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file)
        .map_err(|error| Error::new("open", file.display(), error))
}

/// Is this a file of tests, `tests/…` or `labs/<lab>/tests/…`?
pub fn is_test(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "tests")
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

/// A program: its name, its file, and the package that it belongs to.
pub struct Program {
    /// The command that the user types: `echo-server`.
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
