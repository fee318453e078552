//! Parts of a file: `Range: bytes=0-99,-50` (RFC 9110, section 14). A video
//! player asks for the part that its user wants to see. A client that resumes
//! a download asks for the missing part.

use std::ops::Range;

/// If a request asks for more parts than this, it gets the complete file. No
/// honest client needs so small parts; an attacker could make us read the disk
/// thousands of times for one request.
const MOST_PARTS: usize = 16;

/// What a Range field asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Ranges {
    /// The field is absent, malformed or unreasonable. Send the complete file.
    All,
    /// Send these bytes, in this order: 206.
    Some(Vec<Range<u64>>),
    /// The file has none of these bytes: 416.
    Unsatisfiable,
}

/// Parses the field for a file of `size` bytes.              (viva 12)
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
    // An empty file has no parts, so the complete file is sent (200).
    if size == 0 {
        return Ranges::All;
    }
    // Parts may overlap. Then a small file could become a large response, so
    // the parts together must not be longer than the file.
    let total: u64 = parts.iter().map(|part| part.end - part.start).sum();
    match () {
        () if asked == 0 => Ranges::All,
        () if parts.is_empty() => Ranges::Unsatisfiable,
        () if parts.len() > 1 && total > size => Ranges::All,
        () => Ranges::Some(parts),
    }
}

/// Parses `3-7`, `3-` or `-7`. Returns an empty range if the part begins after
/// the end of the file, and `None` if it is malformed.
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

/// Parses digits; a sign is not allowed. If the number does not fit into 64
/// bits, the largest number replaces it, because no file is so large.
fn number(digits: &str) -> Option<u64> {
    let all = digits.bytes().all(|byte| byte.is_ascii_digit());
    (all && !digits.is_empty()).then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_field_becomes_parts_of_the_file() {
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
