//! The rungs of task 2: what a client must show before it may talk. Handout
//! D (Durham); server.rs asks, client.rs answers, intruder.rs tries without.
//!
//!     rung         the server says        the client sends
//!     none         nothing                nothing                  [D-T2.1]
//!     allow-list   nothing                nothing: its address speaks
//!     password     AUTH password          LOGIN <secret>
//!     challenge    AUTH challenge <nonce> LOGIN <HMAC(secret, nonce)>
//!
//! Limit: no rung encrypts or protects what is said afterwards, and none
//! lets the client check the SERVER: a false one can pass on the true one's
//! nonce and use the answer. A serious program uses TLS.      (viva 12)

use std::env;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use rand::TryRng;
use rand::rngs::SysRng;
use sha2::Sha256;
use socketlab::{Error, Result, console, warn};

/// The environment variable that holds the secret without `--secret-file`.
pub const VARIABLE: &str = "MESSAGE_SECRET";

/// Longest secret in bytes: it travels in one line.
const LONGEST: u64 = 1024;

/// How a client is authorised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rung {
    /// Whoever knows the socket may talk: task 1.
    None,
    /// Some source addresses may.
    AllowList,
    /// Who sends the secret itself.
    Password,
    /// Who proves to know the secret without sending it.
    Challenge,
}

impl FromStr for Rung {
    type Err = String;

    fn from_str(word: &str) -> std::result::Result<Rung, String> {
        match word {
            "none" => Ok(Rung::None),
            "allow-list" => Ok(Rung::AllowList),
            "password" => Ok(Rung::Password),
            "challenge" => Ok(Rung::Challenge),
            _ => Err(format!(
                "'{word}' is none of: none, allow-list, password, challenge"
            )),
        }
    }
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Rung::None => "none",
            Rung::AllowList => "allow-list",
            Rung::Password => "password",
            Rung::Challenge => "challenge",
        })
    }
}

/// The shared secret. It has no Debug and no Display, so that no log line
/// can hold it by accident.
pub struct Secret(Vec<u8>);

impl Secret {
    /// From a file or the environment, never from the command line: every
    /// user of the machine reads that with `ps -ef`, and finds it with grep.
    ///                               [D-O3] [D-O4] [D-O5] (viva 4)
    pub fn load(file: Option<&str>) -> Result<Secret> {
        let bytes = match file {
            Some(file) => read(file)?,
            None => match env::var_os(VARIABLE) {
                Some(value) => value.into_encoded_bytes(),
                None => {
                    return Err(Error::other(format!(
                        "this needs a secret: --secret-file FILE, or the \
                         environment variable {VARIABLE}"
                    )));
                }
            },
        };
        let from = file.unwrap_or(VARIABLE);
        Secret::new(&bytes)
            .map_err(|error| Error::other(format!("{from}: {error}")))
    }

    /// The secret is the first line. An empty one is refused: it would let
    /// in everybody who sends nothing.
    pub fn new(bytes: &[u8]) -> Result<Secret> {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let problem = match line {
            [] => "the secret is empty, which would let everybody in",
            _ if line.iter().any(u8::is_ascii_control) => {
                "the secret must be one line of text"
            }
            _ if line.len() as u64 > LONGEST => {
                "the secret is longer than 1024 bytes"
            }
            _ => return Ok(Secret(line.to_vec())),
        };
        Err(Error::other(problem))
    }
}

fn read(name: &str) -> Result<Vec<u8>> {
    let fail = |error| Error::new("open", name, error);
    let file = File::open(name).map_err(fail)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(fail)?.permissions().mode();
        if mode & 0o077 != 0 {
            warn!("warning: others may read {name}: chmod 600 {name}");
        }
    }
    let mut bytes = Vec::new();
    file.take(LONGEST + 3).read_to_end(&mut bytes).map_err(fail)?;
    Ok(bytes)
}

/// A number used once: 32 fresh random bytes from the operating system, in
/// hexadecimal. If it ever repeated, so could an answer.       (viva 12)
pub fn nonce() -> Result<String> {
    let mut bytes = [0; 32];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Error::other(format!("getrandom(): {error}")))?;
    Ok(to_hex(&bytes))
}

/// HMAC-SHA256 of `text` under `key`: SHA-256 with the key mixed in twice.
/// Whoever lacks the key can neither make it nor get the key out of it.
fn mac(key: &[u8], text: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text);
    Some(mac)
}

/// The client's answer to a challenge. The secret stays at home: what goes
/// over the wire is good for this nonce alone.       [D-T2.1] (viva 12)
pub fn prove(secret: &Secret, nonce: &str) -> String {
    let mac = mac(&secret.0, nonce.as_bytes());
    mac.map_or(String::new(), |mac| to_hex(&mac.finalize().into_bytes()))
}

/// What a client of this rung answers to the server's greeting. It does what
/// its user asked for and nothing less: a server that wants the bare password
/// of a challenge user may be a false one, and gets nothing.  (viva 12)
pub fn reply(rung: Rung, secret: &Secret, greeting: &[u8]) -> Result<Vec<u8>> {
    let text = String::from_utf8_lossy(greeting);
    let words: Vec<&str> = text.split(' ').collect();
    match (rung, words.as_slice()) {
        (Rung::Password, ["AUTH", "password"]) => Ok(secret.0.clone()),
        (Rung::Challenge, ["AUTH", "challenge", nonce]) => {
            Ok(prove(secret, nonce).into_bytes())
        }
        _ => Err(Error::other(format!(
            "the server asks for no {rung}, it says '{}': nothing was sent",
            console::escape(greeting)
        ))),
    }
}

/// Is `answer` what the holder of the secret sends on this rung?
///
/// `==` on bytes stops at the first difference, and the time it took tells
/// an attacker how far he got. verify_slice looks at all bytes, always. A
/// password is run through an HMAC of its own, whose key is new each time,
/// so that this one comparison serves both rungs.    [D-T2.1] (viva 13)
pub fn check(rung: Rung, secret: &Secret, nonce: &str, answer: &[u8]) -> bool {
    let key = nonce.as_bytes();
    let verified = match rung {
        Rung::None | Rung::AllowList => return true,
        Rung::Challenge => mac(&secret.0, key)
            .zip(from_hex(answer))
            .map(|(mac, proof)| mac.verify_slice(&proof)),
        Rung::Password => mac(key, &secret.0)
            .zip(mac(key, answer))
            .map(|(mac, given)| mac.verify(&given.finalize().into_bytes())),
    };
    matches!(verified, Some(Ok(())))
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes = pairs
        .iter()
        .map(|&[high, low]| u8::try_from(digit(high)? * 16 + digit(low)?).ok());
    if rest.is_empty() { bytes.collect() } else { None }
}
