//! AUTH, the log-in as the sink checks it (RFC 4954). mail/client/auth.rs draws
//! the three dialogues; this is the other end of them.
//!
//! Base64 hides nothing: `base64 -d` undoes it. So all of this belongs under
//! TLS, and the console never shows what the client answers.       (viva 6)

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use socketlab::{Error, Result, say};

use super::session::{Next, Session};
use super::settings::Account;
use crate::smtp::reply::{Reply, reply};
use crate::smtp::verb::Verb;

/// What EHLO offers.
pub(super) const MECHANISMS: &str = "AUTH PLAIN LOGIN XOAUTH2";

/// Why the log-in came to nothing.
enum NoLogin {
    Refused(Reply), // the client did something wrong
    Lost(Error),    // the connection
}

impl From<Reply> for NoLogin {
    fn from(reply: Reply) -> NoLogin {
        NoLogin::Refused(reply)
    }
}

impl From<Error> for NoLogin {
    fn from(error: Error) -> NoLogin {
        NoLogin::Lost(error)
    }
}

impl<'a> Session<'a> {
    /// AUTH, from the command to the reply that ends the log-in.
    pub(super) fn auth(&mut self, words: &str) -> Result<Next> {
        match self.log_in(words) {
            Ok(user) => {
                say!("[{}] is {user}", self.peer);
                let reply = reply!(235, "2.7.0 you are {user}");
                self.user = Some(user);
                self.done(Verb::Auth, &reply)
            }
            Err(NoLogin::Refused(why)) => self.refuse(Some(Verb::Auth), why),
            Err(NoLogin::Lost(error)) => Err(error),
        }
    }

    /// Is this the moment for AUTH? Then the account.
    fn may_log_in(&mut self) -> std::result::Result<&'a Account, Reply> {
        let Some(account) = &self.settings.account else {
            let what = "no log-in here: start me with --user";
            return Err(reply!(502, "5.5.1 {what}"));
        };
        match () {
            () if self.offers_tls() => {
                Err(reply!(538, "5.7.11 STARTTLS first: all can read this"))
            }
            () if !self.extended => Err(reply!(503, "5.5.1 EHLO first")),
            () if self.user.is_some() => Err(reply!(503, "5.5.1 once only")),
            () if self.mail.is_some() => Err(reply!(503, "5.5.1 not now")),
            () => Ok(account),
        }
    }

    /// Goes through the mechanism that `words` names, and returns the user's
    /// name.
    fn log_in(&mut self, words: &str) -> std::result::Result<String, NoLogin> {
        let account = self.may_log_in()?;
        // The first answer may have come with the command.
        let (mechanism, first) = match words.split_once(' ') {
            Some((mechanism, first)) => (mechanism, Some(first.trim())),
            None => (words, None),
        };
        match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let answer = self.answer(first, b"")?;
                let parts: Vec<&[u8]> = answer.split(|&b| b == 0).collect();
                // On whose behalf, who, and the password.
                let [_, user, password] = parts.as_slice() else {
                    let why = "PLAIN is NUL user NUL password, in base64";
                    return Err(reply!(501, "5.5.2 {why}").into());
                };
                Ok(account.check(user, password)?)
            }
            "LOGIN" => {
                let user = self.answer(first, b"Username:")?;
                let password = self.answer(None, b"Password:")?;
                Ok(account.check(&user, &password)?)
            }
            "XOAUTH2" => {
                let answer = self.answer(first, b"")?;
                let Some((user, token)) = oauth(&answer) else {
                    let why = "XOAUTH2 is user=…^Aauth=Bearer …^A^A";
                    return Err(reply!(501, "5.5.2 {why}").into());
                };
                let checked = account.check(user, token);
                if checked.is_err() {
                    // A refusal is explained first, and the client says that
                    // it has read it with an empty line.
                    self.answer(None, br#"{"status":"401"}"#)?;
                }
                Ok(checked?)
            }
            "" => Err(reply!(501, "5.5.4 AUTH and a mechanism").into()),
            _ => Err(reply!(504, "5.5.4 only {MECHANISMS}").into()),
        }
    }

    /// The client's next answer: `first`, or what it replies to a 334 with
    /// this prompt. `=` alone is an empty answer, `*` ends the log-in.
    fn answer(
        &mut self,
        first: Option<&str>,
        prompt: &[u8],
    ) -> std::result::Result<Vec<u8>, NoLogin> {
        let line = match first {
            Some(first) => first.to_string(),
            None => {
                let prompt = BASE64_STANDARD.encode(prompt);
                self.send_reply(Some(Verb::Auth), &reply!(334, "{prompt}"))?;
                let line = self.read_line()??;
                self.show("C: ***");
                line
            }
        };
        match line.as_str() {
            "*" => Err(reply!(501, "5.7.0 given up, as you wish").into()),
            "=" => Ok(Vec::new()),
            line => BASE64_STANDARD
                .decode(line)
                .map_err(|_| reply!(501, "5.5.2 that is not base64").into()),
        }
    }
}

/// `user=alice^Aauth=Bearer TOKEN^A^A`
fn oauth(answer: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = answer.split(|&byte| byte == 1);
    let user = parts.next()?.strip_prefix(b"user=")?;
    let token = parts.next()?.strip_prefix(b"auth=Bearer ")?;
    Some((user, token))
}
