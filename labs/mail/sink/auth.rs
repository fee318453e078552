//! AUTH, the log-in as the sink checks it (RFC 4954).
//!
//! client/auth.rs draws the three dialogues; this is the other end of them.
//!
//! Base64 hides nothing: `base64 -d` undoes it. So all of this belongs under
//! TLS, and the console never shows what the client answers.       (viva 6)

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use socketlab::{Error, secret};

use crate::smtp::reply::{Reply, reply};

/// The environment variable with the password, if no file has it.
pub const VARIABLE: &str = "MAIL_SINK_PASSWORD";

/// Bytes of a password.
const LONGEST_PASSWORD: usize = 16 * 1024;

/// What EHLO offers.
pub const MECHANISMS: &str = "AUTH PLAIN LOGIN XOAUTH2";

/// The one account.
pub struct Account {
    user: String,
    password: Option<String>, // None: any will do
}

/// Why the log-in came to nothing.
pub enum NoLogin {
    /// The client did something wrong: this is the reply.
    Refused(Reply),
    /// The connection is lost.
    Failed(Error),
}

impl From<Reply> for NoLogin {
    fn from(reply: Reply) -> NoLogin {
        NoLogin::Refused(reply)
    }
}

impl From<Error> for NoLogin {
    fn from(error: Error) -> NoLogin {
        NoLogin::Failed(error)
    }
}

impl Account {
    /// The password is the first line of the file, or else the variable's.
    pub fn new(user: String, file: Option<&str>) -> socketlab::Result<Account> {
        let found = match file {
            Some(file) => {
                Some(secret::from_file(Path::new(file), LONGEST_PASSWORD)?)
            }
            None => secret::from_environment(VARIABLE),
        };
        let password = found.map(String::from_utf8).transpose();
        let password =
            password.map_err(|_| Error::other("the password is not UTF-8"))?;
        if password.as_ref().is_some_and(String::is_empty) {
            return Err(Error::other("the password is empty"));
        }
        Ok(Account { user, password })
    }

    /// Is every password accepted?
    pub fn is_open(&self) -> bool {
        self.password.is_none()
    }

    /// The user's name, if these two are right.
    fn check(&self, user: &[u8], password: &[u8]) -> Result<String, Reply> {
        let right = self.password.as_ref();
        let right = right.is_none_or(|right| right.as_bytes() == password);
        // Never which of the two was wrong.
        match user == self.user.as_bytes() && right && !password.is_empty() {
            true => Ok(self.user.clone()),
            false => Err(reply!(535, "5.7.8 user name or password is wrong")),
        }
    }

    /// Goes through the mechanism that `words` names, and returns the user's
    /// name. `ask` sends a 334 with this text and returns the client's line.
    pub fn log_in(
        &self,
        words: &str,
        mut ask: impl FnMut(&[u8]) -> Result<Vec<u8>, NoLogin>,
    ) -> Result<String, NoLogin> {
        let (mechanism, first) = match words.split_once(' ') {
            Some((mechanism, first)) => (mechanism, Some(first.trim())),
            None => (words, None),
        };
        // The first answer may have come with the command.
        let mut first = first.map(|text| text.as_bytes().to_vec());
        let mut next = |prompt: &[u8]| -> Result<Vec<u8>, NoLogin> {
            let line = first.take().map_or_else(|| ask(prompt), Ok)?;
            Ok(decode(&line)?)
        };
        match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let answer = next(b"")?;
                let parts: Vec<&[u8]> = answer.split(|&b| b == 0).collect();
                // On whose behalf, who, and the password.
                let [_, user, password] = parts.as_slice() else {
                    let why = "5.5.2 PLAIN is NUL user NUL password, in base64";
                    return Err(reply!(501, "{why}").into());
                };
                Ok(self.check(user, password)?)
            }
            "LOGIN" => {
                let user = next(b"Username:")?;
                let password = next(b"Password:")?;
                Ok(self.check(&user, &password)?)
            }
            "XOAUTH2" => {
                let answer = next(b"")?;
                let Some((user, token)) = oauth(&answer) else {
                    let why = "5.5.2 XOAUTH2 is user=…^Aauth=Bearer …^A^A";
                    return Err(reply!(501, "{why}").into());
                };
                let checked = self.check(user, token);
                if checked.is_err() {
                    // A refusal is explained first, and the client says that
                    // it has read it with an empty line.
                    next(br#"{"status":"401"}"#)?;
                }
                Ok(checked?)
            }
            "" => Err(reply!(501, "5.5.4 AUTH and a mechanism").into()),
            _ => Err(reply!(504, "5.5.4 only {MECHANISMS}").into()),
        }
    }
}

/// `=` alone is an empty first answer, `*` ends the log-in.
fn decode(line: &[u8]) -> Result<Vec<u8>, Reply> {
    match line {
        b"*" => Err(reply!(501, "5.7.0 given up, as you wish")),
        b"=" => Ok(Vec::new()),
        line => BASE64_STANDARD
            .decode(line)
            .map_err(|_| reply!(501, "5.5.2 that is no base64")),
    }
}

/// `user=alice^Aauth=Bearer TOKEN^A^A`
fn oauth(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = answer.split(|&byte| byte == 1);
    let user = parts.next()?.strip_prefix(b"user=")?;
    let token = parts.next()?.strip_prefix(b"auth=Bearer ")?;
    Some((user, token))
}
