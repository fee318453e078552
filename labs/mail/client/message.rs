//! The message: header, empty line, body; MIME parts if it has attachments.
//! The crate mail-builder writes the formats (folded lines, `=?utf-8?…?=`,
//! boundaries, base64). This file checks what goes into them.
//!
//! ```text
//! MAIL FROM, RCPT TO     the ENVELOPE: servers deliver by it
//! From, To, Cc, Subject  the HEADER: people read it. Servers do
//!                        not compare the two.       (viva 9) (try 5)
//! ```
//!
//! A Bcc recipient is in the envelope, never in the header. [W-T4a] (try 5)

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address as Named;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::date::Date;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;
use socketlab::console;

use super::body::{LARGEST, read_file};
use super::eml::ReadyMessage;
use super::mailbox::Mailbox;
use crate::smtp::address::Address;
use crate::smtp::dot_stuffing;

/// A file that is sent with the message.
pub struct Attachment {
    name: String,
    kind: String, // image/png
    bytes: Vec<u8>,
}

/// One message, as far as the command line and stdin define it.
pub struct Letter {
    /// The header's From.
    pub from: Mailbox,
    /// The header's To.
    pub to: Vec<Mailbox>,
    /// The header's Cc.
    pub cc: Vec<Mailbox>,
    /// Recipients that are in the envelope only.
    pub bcc: Vec<Mailbox>,
    /// The header's Subject: one line.
    pub subject: String,
    /// The text, with LF or CR LF as newline.
    pub body: String,
    /// In the order of the command line.
    pub attachments: Vec<Attachment>,
    /// The complete message of `--eml`, which is sent instead of the others.
    pub ready: Option<ReadyMessage>,
}

impl Attachment {
    /// Reads a file of at most `room` bytes.
    fn read(path: &Path, room: u64) -> Result<Attachment, String> {
        let fail = |why: &str| format!("{}: {why}", path.display());
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| fail("its name is not UTF-8"))?;
        // Joiners and direction marks belong to many scripts, and RFC 2231
        // can encode them. A character that reorders others can hide the end
        // of the name, so that an .exe looks like a .txt.
        let harmless = ['\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}'];
        let odd = |c: char| console::is_deceptive(c) && !harmless.contains(&c);
        if name.chars().any(odd) {
            return Err(fail("its name has a newline or control character"));
        }
        let bytes = read_file(path, room)?;
        let kind = mime_guess::from_path(path).first_raw();
        let kind = kind.unwrap_or("application/octet-stream");
        Ok(Attachment { name: name.into(), kind: kind.into(), bytes })
    }

    /// Reads all files. Together they may have [`LARGEST`] bytes.
    pub fn read_all(files: &[PathBuf]) -> Result<Vec<Attachment>, String> {
        let mut room = LARGEST;
        let mut found = Vec::new();
        for file in files {
            let one = Attachment::read(file, room)?;
            room = room.saturating_sub(one.bytes.len() as u64);
            found.push(one);
        }
        Ok(found)
    }
}

/// Checks that a header's text is one line. A newline in it would begin
/// another header line: `Hi\r\nBcc: all@example.com`.       (viva 15)
pub fn check_header(name: &str, text: &str) -> Result<(), String> {
    match text.chars().any(char::is_control) {
        true => Err(format!(
            "{name} has a newline or control character: the text after it \
             would become another header line. Remove it"
        )),
        false => Ok(()),
    }
}

impl Letter {
    /// All recipients, each address once: To, Cc, then Bcc.
    pub fn recipients(&self) -> Vec<&Address> {
        let mut found: Vec<&Address> = Vec::new();
        for mailbox in self.to.iter().chain(&self.cc).chain(&self.bcc) {
            if !found.iter().any(|one| one.same_as(&mailbox.address)) {
                found.push(&mailbox.address);
            }
        }
        found
    }

    /// The message as bytes. `eight_bit`: the server accepts bytes above 127
    /// (8BITMIME); otherwise all bytes are ASCII.
    pub fn build(&self, eight_bit: bool) -> Result<Vec<u8>, String> {
        if let Some(ready) = &self.ready {
            return ready.bytes(eight_bit);
        }
        check_header("Subject", &self.subject)?;
        let mut message = MessageBuilder::new()
            .date(Date::new(Timestamp::now().as_second()))
            .message_id(self.new_id())
            .from(named(&self.from));
        if !self.to.is_empty() {
            message = message.to(list(&self.to));
        }
        if !self.cc.is_empty() {
            message = message.cc(list(&self.cc));
        }
        if self.to.is_empty() && self.cc.is_empty() {
            // Only Bcc: a group without addresses is the usual To then.
            let nobody = Some("undisclosed-recipients");
            message = message.to(Named::new_group(nobody, Vec::<Named>::new()));
        }
        message = match self.subject.contains("=?") {
            true => message
                .header("Subject", Raw::new(encoded_words(&self.subject))),
            false => message.subject(self.subject.as_str()),
        };
        message = message.header("User-Agent", Raw::new(AGENT));
        let mut body = self.text(eight_bit);
        if !self.attachments.is_empty() {
            let files = self.attachments.iter().map(part);
            let parts: Vec<MimePart> =
                [body].into_iter().chain(files).collect();
            body = MimePart::new("multipart/mixed", parts);
        }
        message
            .body(body)
            .write_to_vec()
            .map_err(|error| format!("the message cannot be built: {error}"))
    }

    /// The text as the first part. If possible it is not encoded, so that it
    /// can be read in the dialogue. Otherwise mail-builder encodes it.
    fn text(&self, eight_bit: bool) -> MimePart<'_> {
        let wire = dot_stuffing::with_crlf(self.body.as_bytes());
        let plain = eight_bit || self.body.is_ascii();
        let mut kind = ContentType::new("text/plain");
        kind = kind.attribute("charset", "utf-8");
        match dot_stuffing::check(&wire) {
            Ok(_) if plain => MimePart::new(kind, wire).transfer_encoding(
                if self.body.is_ascii() { "7bit" } else { "8bit" },
            ),
            // A long line, or a server that accepts only ASCII. In MIME a
            // text has CR LF as newline, also inside an encoding.
            _ if !dot_stuffing::has_odd_bytes(&wire) => {
                let text = String::from_utf8_lossy(&wire).into_owned();
                MimePart::new(kind, text)
            }
            _ => in_base64(kind, &wire),
        }
    }

    /// The Message-ID, `random@domain of the sender`: it is different for
    /// each message.
    fn new_id(&self) -> String {
        let random: u128 = rand::random();
        format!("{random:032x}@{}", self.from.address.domain())
    }
}

/// The name of this program, for people who search for an error.
const AGENT: &str = concat!("socketlab/", env!("CARGO_PKG_VERSION"));

fn named(mailbox: &Mailbox) -> Named<'_> {
    Named::new_address(mailbox.name.as_deref(), mailbox.address.text())
}

/// Several people in one header line.
fn list(of: &[Mailbox]) -> Named<'_> {
    Named::new_list(of.iter().map(named).collect())
}

/// Encodes a subject that contains `=?`. Without that, a mail program would
/// decode a typed `=?utf-8?…?=`. 39 bytes become a word of 64 characters,
/// because a line with such words may have only 76, including `Subject: `
/// (RFC 2047, 2).
fn encoded_words(text: &str) -> String {
    let mut words = vec![String::new()];
    for character in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + character.len_utf8() <= 39 => {
                word.push(character);
            }
            _ => words.push(character.into()),
        }
    }
    let coded = |word| format!("=?utf-8?B?{}?=", STANDARD.encode(word));
    words.iter().map(coded).collect::<Vec<_>>().join(" ")
}

/// A part in base64, 76 characters a line, because SMTP carries only lines.
fn in_base64(kind: ContentType<'static>, bytes: &[u8]) -> MimePart<'static> {
    let mut text = String::with_capacity(bytes.len() / 54 * 78 + 80);
    for line in bytes.chunks(57) {
        STANDARD.encode_string(line, &mut text);
        text.push_str("\r\n");
    }
    MimePart::new(kind, text.into_bytes()).transfer_encoding("base64")
}

/// An attachment as a part.
fn part(file: &Attachment) -> MimePart<'_> {
    let mut kind = match file.kind.split('/').next() {
        // MIME forbids base64 for these types (RFC 2045, 6.4).
        Some("message" | "multipart") => {
            ContentType::new("application/octet-stream")
        }
        _ => ContentType::new(file.kind.clone()),
    };
    if kind.is_text() && std::str::from_utf8(&file.bytes).is_ok() {
        kind = kind.attribute("charset", "utf-8");
    }
    in_base64(kind, &file.bytes).attachment(file.name.as_str())
}
