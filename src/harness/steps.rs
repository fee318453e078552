//! The numbered steps of a program, from the banners in its code:
//! `// ---- 4 accept() ----`.

use std::path::Path;

use socketlab::Result;

use crate::imports::Library;
use crate::source_tree::{read, source_of};

/// The step banners of a file, in order: `4 accept()`.
pub fn banners(file: &Path) -> Result<Vec<String>> {
    let text = read(file)?;
    Ok(text.lines().filter_map(banner).collect())
}

/// The step whose banner this line is: `4 accept()`.
pub fn banner(line: &str) -> Option<String> {
    let rest = line.trim_start().strip_prefix("// ---- ")?;
    Some(rest.trim_end_matches('-').trim().to_string())
}

/// The steps of a program, by their numbers: the banners of its own file and
/// of the modules that it uses, as far as they name a call, `4 accept()`. A
/// banner without `()` is a step of a dialogue and counts in its own file.
pub fn of_program(program: &str) -> Result<Vec<String>> {
    let main = source_of(program)?;
    let mut found = banners(&main)?;
    for module in Library::of(&main)?.reached_from(&main)? {
        found.extend(banners(&module)?);
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
