//! AUTH: who sends. RFC 4954; the names of the mechanisms are older.
//!
//!     C: AUTH PLAIN AGFsaWNlAHNlY3JldA==        NUL alice NUL secret
//!     S: 235 2.7.0 you are alice
//!
//!     C: AUTH LOGIN
//!     S: 334 VXNlcm5hbWU6                       Username:
//!     C: YWxpY2U=                               alice
//!     S: 334 UGFzc3dvcmQ6                       Password:
//!     C: c2VjcmV0                               secret
//!
//! Base64 hides nothing: `base64 -d` undoes it. So all of this belongs under
//! TLS, and no answer of the client's is ever shown here.          (viva 6)

use std::env;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use socketlab::{Error, Result, house};

use crate::sink_command::{Reply, reply};

/// Where a password comes from that is in no file.
pub const VARIABLE: &str = "MAIL_SINK_PASSWORD";

/// What EHLO offers.
pub const MECHANISMS: &str = "AUTH PLAIN LOGIN XOAUTH2";

/// The one account.
pub struct Account {
    user: String,
    password: Option<String>, // None: any will do
}

/// What a log-in came to.
pub enum Outcome {
    /// This is the user.
    In(String),
    /// This is why not.
    Refused(Reply),
    /// The client went away.
    Gone,
}

impl Account {
    /// The password is the first line of the file, or the variable.
    pub fn new(user: String, file: Option<&str>) -> Result<Account> {
        let password = match file {
            Some(file) => {
                let text = house::read(file.as_ref())?;
                Some(text.lines().next().unwrap_or_default().to_string())
            }
            None => env::var(VARIABLE).ok(),
        };
        if password.as_ref().is_some_and(String::is_empty) {
            return Err(Error::other("the password is empty"));
        }
        Ok(Account { user, password })
    }

    /// Is every password right?
    pub fn is_open(&self) -> bool {
        self.password.is_none()
    }

    fn check(&self, user: &[u8], password: &[u8]) -> Outcome {
        let right = self.password.as_ref();
        let right = right.is_none_or(|right| right.as_bytes() == password);
        // Never which of the two was wrong.
        match user == self.user.as_bytes() && right && !password.is_empty() {
            true => Outcome::In(self.user.clone()),
            false => Outcome::Refused(reply!(
                535,
                "5.7.8 user name or password is wrong"
            )),
        }
    }

    /// Goes through the mechanism that `words` names. `ask` sends a 334 with
    /// this text and gives the client's line, or `None` if it left.
    pub fn log_in(
        &self,
        words: &str,
        mut ask: impl FnMut(&[u8]) -> Result<Option<Vec<u8>>>,
    ) -> Result<Outcome> {
        let (mechanism, first) = match words.split_once(' ') {
            Some((mechanism, first)) => (mechanism, Some(first.trim())),
            None => (words, None),
        };
        let mut first = first.map(|text| text.as_bytes().to_vec());
        let mut next = |prompt: &[u8]| -> Result<Answer> {
            let line = match first.take() {
                Some(line) => Some(line),
                None => ask(prompt)?,
            };
            Ok(line.map_or(Answer::Gone, |line| decode(&line)))
        };
        /// The answer's bytes; else the log-in is over.
        macro_rules! answer {
            ($prompt:expr) => {
                match next($prompt)? {
                    Answer::Bytes(bytes) => bytes,
                    Answer::Bad(reply) => return Ok(Outcome::Refused(reply)),
                    Answer::Gone => return Ok(Outcome::Gone),
                }
            };
        }
        Ok(match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let answer = answer!(b"");
                let parts: Vec<&[u8]> = answer.split(|&b| b == 0).collect();
                match parts.as_slice() {
                    // On whose behalf, who, and the password.
                    [_, user, password] => self.check(user, password),
                    _ => Outcome::Refused(reply!(
                        501,
                        "5.5.2 PLAIN is NUL user NUL password, in base64"
                    )),
                }
            }
            "LOGIN" => {
                let user = answer!(b"Username:");
                let password = answer!(b"Password:");
                self.check(&user, &password)
            }
            "XOAUTH2" => {
                let answer = answer!(b"");
                let token = oauth(&answer);
                let outcome = match token {
                    Some((user, token)) => self.check(user, token),
                    None => Outcome::Refused(reply!(
                        501,
                        "5.5.2 XOAUTH2 is user=…^Aauth=Bearer …^A^A"
                    )),
                };
                // A refusal is explained first, and the client says that it
                // has read it with an empty line.
                if let Outcome::Refused(Reply(535, _)) = outcome {
                    let _ = answer!(br#"{"status":"401"}"#);
                }
                outcome
            }
            "" => Outcome::Refused(reply!(501, "5.5.4 AUTH and a mechanism")),
            _ => Outcome::Refused(reply!(504, "5.5.4 only {MECHANISMS}")),
        })
    }
}

enum Answer {
    Bytes(Vec<u8>),
    Bad(Reply),
    Gone,
}

/// `=` alone is an empty first answer, `*` ends the log-in.
fn decode(line: &[u8]) -> Answer {
    match line {
        b"*" => Answer::Bad(reply!(501, "5.7.0 given up, as you wish")),
        b"=" => Answer::Bytes(Vec::new()),
        line => match BASE64_STANDARD.decode(line) {
            Ok(bytes) => Answer::Bytes(bytes),
            Err(_) => Answer::Bad(reply!(501, "5.5.2 that is no base64")),
        },
    }
}

/// `user=alice^Aauth=Bearer TOKEN^A^A`
fn oauth(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = answer.split(|&byte| byte == 1);
    let user = parts.next()?.strip_prefix(b"user=")?;
    let token = parts.next()?.strip_prefix(b"auth=Bearer ")?;
    Some((user, token))
}
