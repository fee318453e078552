//! The message as it travels behind DATA: lines that end with CR LF, and a
//! line with a single dot as the end of all.
//!
//!     the message        on the wire           the server stores
//!     Hello        ->    Hello\r\n        ->   Hello
//!     .            ->    ..\r\n           ->   .
//!     .profile     ->    ..profile\r\n    ->   .profile
//!                        .\r\n                 (the end)
//!
//! Dots are doubled at the start of LINES, so line ends come first. A lone
//! LF or CR that one server takes for a line end and the next does not lets
//! a sender hide a second message in the first ("SMTP smuggling", 2023).
//!                                       (viva 4) (viva 5) (try 4) [W-T4a]

/// Octets of a line without its CR LF: RFC 5321, 4.5.3.1.6.
pub const LONGEST_LINE: usize = 998;

/// Every line end as CR LF, whether it was that already or a bare LF. A lone
/// CR stays as it is: what it means cannot be known.
pub fn with_crlf(text: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(text.len() + text.len() / 32);
    let mut before = None;
    for &byte in text {
        if byte == b'\n' && before != Some(b'\r') {
            lines.push(b'\r');
        }
        lines.push(byte);
        before = Some(byte);
    }
    lines
}

/// The octets to send for a message: checked, stuffed, with the final dot.
pub fn stuffed(message: &[u8]) -> Result<Vec<u8>, String> {
    let message = with_crlf(message);
    let mut wire = Vec::with_capacity(message.len() + 64);
    let mut lines = message.split(|&byte| byte == b'\n').peekable();
    let mut number = 0;
    while let Some(line) = lines.next() {
        if line.is_empty() && lines.peek().is_none() {
            break; // behind the last line end
        }
        number += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > LONGEST_LINE {
            return Err(format!(
                "line {number} of the message has {} octets, SMTP allows \
                 {LONGEST_LINE}",
                line.len()
            ));
        }
        if line.contains(&b'\r') || line.contains(&0) {
            return Err(format!(
                "line {number} of the message has a lone CR or a NUL"
            ));
        }
        if line.first() == Some(&b'.') {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    Ok(wire)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a server does with the lines behind DATA.
    fn unstuffed(wire: &[u8]) -> Vec<u8> {
        let end = wire.windows(3).position(|end| end == b".\r\n");
        let mut stored = Vec::new();
        let text = std::str::from_utf8(wire).unwrap();
        assert!(end.is_some());
        for line in text.split_terminator("\r\n") {
            if line == "." {
                return stored;
            }
            let line = line.strip_prefix('.').unwrap_or(line);
            stored.extend_from_slice(line.as_bytes());
            stored.extend_from_slice(b"\r\n");
        }
        panic!("no end");
    }

    #[test]
    fn dots_are_doubled_at_the_start_of_lines_only() {
        let wire = stuffed(b"a.b\n.\n..\n.c\n").unwrap();
        assert_eq!(wire, b"a.b\r\n..\r\n...\r\n..c\r\n.\r\n");
    }

    #[test]
    fn line_ends_are_made_crlf_once() {
        assert_eq!(stuffed(b"a\r\nb\nc").unwrap(), b"a\r\nb\r\nc\r\n.\r\n");
        assert_eq!(stuffed(b"").unwrap(), b".\r\n");
        assert_eq!(stuffed(b"\n\n").unwrap(), b"\r\n\r\n.\r\n");
    }

    #[test]
    fn what_servers_read_differently_is_refused() {
        assert!(stuffed(b"a\rb").is_err());
        assert!(stuffed(b"a\n.\r.\n").is_err());
        assert!(stuffed(b"a\0b").is_err());
        assert!(stuffed(&[b'x'; 998]).is_ok());
        assert!(stuffed(&[b'x'; 999]).is_err());
    }

    proptest! {
        #[test]
        fn a_server_finds_every_text_again(
            lines in prop::collection::vec("[.a-zé ]{0,9}", 0..20)
        ) {
            let text: String =
                lines.iter().map(|line| format!("{line}\n")).collect();
            let wire = stuffed(text.as_bytes()).unwrap();
            prop_assert_eq!(
                unstuffed(&wire), text.replace('\n', "\r\n").into_bytes());
        }
    }
}
