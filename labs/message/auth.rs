//! The rungs of task 2: what a client must show before it may talk. Handout
//! D (Durham); the server asks and checks (verify.rs), the client answers
//! (prove.rs), intruder.rs tries without. Here is what both ends know.
//!
//! ```text
//! rung         the server says        the client sends
//! none         nothing                nothing                  [D-T2.1]
//! allow-list   nothing                nothing: its address speaks
//! password     AUTH password          LOGIN <secret>
//! challenge    AUTH challenge <nonce> LOGIN <HMAC(secret, nonce)>
//! ```
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
use sha2::Sha256;
use socketlab::{Error, Result, warn};

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

    /// What the server and the owner know, and nobody else.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

fn read(name: &str) -> Result<Vec<u8>> {
    let fail = |error| Error::new("open", name, error);
    let file = File::open(name).map_err(fail)?;
    let about = file.metadata().map_err(fail)?;
    if about.is_dir() {
        return Err(Error::other(format!("{name} is a directory, no file")));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if about.permissions().mode() & 0o077 != 0 {
            warn!("warning: others may read {name}: chmod 600 {name}");
        }
    }
    let mut bytes = Vec::new();
    let most = LONGEST + 6; // BOM, the secret, CR LF, and one too many
    file.take(most).read_to_end(&mut bytes).map_err(fail)?;
    // Some editors on Windows begin a file with a byte order mark.
    Ok(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).to_vec())
}

/// HMAC-SHA256 of `text` under `key`: SHA-256 with the key mixed in twice.
/// Whoever lacks the key can neither make it nor get the key out of it.
pub fn mac(key: &[u8], text: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text);
    Some(mac)
}

/// Two digits for each byte: a line cannot hold every byte.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
