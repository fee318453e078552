//! The sink's commands: what each of them does to the session, and when it is
//! allowed. sink.rs calls `turn` in a loop.
//!
//! ```text
//! EHLO ----> MAIL ----> RCPT ----> RCPT … ----> DATA ----> the message
//!  |          503 before EHLO       503, 554 without MAIL, RCPT
//!  +--> STARTTLS --> EHLO again     530 for MAIL without STARTTLS and
//!  +--> AUTH                            AUTH, if the sink requires them
//! ```

use socketlab::Result;

use super::auth::MECHANISMS;
use super::parse::{Path, parameters, path, split};
use super::session::{Answer, Envelope, NAME, Next, REFUSED, Session};
use super::session::{CUT, LONGEST_ANSWER, LONGEST_COMMAND, LONGEST_MAIL};
use crate::smtp::address::is_host_name;
use crate::smtp::reply::{Reply, reply};
use crate::smtp::verb::Verb;

/// Largest number of recipients. A server must accept at least 100.
const MOST_RECIPIENTS: usize = 1000;

/// The reply to HELP.
const HELP: &str = "HELO EHLO STARTTLS AUTH MAIL RCPT DATA RSET NOOP VRFY \
                    HELP QUIT: RFC 5321";

impl Session<'_> {
    /// Sends the greeting. The server speaks first, so the client knows before
    /// its first command that this is a mail server, or that it is refused.
    pub fn greet(&mut self) -> Result<Next> {
        if self.reader.stream().is_secure() {
            let how = self.reader.stream().description();
            self.show(&how);
        }
        if self.cut(Verb::Greeting) {
            return Ok(Next::Close(CUT));
        }
        let fault = self.settings.faults.reply(Verb::Greeting, None);
        let closes = fault.is_some();
        let hello = reply!(220, "{NAME} ESMTP mail-sink: nothing leaves");
        let reply = fault.unwrap_or(hello);
        self.send_reply(Some(Verb::Greeting), &reply)?;
        Ok(if closes { Next::Close(REFUSED) } else { Next::Command })
    }

    /// Reads one command and replies to it.
    pub fn turn(&mut self) -> Result<Next> {
        let line = match self.read_line(true)? {
            Ok(line) => line,
            Err(reply) if reply.code == 421 => {
                // The client may have closed, so an error is ignored.
                let _ = self.send_reply(None, &reply);
                return self.end(&reply);
            }
            Err(reply) => return self.refuse(None, reply),
        };
        let (verb, rest) = split(&line);
        self.show_command(line.as_bytes(), "");
        let Some(verb) = verb else { return self.unknown(&line) };
        let longest = match verb {
            Verb::Mail => LONGEST_MAIL,
            Verb::Auth => LONGEST_ANSWER,
            _ => LONGEST_COMMAND,
        };
        if line.len() > longest {
            return self.refuse(Some(verb), reply!(500, "5.5.2 too long"));
        }
        if self.cut(verb) {
            return Ok(Next::Close(CUT));
        }
        // `mail` and `rcpt` look for their faults themselves, because a fault
        // may be for one address only.
        if !matches!(verb, Verb::Mail | Verb::Rcpt)
            && let Some(fault) = self.settings.faults.reply(verb, None)
        {
            return self.done(verb, &fault);
        }
        let result = match verb {
            Verb::Data => return self.data(rest),
            Verb::Auth => return self.auth(rest),
            _ => self.perform(verb, rest),
        };
        match result {
            Ok(reply) => self.done(verb, &reply),
            Err(reply) => self.refuse(Some(verb), reply),
        }
    }

    /// Carries out a command that needs only one reply.
    fn perform(&mut self, verb: Verb, rest: &str) -> Answer<Reply> {
        match verb {
            Verb::Ehlo | Verb::Helo => self.hello(verb, rest),
            Verb::Mail => self.mail(rest),
            Verb::Rcpt => self.rcpt(rest),
            Verb::StartTls => self.may_start_tls(rest),
            Verb::Rset if rest.is_empty() => {
                self.mail = None;
                Ok(reply!(250, "2.0.0 envelope deleted"))
            }
            Verb::Quit if rest.is_empty() => Ok(reply!(221, "2.0.0 bye")),
            Verb::Rset | Verb::Quit => {
                Err(reply!(501, "5.5.4 {verb} has no argument"))
            }
            Verb::Noop => Ok(reply!(250, "2.0.0 nothing done")),
            Verb::Vrfy if rest.is_empty() => Err(reply!(501, "5.5.4 no name")),
            // As RFC 5321 advises: spammers could ask for all names.
            Verb::Vrfy => Ok(reply!(252, "2.0.0 not checked, but accepted")),
            Verb::Help => Ok(reply!(214, "2.0.0 {HELP}")),
            Verb::Greeting | Verb::Dot | Verb::Data | Verb::Auth => {
                Err(reply!(500, "5.5.1 not a command"))
            }
        }
    }

    /// A line that is not a command of the sink.
    fn unknown(&mut self, line: &str) -> Result<Next> {
        // A web page can make a browser POST a form to this port, and the
        // form's text can be SMTP commands. `HTTP/1.` in the first line of
        // the request shows that this is a browser, so the sink closes.
        if line.contains(" HTTP/1.") {
            self.send_reply(None, &reply!(421, "4.7.0 not a web server"))?;
            return Ok(Next::Close(REFUSED));
        }
        let what = match line.is_empty() {
            true => "an empty line is not a command",
            false => "unknown command: HELP lists all of them",
        };
        self.refuse(None, reply!(500, "5.5.2 {what}"))
    }

    /// EHLO or HELO. The reply to EHLO lists the extensions; a client from
    /// before 1993 sends HELO and uses none.
    fn hello(&mut self, verb: Verb, name: &str) -> Answer<Reply> {
        if !is_host_name(name) {
            return Err(reply!(501, "5.5.4 {verb} needs your host's name"));
        }
        self.mail = None;
        self.hello = Some(name.to_string());
        self.extended = verb == Verb::Ehlo;
        if !self.extended {
            return Ok(reply!(250, "{NAME}"));
        }
        let size = self.settings.max_size;
        let mut text = format!("{NAME} greets {name}\nSIZE {size}");
        text.push_str("\n8BITMIME\nPIPELINING\nENHANCEDSTATUSCODES\nSMTPUTF8");
        if self.offers_tls() {
            text.push_str("\nSTARTTLS");
        } else if self.settings.account.is_some() {
            // With `--tls`, AUTH is offered only after STARTTLS.
            text.push_str(&format!("\n{MECHANISMS}"));
        }
        text.push_str("\nHELP");
        Ok(Reply::new(250, &text))
    }

    /// Has the sink a certificate, and is TLS not on yet?
    pub(super) fn offers_tls(&mut self) -> bool {
        self.settings.tls.is_some() && !self.reader.stream().is_secure()
    }

    /// STARTTLS: returns the 220 or a refusal. The TLS handshake follows.
    fn may_start_tls(&mut self, rest: &str) -> Answer<Reply> {
        match () {
            () if !rest.is_empty() => Err(reply!(501, "5.5.4 no argument")),
            () if self.reader.stream().is_secure() => {
                Err(reply!(503, "5.5.1 TLS is already on"))
            }
            () if !self.offers_tls() => {
                Err(reply!(502, "5.5.1 no TLS: the sink runs without --tls"))
            }
            // An attacker on the way can add commands after STARTTLS. If the
            // server carried them out after the handshake, they would count as
            // the client's. A correct client sends nothing before the reply.
            // (viva 10)
            () if self.reader.has_unread() => {
                let why = "bytes followed STARTTLS before its reply";
                Err(reply!(421, "4.7.0 {why}"))
            }
            () => Ok(reply!(220, "2.0.0 start the TLS handshake")),
        }
    }

    /// `MAIL FROM:<sender>` begins a new envelope.
    fn mail(&mut self, rest: &str) -> Answer<Reply> {
        if self.hello.is_none() {
            return Err(reply!(503, "5.5.1 EHLO first"));
        }
        if self.settings.account.is_some() && self.user.is_none() {
            let what = match self.offers_tls() {
                true => "Must issue a STARTTLS command first",
                false => "Authentication required",
            };
            return Err(reply!(530, "5.7.0 {what}"));
        }
        if self.mail.is_some() {
            return Err(reply!(503, "5.5.1 second MAIL: send RSET first"));
        }
        let path = path(Verb::Mail, rest)?;
        if !self.extended && !path.parameters.is_empty() {
            return Err(reply!(555, "5.5.4 parameters need EHLO, not HELO"));
        }
        let (limit, known) = (self.settings.max_size, self.user.is_some());
        let utf8 = parameters(&path, limit, known)?;
        ascii_or(utf8, &path)?;
        let faults = &self.settings.faults;
        if let Some(fault) = faults.reply(Verb::Mail, Some(&path.address)) {
            return Ok(fault);
        }
        let sender = path.address;
        self.mail = Some(Envelope { sender, utf8, ..Envelope::default() });
        Ok(reply!(250, "2.1.0 sender ok"))
    }

    /// `RCPT TO:<recipient>` adds one recipient to the envelope. A refusal
    /// leaves the other recipients in it.
    fn rcpt(&mut self, rest: &str) -> Answer<Reply> {
        let Some(mail) = &mut self.mail else {
            return Err(reply!(503, "5.5.1 MAIL first"));
        };
        let path = path(Verb::Rcpt, rest)?;
        if path.address.is_empty() {
            return Err(reply!(501, "5.1.3 no address"));
        }
        if !path.parameters.is_empty() {
            return Err(reply!(555, "5.5.4 unknown parameter"));
        }
        ascii_or(mail.utf8, &path)?;
        let faults = &self.settings.faults;
        if let Some(fault) = faults.reply(Verb::Rcpt, Some(&path.address)) {
            return Ok(fault);
        }
        // 4xx: the client sends the message again, to the other recipients.
        if mail.recipients.len() >= MOST_RECIPIENTS {
            let what = format!("{MOST_RECIPIENTS} recipients at most");
            return Ok(reply!(452, "4.5.3 {what}"));
        }
        mail.recipients.push(path.address);
        Ok(reply!(250, "2.1.5 recipient ok"))
    }
}

/// A non-ASCII address needs the parameter SMTPUTF8 in MAIL.
fn ascii_or(utf8: bool, path: &Path<'_>) -> Answer<()> {
    match utf8 || path.address.is_ascii() {
        true => Ok(()),
        false => Err(reply!(553, "5.6.7 this address needs SMTPUTF8")),
    }
}
