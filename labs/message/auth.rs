//! The levels of authentication of task 2: what a client must prove before it
//! may send messages. Handout D (Durham). The server asks with [`nonce`] and
//! [`check`]s the answer; the client makes it with [`reply`]; intruder.rs tries
//! without.
//!
//! ```text
//! level        the server says        the client sends
//! none         nothing                nothing                  [D-T2.1]
//! allow-list   nothing                nothing: its address is enough
//! password     AUTH password          LOGIN <secret>
//! challenge    AUTH challenge <nonce> LOGIN <HMAC(secret, nonce)>
//! ```
//!
//! Limit: no level encrypts or protects the messages after the login. No level
//! lets the client check the SERVER, so a false server can forward the true
//! one's nonce and use the answer. A real program uses TLS. (viva 12)

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use rand::TryRng;
use rand::rngs::SysRng;
use sha2::Sha256;
use socketlab::{Error, Result, console, secret};

/// The environment variable that holds the secret without `--secret-file`.
pub const VARIABLE: &str = "MESSAGE_SECRET";

/// Longest secret in bytes: it travels in one line. A proof is shorter.
pub const LONGEST: usize = 1024;

/// How a client is authorised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Every client that knows address and port may send: task 1.
    None,
    /// A client may send from certain source addresses.
    AllowList,
    /// A client may send after it has sent the secret itself.
    Password,
    /// A client may send after it has proved that it knows the secret, without
    /// sending it.
    Challenge,
}

impl FromStr for Level {
    type Err = String;

    fn from_str(word: &str) -> std::result::Result<Level, String> {
        match word {
            "none" => Ok(Level::None),
            "allow-list" => Ok(Level::AllowList),
            "password" => Ok(Level::Password),
            "challenge" => Ok(Level::Challenge),
            _ => Err(format!(
                "'{word}' is none of: none, allow-list, password, challenge"
            )),
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::None => "none",
            Level::AllowList => "allow-list",
            Level::Password => "password",
            Level::Challenge => "challenge",
        })
    }
}

/// The shared secret. It has neither Debug nor Display, so that no log line can
/// contain it by mistake.
pub struct Secret(Vec<u8>);

impl Secret {
    /// From a file or the environment, never from the command line: every
    /// user of the machine reads that with `ps -ef`, and finds it with grep.
    ///                               [D-O3] [D-O4] [D-O5] (viva 4)
    pub fn load(file: Option<&str>) -> Result<Secret> {
        let bytes = match file {
            Some(file) => secret::from_file(Path::new(file), LONGEST)?,
            None => secret::from_environment(VARIABLE).ok_or_else(|| {
                Error::other(format!(
                    "this needs a secret: --secret-file FILE, or the \
                     environment variable {VARIABLE}"
                ))
            })?,
        };
        let from = file.unwrap_or(VARIABLE);
        Secret::new(&bytes)
            .map_err(|error| Error::other(format!("{from}: {error}")))
    }

    /// The secret is the first line. An empty secret is refused, because it
    /// would let in every client that sends nothing.
    pub fn new(bytes: &[u8]) -> Result<Secret> {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let problem = match line {
            [] => "the secret is empty, which would let everybody in",
            _ if line.iter().any(u8::is_ascii_control) => {
                "the secret must be one line of text"
            }
            _ if line.len() > LONGEST => "the secret is longer than 1024 bytes",
            _ => return Ok(Secret(line.to_vec())),
        };
        Err(Error::other(problem))
    }

    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// HMAC-SHA256 of `text` under `key`: SHA-256 with the key mixed in twice. It
/// cannot be made without the key, and the key cannot be computed from it.
fn mac(key: &[u8], text: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text);
    Some(mac)
}

/// Two digits for each byte, because a line cannot hold every byte.
fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A number used once: 32 random bytes from the operating system, in
/// hexadecimal. If a nonce repeated, a recorded answer would work again. (viva
/// 12)
pub fn nonce() -> Result<String> {
    let mut bytes = [0; 32];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Error::other(format!("getrandom(): {error}")))?;
    Ok(to_hex(&bytes))
}

/// Is `answer` what the holder of the secret sends at this level?
///
/// `==` on bytes stops at the first difference, and the time it took tells an
/// attacker how many bytes were right. verify_slice always compares all. A
/// password also goes through an HMAC, with a new key each time, so that this
/// comparison works for both levels. [D-T2.1] (viva 13)
pub fn check(
    level: Level,
    secret: &Secret,
    nonce: &str,
    answer: &[u8],
) -> bool {
    let key = nonce.as_bytes();
    let verified = match level {
        Level::None | Level::AllowList => return false, // no answer is asked
        Level::Challenge => mac(secret.bytes(), key)
            .zip(from_hex(answer))
            .map(|(mac, proof)| mac.verify_slice(&proof)),
        Level::Password => mac(key, secret.bytes())
            .zip(mac(key, answer))
            .map(|(mac, given)| mac.verify(&given.finalize().into_bytes())),
    };
    matches!(verified, Some(Ok(())))
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes = pairs
        .iter()
        .map(|&[high, low]| u8::try_from(digit(high)? * 16 + digit(low)?).ok());
    if rest.is_empty() { bytes.collect() } else { None }
}

/// The client's answer to a challenge. The secret itself is never sent; the
/// answer is valid for this nonce only. [D-T2.1] (viva 12)
fn prove(secret: &Secret, nonce: &str) -> String {
    let mac = mac(secret.bytes(), nonce.as_bytes());
    mac.map_or(String::new(), |mac| to_hex(&mac.finalize().into_bytes()))
}

/// What a client of this level answers to the server's greeting. It never uses
/// a weaker level than its user asked for: a server that wants the plain
/// password of a challenge user may be a false one, and gets nothing. (viva 12)
pub fn reply(
    level: Level,
    secret: &Secret,
    greeting: &[u8],
) -> Result<Vec<u8>> {
    let text = String::from_utf8_lossy(greeting);
    let words: Vec<&str> = text.split(' ').collect();
    match (level, words.as_slice()) {
        (Level::Password, ["AUTH", "password"]) => Ok(secret.bytes().to_vec()),
        (Level::Challenge, ["AUTH", "challenge", nonce]) => {
            Ok(prove(secret, nonce).into_bytes())
        }
        _ => Err(Error::other(format!(
            "the server does not ask for {level}, it sent '{}': \
             nothing was sent",
            console::escape(greeting)
        ))),
    }
}
