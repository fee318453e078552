//! Strings and names of mailboxes in IMAP. A name like `Entwürfe` travels as
//! `Entw&APw-rfe`: UTF-16 in base64, between & and -, with a comma for the
//! slash and without padding (RFC 3501, 5.1.3). An & is `&-`.

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};

use crate::imap_reply::Response;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// A string in quotes. It must be ASCII without control characters.
pub fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What a quoted string at the beginning of `text` says.
pub fn unquote(text: &str) -> Option<String> {
    let mut inner = String::new();
    let mut rest = text.strip_prefix('"')?.chars();
    loop {
        match rest.next()? {
            '"' => return Some(inner),
            '\\' => inner.push(rest.next()?),
            other => inner.push(other),
        }
    }
}

/// The name in `* LIST (\HasNoChildren) "/" INBOX`.
pub fn of_list(response: &Response) -> Option<String> {
    if let Some(name) = response.literals.last() {
        return Some(String::from_utf8_lossy(name).into());
    }
    let (_, rest) = response.text.split_once(") ")?;
    // The separator: a quoted character, or NIL.
    let rest = match rest.strip_prefix("NIL ") {
        Some(name) => name,
        None => rest.split_once("\" ")?.1,
    };
    unquote(rest).or(Some(rest.to_string()))
}

/// A name for the wire.
pub fn encode(name: &str) -> String {
    let mut coded = String::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let plain = |c: char| matches!(c, ' '..='~');
        let (at, wide) = match plain(first) {
            true => (rest.find(|c| !plain(c)), false),
            false => (rest.find(plain), true),
        };
        let (part, after) = rest.split_at(at.unwrap_or(rest.len()));
        match wide {
            true => coded += &format!("&{}-", base64(part)),
            false => coded += &part.replace('&', "&-"),
        }
        rest = after;
    }
    coded
}

fn base64(text: &str) -> String {
    let units = text.encode_utf16();
    BASE64.encode(units.flat_map(u16::to_be_bytes).collect::<Vec<u8>>())
}

/// A name from the wire; one that makes no sense stays as it is.
pub fn decode(coded: &str) -> String {
    decoded(coded).unwrap_or_else(|| coded.to_string())
}

fn decoded(coded: &str) -> Option<String> {
    let mut parts = coded.split('&');
    let mut name = parts.next()?.to_string();
    for part in parts {
        let (wide, plain) = part.split_once('-')?;
        match wide {
            "" => name.push('&'),
            wide => name += &wide_text(wide)?,
        }
        name += plain;
    }
    Some(name)
}

fn wide_text(wide: &str) -> Option<String> {
    let bytes = BASE64.decode(wide).ok()?;
    let (pairs, _) = bytes.as_chunks();
    let units: Vec<u16> =
        pairs.iter().copied().map(u16::from_be_bytes).collect();
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_travel_in_a_kind_of_utf_7() {
        let known = [
            ("INBOX", "INBOX"),
            ("Entwürfe", "Entw&APw-rfe"),
            ("R&D", "R&-D"),
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("😀", "&2D3eAA-"),
        ];
        for (name, coded) in known {
            assert_eq!(encode(name), coded);
            assert_eq!(decode(coded), name);
        }
        assert_eq!(decode("R&D"), "R&D");
        assert_eq!(unquote(&quote("a\\\"b")).as_deref(), Some("a\\\"b"));
    }
}
