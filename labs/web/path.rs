//! From a request target to a path below the root. Here web servers have been
//! broken into: `/../../etc/passwd`, `/%2e%2e/…`, `//etc`, `%00`. So the path
//! is split first and decoded after that, ONCE, and each component is checked
//! on its own. The result has only plain names in it. files.rs sees to it that
//! symbolic links stay below the root.
//!
//! ```text
//! /a%20b/c.html?d=e  ->  a b/c.html          /a/  ->  a, and a folder
//! ```

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use percent_encoding::percent_decode_str;

/// Why a path leads nowhere.
#[derive(Debug, PartialEq, Eq)]
pub enum NoPath {
    /// It makes no sense, or wants out: 400.
    Bad(&'static str),
    /// No file of ours could ever be called so: 404.
    Nowhere,
}

/// A path below the root: plain names, joined by `/`; "" is the root.
#[derive(Debug, PartialEq, Eq)]
pub struct SitePath {
    /// `a b/c.html`, decoded. To the file system a name is bytes, which need
    /// not be UTF-8.
    pub name: OsString,
    /// Did it end with `/`? Then a folder is meant.
    pub folder: bool,
}

/// Splits and decodes the path of a request. The query, from `?` on, means
/// nothing to a server of files.                              [W-T2c] (viva 4)
pub fn parse(target: &str, dotfiles: bool) -> Result<SitePath, NoPath> {
    let path = target.split('?').next().unwrap_or_default();
    let Some(path) = path.strip_prefix('/') else {
        return Err(NoPath::Bad("The path does not begin with /."));
    };
    let root = path.is_empty();
    let (path, folder) = match path.strip_suffix('/') {
        Some(path) => (path, true),
        None => (path, root),
    };
    let mut name = Vec::with_capacity(path.len());
    for part in path.split('/') {
        let part = component(part, dotfiles)?;
        if part.is_empty() && !root {
            return Err(NoPath::Nowhere); // "//": the empty name
        }
        if !name.is_empty() {
            name.push(b'/');
        }
        name.extend(part);
    }
    Ok(SitePath { name: OsString::from_vec(name), folder })
}

fn component(part: &str, dotfiles: bool) -> Result<Vec<u8>, NoPath> {
    if !escapes_are_whole(part) {
        return Err(NoPath::Bad("A % is not followed by two hex digits."));
    }
    // Once: %252e%252e decodes to the name "%2e%2e", and that is the end.
    let bytes: Vec<u8> = percent_decode_str(part).collect();
    if bytes.contains(&0) {
        // C programs, and kernels, would end the name there.
        return Err(NoPath::Bad("The path has a NUL in it."));
    }
    match bytes.as_slice() {
        b"." | b".." => Err(NoPath::Bad("The path has a . or .. in it.")),
        // A name has no slash in it. A backslash is a letter like others here;
        // on Windows it would be a slash.
        name if name.contains(&b'/') => Err(NoPath::Nowhere),
        [b'.', ..] if !dotfiles => Err(NoPath::Nowhere),
        _ => Ok(bytes),
    }
}

fn escapes_are_whole(part: &str) -> bool {
    part.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes().get(..2).unwrap_or_default();
        digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(target: &str) -> Result<OsString, NoPath> {
        parse(target, false).map(|path| path.name)
    }

    #[test]
    fn paths() {
        for (target, expected) in [
            ("/", ""),
            ("/a", "a"),
            ("/a/", "a"),
            ("/a%20b/c.html?d=/../e", "a b/c.html"),
            ("/%41", "A"),
            ("/%C3%A9", "é"),
            ("/a...b/..c", "a...b/..c"),
            ("/%252e%252e/", "%2e%2e"),
            ("/a%5cb", "a\\b"),
            ("/a\\..", "a\\.."),
        ] {
            let found = parse(target, true).map(|path| path.name);
            assert_eq!(found, Ok(expected.into()), "{target}");
        }
        let latin_1 = OsString::from_vec(b"\xfc".to_vec());
        assert_eq!(name("/%fc"), Ok(latin_1));
        assert!(parse("/a/", false).is_ok_and(|path| path.folder));
        assert!(parse("/a", false).is_ok_and(|path| !path.folder));
    }

    #[test]
    fn ways_out() {
        for target in
            ["/..", "/../a", "/a/../../b", "/%2e%2e/a", "/.%2E/", "/./a"]
        {
            assert!(matches!(name(target), Err(NoPath::Bad(_))), "{target}");
        }
        for target in ["/%00", "/a%0", "/a%zz", "/%", "/a%+1", "a"] {
            assert!(matches!(name(target), Err(NoPath::Bad(_))), "{target}");
        }
        for target in [
            "//etc/passwd",
            "/a//b",
            "//",
            "/%2fetc",
            "/..%2f",
            "/.git/config",
            "/a/.b",
            "/%2ehidden",
        ] {
            assert_eq!(name(target), Err(NoPath::Nowhere), "{target}");
        }
    }
}
