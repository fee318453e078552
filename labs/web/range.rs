//! Parts of a file: `Range: bytes=0-99,-50` (RFC 9110, section 14). Videos
//! are watched, and downloads resumed, by asking for parts.

use std::ops::Range;

/// No honest client asks for more parts than this: it gets the complete file.
const MOST_PARTS: usize = 16;

/// What a Range field asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Ranges {
    /// Nothing that is understood: respond as if the field was not there.
    All,
    /// These bytes, in this order: 206.
    Some(Vec<Range<u64>>),
    /// None of it is in the file: 416.
    Unsatisfiable,
}

/// Reads the field for a file of `size` bytes.               (viva 12)
pub fn parse(field: &[u8], size: u64) -> Ranges {
    let field = String::from_utf8_lossy(field);
    let Some((unit, list)) = field.split_once('=') else {
        return Ranges::All;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Ranges::All;
    }
    let (mut parts, mut asked) = (Vec::new(), 0);
    for spec in list.split(',').map(str::trim).filter(|s| !s.is_empty()) {
        let Some(part) = one(spec, size) else { return Ranges::All };
        asked += 1;
        if asked > MOST_PARTS {
            return Ranges::All;
        }
        if !part.is_empty() {
            parts.push(part);
        }
    }
    // An empty file has no part, and all of it is right (200).
    if size == 0 {
        return Ranges::All;
    }
    // Overlapping parts could make a small file into a large response.
    let total: u64 = parts.iter().map(|part| part.end - part.start).sum();
    match () {
        () if asked == 0 => Ranges::All,
        () if parts.is_empty() => Ranges::Unsatisfiable,
        () if parts.len() > 1 && total > size => Ranges::All,
        () => Ranges::Some(parts),
    }
}

/// `3-7`, `3-` or `-7`; an empty range if it lies after the end; `None` if
/// it is malformed, which makes the field void.
fn one(spec: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        let count = number(last)?.min(size); // the last `count` bytes
        return Some(size - count..size);
    }
    let first = number(first)?;
    let last = match last {
        "" => u64::MAX,
        last => number(last)?,
    };
    if last < first {
        return None;
    }
    let end = last.saturating_add(1).min(size);
    Some(first.min(end)..end)
}

/// Digits only; a number too large for us is larger than any file.
fn number(digits: &str) -> Option<u64> {
    let all = digits.bytes().all(|byte| byte.is_ascii_digit());
    (all && !digits.is_empty()).then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let parse = |field: &str| parse(field.as_bytes(), 10);
        let some = |parts: &[(u64, u64)]| {
            Ranges::Some(parts.iter().map(|&(from, to)| from..to).collect())
        };
        for (field, expected) in [
            ("bytes=0-4", some(&[(0, 5)])),
            ("bytes=5-", some(&[(5, 10)])),
            ("bytes=-3", some(&[(7, 10)])),
            ("bytes=-99", some(&[(0, 10)])),
            ("bytes=0-99999999999999999999999", some(&[(0, 10)])),
            ("bytes=0-0, 9-9", some(&[(0, 1), (9, 10)])),
            ("bytes=20-, 1-1", some(&[(1, 2)])),
            ("Bytes = 1-1", some(&[(1, 2)])),
            ("bytes=10-", Ranges::Unsatisfiable),
            ("bytes=-0", Ranges::Unsatisfiable),
            ("bytes=4-1", Ranges::All),
            ("bytes=", Ranges::All),
            ("bytes=a-b", Ranges::All),
            ("bytes=+1-2", Ranges::All),
            ("bytes=0-9,0-9", Ranges::All), // twice the file
            ("lines=0-4", Ranges::All),
            ("0-4", Ranges::All),
        ] {
            assert_eq!(parse(field), expected, "{field}");
        }
        let many = format!("bytes={}", "0-0,".repeat(17));
        assert_eq!(parse(&many), Ranges::All);
        for field in ["bytes=0-", "bytes=-5", "bytes=5-9", "bytes=0-0,3-"] {
            assert_eq!(super::parse(field.as_bytes(), 0), Ranges::All);
        }
    }
}
