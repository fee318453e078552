//! From a request target to a path below the root. Many web servers have been
//! broken into with such targets: `/../../etc/passwd`, `/%2e%2e/…`, `//etc`,
//! `%00`. So we first split the path at `/`, then decode each component ONCE,
//! and then check it. The result contains only plain names. files.rs makes
//! sure that symbolic links do not lead out of the root.
//!
//! ```text
//! /a%20b/c.html?d=e  ->  a b/c.html          /a/  ->  a, and a folder
//! ```

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use percent_encoding::percent_decode_str;

/// Why a target is not a path below the root.
#[derive(Debug, PartialEq, Eq)]
pub enum NoPath {
    /// It is malformed, or leads out of the root: 400.
    Bad(&'static str),
    /// A file of this name cannot exist, or is hidden: 404.
    Nowhere,
}

/// A path below the root: plain names, joined by `/`; "" is the root.
#[derive(Debug, PartialEq, Eq)]
pub struct SitePath {
    /// `a b/c.html`, decoded. To the file system a name is bytes, which need
    /// not be UTF-8.
    pub name: OsString,
    /// The target ended with `/`, so it must be a folder.
    pub folder: bool,
}

/// Splits and decodes the path of a request. A server of files ignores the
/// query, which begins at `?`.                                [W-T2c] (viva 4)
pub fn parse(target: &str, dotfiles: bool) -> Result<SitePath, NoPath> {
    let path = target.split('?').next().unwrap_or_default();
    let Some(path) = path.strip_prefix('/') else {
        return Err(NoPath::Bad("The path must begin with /."));
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
            return Err(NoPath::Nowhere); // "//" has an empty name in it
        }
        if !name.is_empty() {
            name.push(b'/');
        }
        name.extend(part);
    }
    Ok(SitePath { name: OsString::from_vec(name), folder })
}

/// Decodes one component, and refuses what is not a plain name.
fn component(part: &str, dotfiles: bool) -> Result<Vec<u8>, NoPath> {
    if !escapes_are_complete(part) {
        return Err(NoPath::Bad("Two hex digits must follow each %."));
    }
    // Decode once. %252e%252e becomes the name "%2e%2e". If it were decoded
    // again, it would become "..", after the check below.
    let bytes: Vec<u8> = percent_decode_str(part).collect();
    if bytes.contains(&0) {
        // The kernel and C end a name at the first NUL, so it would open a
        // different file from the one that we have checked.
        return Err(NoPath::Bad("The path must not contain a NUL."));
    }
    match bytes.as_slice() {
        b"." | b".." => Err(NoPath::Bad("The path must not contain . or ..")),
        // %2f decodes to a slash, which a file name cannot contain. On Unix a
        // backslash is an ordinary character; on Windows it is a separator.
        name if name.contains(&b'/') => Err(NoPath::Nowhere),
        [b'.', ..] if !dotfiles => Err(NoPath::Nowhere),
        _ => Ok(bytes),
    }
}

/// Do two hex digits follow each `%`?
fn escapes_are_complete(part: &str) -> bool {
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
    fn targets_become_plain_names() {
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
    fn targets_that_lead_out_of_the_root_are_refused() {
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
