//! Finds which file of a package uses which other file. It reads the `use`
//! lines and paths of the code as text. It finds a program's steps, and circles
//! between files, which tidy forbids.
//!
//! A file's own tests (`#[cfg(test)]` and what follows) do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use socketlab::Result;

use crate::source_tree::read;

/// The library of one package: its modules, by their paths.
pub struct Library {
    name: String,
    /// `sink::wire` and its file.
    modules: BTreeMap<String, PathBuf>,
    /// What lib.rs re-exports: `Request`, of the module `head`.
    handed_on: BTreeMap<String, String>,
}

impl Library {
    /// The library in the folder of this file.
    pub fn of(file: &Path) -> Result<Library> {
        let folder = file.parent().unwrap_or(Path::new("."));
        let name = folder.file_name().unwrap_or_default();
        let mut library = Library {
            name: name.to_string_lossy().into_owned(),
            modules: BTreeMap::new(),
            handed_on: BTreeMap::new(),
        };
        let lib = folder.join("lib.rs");
        library.add(&lib, folder, "")?;
        for path in paths(&code(&read(&lib)?)) {
            if let Some((module, item)) = path.rsplit_once("::")
                && library.modules.contains_key(module)
            {
                library.handed_on.insert(item.into(), module.into());
            }
        }
        Ok(library)
    }

    /// All modules: their paths, such as `sink::wire`, and their files.
    pub fn modules(&self) -> &BTreeMap<String, PathBuf> {
        &self.modules
    }

    /// Adds the modules that `file` declares, and theirs.
    fn add(&mut self, file: &Path, folder: &Path, path: &str) -> Result<()> {
        for (module, inline) in declared(&code(&read(file)?)) {
            let below =
                module.split("::").fold(folder.to_path_buf(), |f, n| f.join(n));
            let path = match path {
                "" => module,
                path => format!("{path}::{module}"),
            };
            if inline {
                continue; // its own modules follow with their whole path
            }
            let plain = below.with_extension("rs");
            let file = match plain.is_file() {
                true => plain,
                false => below.join("mod.rs"),
            };
            self.modules.insert(path.clone(), file.clone());
            self.add(&file, &below, &path)?;
        }
        Ok(())
    }

    /// The modules that a file uses directly.
    pub fn used_by(&self, file: &Path) -> Result<BTreeSet<String>> {
        let own = self.modules.iter().find(|(_, known)| *known == file);
        let own = own.map_or("", |(path, _)| path.as_str());
        let text = code(&read(file)?);
        let mut used = BTreeSet::new();
        for path in paths(&text) {
            let Some(path) = self.resolve(&path, own) else { continue };
            // The longest beginning that is a module.
            let found = self.modules.keys().rev().find(|module| {
                path == **module || path.starts_with(&format!("{module}::"))
            });
            let item = path.split("::").next().unwrap_or_default();
            let found = found.or_else(|| self.handed_on.get(item));
            used.extend(found.filter(|found| *found != own).cloned());
        }
        Ok(used)
    }

    /// The files of all modules that a file uses, also through other ones.
    pub fn reached_from(&self, file: &Path) -> Result<Vec<PathBuf>> {
        let mut found = BTreeSet::new();
        let mut unread = vec![file.to_path_buf()];
        while let Some(file) = unread.pop() {
            for module in self.used_by(&file)? {
                if let Some(file) = self.modules.get(&module)
                    && found.insert(file.clone())
                {
                    unread.push(file.clone());
                }
            }
        }
        // What a program keeps in a folder of its name belongs to it, even
        // where only methods are there that no `use` names.
        let folder = file.with_extension("");
        let own = self.modules.values().filter(|f| f.starts_with(&folder));
        found.extend(own.cloned());
        Ok(found.into_iter().collect())
    }

    /// `crate::a::b`, `super::b`, `<package>::a::b` as `a::b`; `None` for a
    /// path that leads elsewhere.
    fn resolve(&self, path: &str, own: &str) -> Option<String> {
        let (first, rest) = path.split_once("::")?;
        match first {
            "crate" => Some(rest.into()),
            name if name == self.name => Some(rest.into()),
            "self" => Some(format!("{own}::{rest}")),
            "super" => {
                let (parent, _) = own.rsplit_once("::").unwrap_or_default();
                match (parent, rest.split_once("::")) {
                    (_, Some(("super", _))) => self.resolve(rest, parent),
                    ("", _) => Some(rest.into()),
                    (parent, _) => Some(format!("{parent}::{rest}")),
                }
            }
            _ => None,
        }
    }
}

/// The code of a file: without comments, and without its tests.
pub fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = text.lines().map(|line| {
        let line = line.split("// ").next().unwrap_or_default();
        if line.trim_start().starts_with("//") { "" } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules that a file declares, and whether their code is in it:
/// `pub mod hub;`, and for `pub mod sink { pub mod wire; }` also `sink::wire`.
fn declared(code: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for line in code.lines() {
        let line = line.trim();
        let name = line.strip_prefix("pub ").unwrap_or(line);
        let name = name.strip_prefix("mod ");
        let path = |name: &str| {
            let mut path = open.clone();
            path.push(name);
            path.join("::")
        };
        if let Some(name) = name.and_then(|name| name.strip_suffix(';')) {
            found.push((path(name), false));
        } else if let Some(name) = name.and_then(|n| n.strip_suffix(" {")) {
            found.push((path(name), true));
            open.push(name);
        } else if line == "}" {
            open.pop();
        }
    }
    found
}

/// All paths of a code: those of its `use` lines, one for each name, and
/// those that begin with `crate::` or `super::` elsewhere.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("use ") {
        let starts = rest.get(..at).unwrap_or_default();
        let begins = starts.trim_end_matches("pub ").trim_end_matches(' ');
        rest = rest.get(at + 4..).unwrap_or_default();
        if !(begins.is_empty() || begins.ends_with('\n')) {
            continue; // a longer word with this ending
        }
        let tree = rest.split(';').next().unwrap_or_default();
        // What a name is called here does not matter.
        let tree: String =
            tree.replace(" as ", "@").split_whitespace().collect();
        expand("", &tree, &mut found);
    }
    let no_path = |c: char| !c.is_alphanumeric() && !"_:".contains(c);
    let words = code
        .split(no_path)
        .filter(|word| word.contains("::") && !word.ends_with("::"));
    found.extend(words.map(str::to_string));
    found
}

/// `a::{b, c::{self, d}}` as `a::b`, `a::c`, `a::c::d`.
fn expand(before: &str, tree: &str, found: &mut Vec<String>) {
    let Some((path, list)) = tree.split_once('{') else {
        let path = match tree.split('@').next().unwrap_or(tree) {
            "self" => before.trim_end_matches("::").to_string(),
            name => format!("{before}{name}"),
        };
        return found.push(path);
    };
    let before = format!("{before}{path}");
    let list = list.strip_suffix('}').unwrap_or(list);
    let (mut depth, mut start) = (0, 0);
    for (at, c) in list.char_indices().chain([(list.len(), ',')]) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let item = list.get(start..at).unwrap_or_default();
                if !item.is_empty() {
                    expand(&before, item, found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_tree_is_one_path_for_each_name() {
        let code = "use a::b;\npub use crate::{c, d::{self, E}};\n\
                    fn f() { super::g::h() }\nuse\n";
        let found = paths(code);
        for path in ["a::b", "crate::c", "crate::d", "crate::d::E"] {
            assert!(found.contains(&path.to_string()), "{path}: {found:?}");
        }
        assert!(found.contains(&"super::g::h".to_string()), "{found:?}");
    }

    #[test]
    fn modules_inside_others_have_their_path() {
        let code = "pub mod a;\npub mod b {\n    pub mod c;\n}\nmod d;\n";
        let names = declared(code).into_iter().map(|(name, _)| name);
        let names: Vec<_> = names.collect();
        assert_eq!(names, ["a", "b", "b::c", "d"]);
    }

    #[test]
    fn comments_and_tests_are_no_code() {
        let text = "//! use a::b;\nlet x = 1; // use c::d\n\
                    #[cfg(test)]\nmod tests {}\n";
        assert_eq!(code(text).trim(), "let x = 1;");
    }
}
