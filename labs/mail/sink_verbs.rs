//! What each verb of the dialogue does, and when it may be said. The loop
//! around it is in sink_session.rs.
//!
//! ```text
//! EHLO ----> MAIL ----> RCPT ----> RCPT … ----> DATA ----> the message
//!  |          503 before EHLO       554 without MAIL or RCPT
//!  +--> STARTTLS --> EHLO again     530 before STARTTLS and AUTH, where
//!  +--> AUTH                            they are asked for
//! ```

use socketlab::line::LineReader;
use socketlab::{Error, Result, say};
use tls::Channel;

use crate::sink_auth::{MECHANISMS, Stop};
use crate::sink_command::{Path, Reply, Verb, path, reply};
use crate::sink_data::{Ending, complain, receive};
use crate::sink_envelope::{Envelope, Parameters, Transport, is_name};
use crate::sink_session::{ANSWER, NAME, Next, Session};

/// Recipients of one message; 100 is the least that a server must take.
const RECIPIENTS: usize = 1000;

/// A reply, or one that counts as the client's error.
type Answer = std::result::Result<Reply, Reply>;

impl Session<'_> {
    /// EHLO lists what the server can; HELO is for clients of before 1993.
    pub fn hello(&mut self, verb: Verb, name: &str) -> Answer {
        if !is_name(name) {
            return Err(reply!(501, "5.5.4 {verb} and your host's name"));
        }
        self.mail = None;
        self.hello = Some(name.to_string());
        self.extended = verb == Verb::Ehlo;
        if !self.extended {
            return Ok(reply!(250, "{NAME}"));
        }
        let size = self.sink.max_size;
        let mut text = format!("{NAME} greets {name}\nSIZE {size}");
        text.push_str("\n8BITMIME\nPIPELINING\nENHANCEDSTATUSCODES\nSMTPUTF8");
        if self.offers_tls() {
            text.push_str("\nSTARTTLS");
        } else if self.sink.account.is_some() {
            // Under TLS, or where there is no TLS to be had.
            text.push_str(&format!("\n{MECHANISMS}"));
        }
        text.push_str("\nHELP");
        Ok(Reply(250, text))
    }

    /// Is TLS to be had, and not there yet?
    fn offers_tls(&mut self) -> bool {
        self.sink.tls.is_some() && !self.reader.stream().is_secure()
    }

    /// STARTTLS: says yes or no; the handshake is next.
    pub fn may_start_tls(&mut self, rest: &str) -> Answer {
        match () {
            () if !rest.is_empty() => Err(reply!(501, "5.5.4 STARTTLS alone")),
            () if self.reader.stream().is_secure() => {
                Err(reply!(503, "5.5.1 TLS is on already"))
            }
            () if !self.offers_tls() => {
                Err(reply!(502, "5.5.1 no TLS here: start me with --tls"))
            }
            // Whoever sits on the way can put commands behind STARTTLS. A
            // server that obeys them after the handshake takes them for the
            // client's own. Nobody honest sends anything now. (viva 10)
            () if self.reader.has_unread() => {
                let why = "bytes came behind STARTTLS: an injection?";
                Err(reply!(421, "4.7.0 {why}"))
            }
            () => Ok(reply!(220, "2.0.0 now the handshake")),
        }
    }

    /// TLS from here on. All that was said in the clear is forgotten: it may
    /// have been somebody else who said it.                [RFC 3207 4.2]
    pub fn start_tls(self) -> Result<Self> {
        let Session { sink, peer, socket, reader, .. } = self;
        let (channel, unread) = reader.into_parts();
        let (Channel::Clear(client), Some(config), true) =
            (channel, &sink.tls, unread.is_empty())
        else {
            return Err(Error::other("bytes came before the handshake"));
        };
        let channel = Channel::accept_tls(client, config.clone())?;
        let how = channel.description();
        let session = Session {
            sink,
            peer,
            socket,
            reader: LineReader::new(channel, ANSWER, sink.idle),
            extended: false,
            hello: None,
            user: None,
            mail: None,
            commands: self.commands,
            errors: self.errors,
        };
        session.show(&how);
        Ok(session)
    }

    /// AUTH, a dialogue of its own: see sink_auth.rs.
    pub fn auth(&mut self, rest: &str) -> Result<Next> {
        let sink = self.sink;
        let account = match &sink.account {
            None => {
                Err(reply!(502, "5.5.1 no log-in here: start me with --user"))
            }
            Some(_) if self.offers_tls() => {
                Err(reply!(538, "5.7.11 STARTTLS first: all can read this"))
            }
            Some(_) if !self.extended => Err(reply!(503, "5.5.1 EHLO first")),
            Some(_) if self.user.is_some() => {
                Err(reply!(503, "5.5.1 once only"))
            }
            Some(_) if self.mail.is_some() => Err(reply!(503, "5.5.1 not now")),
            Some(account) => Ok(account),
        };
        let account = match account {
            Ok(account) => account,
            Err(refusal) => return self.refuse(Some(Verb::Auth), refusal),
        };
        let logged_in = account.log_in(rest, |prompt| {
            self.answer(Some(Verb::Auth), &prompt_reply(prompt))?;
            let line = self.hear()??;
            self.show("C: ***");
            Ok(line.into_bytes())
        });
        match logged_in {
            Ok(user) => {
                say!("[{}] is {user}", self.peer);
                let reply = reply!(235, "2.7.0 you are {user}");
                self.user = Some(user);
                self.done(Verb::Auth, &reply)
            }
            Err(Stop::Refused(reply)) => self.refuse(Some(Verb::Auth), reply),
            Err(Stop::Failed(error)) => Err(error),
        }
    }

    /// `MAIL FROM:<sender>`: a new envelope.
    pub fn mail(&mut self, rest: &str) -> Answer {
        if self.hello.is_none() {
            return Err(reply!(503, "5.5.1 EHLO first"));
        }
        if self.sink.account.is_some() && self.user.is_none() {
            return Err(match self.offers_tls() {
                true => {
                    reply!(530, "5.7.0 Must issue a STARTTLS command first")
                }
                false => reply!(530, "5.7.0 Authentication required"),
            });
        }
        if self.mail.is_some() {
            return Err(reply!(503, "5.5.1 one MAIL at a time: RSET forgets"));
        }
        let path = path("FROM", rest)?;
        let (limit, auth) = (self.sink.max_size, self.user.is_some());
        if !self.extended && !path.parameters.is_empty() {
            return Err(reply!(555, "5.5.4 parameters need EHLO"));
        }
        let parameters = Parameters::read(&path, limit, auth)?;
        let utf8 = parameters.utf8();
        ascii_or(utf8, &path)?;
        if let Some(fault) =
            self.sink.faults.reply(Verb::Mail, Some(&path.address))
        {
            return Ok(fault);
        }
        let sender = path.address;
        self.mail = Some(Envelope { sender, utf8, ..Envelope::default() });
        Ok(reply!(250, "2.1.0 sender ok"))
    }

    /// `RCPT TO:<recipient>`: once for each of them. One refused does not
    /// concern the others.
    pub fn rcpt(&mut self, rest: &str) -> Answer {
        let Some(mail) = &mut self.mail else {
            return Err(reply!(503, "5.5.1 MAIL first"));
        };
        let path = path("TO", rest)?;
        if path.address.is_empty() {
            return Err(reply!(501, "5.1.3 to whom?"));
        }
        if !path.parameters.is_empty() {
            return Err(reply!(555, "5.5.4 unknown parameter"));
        }
        ascii_or(mail.utf8, &path)?;
        if let Some(fault) =
            self.sink.faults.reply(Verb::Rcpt, Some(&path.address))
        {
            return Ok(fault);
        }
        // For now: the client sends the rest in a second message.
        if mail.recipients.len() >= RECIPIENTS {
            return Ok(reply!(452, "4.5.3 {RECIPIENTS} recipients at most"));
        }
        mail.recipients.push(path.address);
        Ok(reply!(250, "2.1.5 recipient ok"))
    }

    /// DATA: 354, the message, and the one reply that counts.
    pub fn data(&mut self, rest: &str) -> Result<Next> {
        if !rest.is_empty() {
            let refusal = reply!(501, "5.5.4 DATA alone");
            return self.refuse(Some(Verb::Data), refusal);
        }
        let complete = |mail: &mut Envelope| !mail.recipients.is_empty();
        let Some(mail) = self.mail.take_if(complete) else {
            let refusal = match self.mail {
                None => reply!(503, "5.5.1 MAIL first"),
                Some(_) => reply!(554, "5.5.1 no valid recipients"),
            };
            return self.refuse(Some(Verb::Data), refusal);
        };
        let secure = self.reader.stream().is_secure();
        let transport = Transport {
            hello: self.hello.as_deref().unwrap_or_default(),
            address: self.peer.ip(),
            extended: self.extended,
            tls: secure.then(|| self.reader.stream().description()),
            user: self.user.as_deref(),
        };
        // A full disk is noticed here, before the client sends megabytes.
        let begun = self.sink.store.draft().and_then(|mut draft| {
            let mut lines = mail.trace(&transport).into_iter();
            lines.try_for_each(|line| draft.line(line.as_bytes()))?;
            Ok(draft)
        });
        let mut draft = match begun {
            Ok(draft) => draft,
            Err(error) => return self.done(Verb::Data, &complain(&error)),
        };
        let go = reply!(354, "the message, and a dot on a line of its own");
        self.answer(Some(Verb::Data), &go)?;
        let limit = self.sink.max_size;
        let (lines, bytes) = match receive(&mut self.reader, &mut draft, limit)
        {
            Ok(Ending::Dot(lines, bytes)) => (lines, bytes),
            Ok(Ending::Refused(reply)) => {
                self.show("C: … and the dot");
                return self.refuse(Some(Verb::Dot), reply);
            }
            Ok(Ending::Endless(reply)) => {
                self.answer(Some(Verb::Dot), &reply)?;
                return Ok(Next::Close);
            }
            Ok(Ending::Cut) => {
                self.show("C: … and no dot: nothing was sent");
                return Ok(Next::Close);
            }
            Err(error) if error.is_timeout() => {
                let slow = reply!(421, "4.4.2 you are too slow: good bye");
                return self.refuse(Some(Verb::Dot), slow);
            }
            Err(error) => return Err(error),
        };
        self.show(&format!("C: … {lines} lines, {bytes} bytes, and the dot"));
        if let Some(fault) = self.sink.faults.reply(Verb::Dot, None) {
            return self.done(Verb::Dot, &fault); // the draft is dropped
        }
        // Only now, with the message on the disk, is it the sink's.
        let name = match draft.keep(&mail.sender) {
            Ok(name) => name,
            Err(error) => return self.done(Verb::Dot, &complain(&error)),
        };
        self.commands = 0;
        say!("[{}] stored {name}: {}", self.peer, mail.summary());
        if self.cut(Verb::Dot) {
            return Ok(Next::Close);
        }
        self.done(Verb::Dot, &reply!(250, "2.0.0 stored as {name}"))
    }
}

/// Letters beyond ASCII need SMTPUTF8, announced with MAIL.
fn ascii_or(utf8: bool, path: &Path<'_>) -> std::result::Result<(), Reply> {
    match utf8 || path.address.is_ascii() {
        true => Ok(()),
        false => Err(reply!(553, "5.6.7 this address needs SMTPUTF8")),
    }
}

/// 334 and the prompt, in base64 as everything here.
fn prompt_reply(prompt: &[u8]) -> Reply {
    use base64::Engine;
    Reply(334, base64::prelude::BASE64_STANDARD.encode(prompt))
}
