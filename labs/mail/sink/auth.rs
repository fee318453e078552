//! AUTH, the log-in as the sink checks it (RFC 4954). client/auth.rs draws
//! the dialogues. Base64 hides nothing, so all of this belongs under TLS, and
//! the console never shows what the client answers.                (viva 6)

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use socketlab::{Result, say};

use super::session::{Account, Answer, Next, Session};
use crate::smtp::reply::reply;
use crate::smtp::verb::Verb;

/// What EHLO offers.
pub(super) const MECHANISMS: &str = "AUTH PLAIN LOGIN";

impl<'a> Session<'a> {
    /// AUTH, from the command to the reply that ends the log-in.
    pub(super) fn auth(&mut self, words: &str) -> Result<Next> {
        match self.log_in(words)? {
            Ok(user) => {
                say!("[{}] is {user}", self.peer);
                let reply = reply!(235, "2.7.0 you are {user}");
                self.user = Some(user);
                self.done(Verb::Auth, &reply)
            }
            Err(why) => self.refuse(Some(Verb::Auth), why),
        }
    }

    /// Is this the moment for AUTH? Then the account.
    fn may_log_in(&mut self) -> Answer<&'a Account> {
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
    /// name, or why the client is refused.
    fn log_in(&mut self, words: &str) -> Result<Answer<String>> {
        let account = match self.may_log_in() {
            Ok(account) => account,
            Err(refusal) => return Ok(Err(refusal)),
        };
        // The first answer may have come with the command.
        let (mechanism, first) = match words.split_once(' ') {
            Some((mechanism, first)) => (mechanism, Some(first.trim())),
            None => (words, None),
        };
        let mechanism = mechanism.to_ascii_uppercase();
        let prompts = match mechanism.as_str() {
            "PLAIN" => &[""][..],
            "LOGIN" => &["Username:", "Password:"],
            "" => return Ok(Err(reply!(501, "5.5.4 AUTH and a mechanism"))),
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
            answers.insert(0, Vec::new()); // now it looks like PLAIN's
        }
        // On whose behalf, who, and the password.
        let text = answers.join(&0);
        let parts: Vec<&[u8]> = text.split(|&byte| byte == 0).collect();
        let [_, user, password] = parts.as_slice() else {
            let why = "PLAIN is NUL user NUL password, in base64";
            return Ok(Err(reply!(501, "5.5.2 {why}")));
        };
        Ok(account.check(user, password))
    }

    /// The client's next answer: `first`, or what it replies to a 334 with
    /// this prompt. `=` alone is an empty answer, `*` ends the log-in.
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
            "*" => Err(reply!(501, "5.7.0 given up, as you wish")),
            "=" => Ok(Vec::new()),
            line => BASE64_STANDARD
                .decode(line)
                .map_err(|_| reply!(501, "5.5.2 that is not base64")),
        })
    }
}
