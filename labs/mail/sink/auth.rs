//! AUTH, the log-in as the sink checks it (RFC 4954). client/auth.rs shows
//! the dialogues. Anybody can decode base64, so a log-in needs TLS. The
//! console never shows the client's answers.                       (viva 6)

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use socketlab::{Result, say};

use super::session::{Account, Answer, Next, Session};
use crate::smtp::reply::reply;
use crate::smtp::verb::Verb;

/// The line of the reply to EHLO.
pub(super) const MECHANISMS: &str = "AUTH PLAIN LOGIN";

impl<'a> Session<'a> {
    /// AUTH: the log-in from the command to its last reply.
    pub(super) fn auth(&mut self, words: &str) -> Result<Next> {
        match self.log_in(words)? {
            Ok(user) => {
                say!("[{}] logged in as {user}", self.peer);
                let reply = reply!(235, "2.7.0 logged in as {user}");
                self.user = Some(user);
                self.done(Verb::Auth, &reply)
            }
            Err(why) => self.refuse(Some(Verb::Auth), why),
        }
    }

    /// The account, if a log-in is allowed now.
    fn may_log_in(&mut self) -> Answer<&'a Account> {
        let Some(account) = &self.settings.account else {
            let what = "no log-in: the sink runs without --user";
            return Err(reply!(502, "5.5.1 {what}"));
        };
        match () {
            () if self.offers_tls() => {
                Err(reply!(538, "5.7.11 STARTTLS first: this is not encrypted"))
            }
            () if !self.extended => Err(reply!(503, "5.5.1 EHLO first")),
            () if self.user.is_some() => {
                Err(reply!(503, "5.5.1 already logged in"))
            }
            () if self.mail.is_some() => {
                Err(reply!(503, "5.5.1 not after MAIL"))
            }
            () => Ok(account),
        }
    }

    /// Runs the mechanism that `words` names. Returns the user's name, or the
    /// reply that refuses the client.
    fn log_in(&mut self, words: &str) -> Result<Answer<String>> {
        let account = match self.may_log_in() {
            Ok(account) => account,
            Err(refusal) => return Ok(Err(refusal)),
        };
        // The command may contain the first answer.
        let (mechanism, first) = match words.split_once(' ') {
            Some((mechanism, first)) => (mechanism, Some(first.trim())),
            None => (words, None),
        };
        let mechanism = mechanism.to_ascii_uppercase();
        let prompts = match mechanism.as_str() {
            "PLAIN" => &[""][..],
            "LOGIN" => &["Username:", "Password:"],
            "" => return Ok(Err(reply!(501, "5.5.4 AUTH needs a mechanism"))),
            _ => return Ok(Err(reply!(504, "5.5.4 only {MECHANISMS}"))),
        };
        let (mut first, mut answers) = (first, Vec::new());
        for prompt in prompts {
            match self.answer(first.take(), prompt)? {
                Ok(answer) => answers.push(answer),
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
        if mechanism == "LOGIN" {
            answers.insert(0, Vec::new()); // now as in PLAIN
        }
        // PLAIN's three parts: acting for whom (ignored), user, password.
        let text = answers.join(&0);
        let parts: Vec<&[u8]> = text.split(|&byte| byte == 0).collect();
        let [_, user, password] = parts.as_slice() else {
            let why = "PLAIN is NUL user NUL password, in base64";
            return Ok(Err(reply!(501, "5.5.2 {why}")));
        };
        Ok(account.check(user, password))
    }

    /// The client's next answer: `first`, or its answer to a 334 with this
    /// prompt. A single `=` is an empty answer, and `*` ends the log-in.
    fn answer(
        &mut self,
        first: Option<&str>,
        prompt: &str,
    ) -> Result<Answer<Vec<u8>>> {
        let line = match first {
            Some(first) => first.to_string(),
            None => {
                let prompt = BASE64_STANDARD.encode(prompt);
                self.send_reply(Some(Verb::Auth), &reply!(334, "{prompt}"))?;
                let line = match self.read_line(false)? {
                    Ok(line) => line,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                self.show("C: ***");
                line
            }
        };
        Ok(match line.as_str() {
            "*" => Err(reply!(501, "5.7.0 you have cancelled the log-in")),
            "=" => Ok(Vec::new()),
            line => BASE64_STANDARD
                .decode(line)
                .map_err(|_| reply!(501, "5.5.2 your answer is not base64")),
        })
    }
}
