//! Parts of a file: `Range: bytes=0-99,-50` (RFC 9110, section 14). Videos
//! are watched, and downloads resumed, by asking for parts.

use std::ops::Range;

/// More parts than this are nobody's honest wish: the whole is sent instead.
const MOST_PARTS: usize = 16;

/// What a Range field asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Parts {
    /// Nothing that is understood: answer as if the field was not there.
    Whole,
    /// These bytes, in this order: 206.
    Some(Vec<Range<u64>>),
    /// None of it is in the file: 416.
    Unsatisfiable,
}

/// Reads the field for a file of `size` bytes.               (viva 12)
pub fn parse(field: &[u8], size: u64) -> Parts {
    let field = String::from_utf8_lossy(field);
    let Some((unit, list)) = field.split_once('=') else {
        return Parts::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Parts::Whole;
    }
    let (mut parts, mut asked) = (Vec::new(), 0);
    for spec in list.split(',').map(str::trim).filter(|s| !s.is_empty()) {
        let Some(part) = one(spec, size) else { return Parts::Whole };
        asked += 1;
        if asked > MOST_PARTS {
            return Parts::Whole;
        }
        if !part.is_empty() {
            parts.push(part);
        }
    }
    // Overlapping parts could make a small file into a large answer.
    let total: u64 = parts.iter().map(|part| part.end - part.start).sum();
    match () {
        () if asked == 0 => Parts::Whole,
        () if parts.is_empty() => Parts::Unsatisfiable,
        () if parts.len() > 1 && total > size => Parts::Whole,
        () => Parts::Some(parts),
    }
}

/// `3-7`, `3-` or `-7`; an empty range if it lies behind the end; `None` if
/// it is malformed, which makes the whole field void.
fn one(spec: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        let count = number(last)?.min(size); // the last so many
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
            Parts::Some(parts.iter().map(|&(from, to)| from..to).collect())
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
            ("bytes=10-", Parts::Unsatisfiable),
            ("bytes=-0", Parts::Unsatisfiable),
            ("bytes=4-1", Parts::Whole),
            ("bytes=", Parts::Whole),
            ("bytes=a-b", Parts::Whole),
            ("bytes=+1-2", Parts::Whole),
            ("bytes=0-9,0-9", Parts::Whole), // twice the file
            ("lines=0-4", Parts::Whole),
            ("0-4", Parts::Whole),
        ] {
            assert_eq!(parse(field), expected, "{field}");
        }
        let many = format!("bytes={}", "0-0,".repeat(17));
        assert_eq!(parse(&many), Parts::Whole);
        assert_eq!(super::parse(b"bytes=0-", 0), Parts::Unsatisfiable);
    }
}
