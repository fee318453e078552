//! The names of mailboxes in IMAP. A name like `Entwürfe` is sent as
//! `Entw&APw-rfe`: UTF-16 in base64, between & and -, with a comma for the
//! slash and without padding (RFC 3501, 5.1.3). An & is `&-`.

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine, alphabet};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Encodes a name.
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

/// Decodes a name. A name that cannot be decoded is unchanged.
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
    }
}
