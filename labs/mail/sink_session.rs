//! One client's dialogue with the sink: SMTP by RFC 5321, from the greeting
//! to QUIT. sink.rs runs it in a thread for each client.
//!
//! ```text
//! S: 220 localhost ESMTP …            C: EHLO client
//! S: 250-… what the server can        C: MAIL FROM:<alice@example.org>
//! S: 250                              C: RCPT TO:<bob@example.org>
//! S: 250                              C: DATA
//! S: 354                              C: (the message) and a dot
//! S: 250 saved                        C: QUIT
//! S: 221
//! ```
//!
//! STATEFUL: RCPT means nothing without the MAIL before it. The state is
//! `hello`, `user` and `mail` below; EHLO and RSET forget `mail`, STARTTLS
//! forgets all three.                                [W-T4a] (viva 7)

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use socketlab::line::LineReader;
use socketlab::net::TcpSocket;
use socketlab::stream::Stream;
use socketlab::{Result, say};
use tls::Channel;

use crate::sink_auth::Account;
use crate::sink_command::{Reply, Verb, reply, split};
use crate::sink_envelope::Envelope;
use crate::sink_faults::Faults;
use crate::sink_store::Store;

/// What all sessions share. Nobody changes it, so there is no lock.
pub struct Sink {
    /// Where messages go.
    pub store: Store,
    /// What goes wrong on request.
    pub faults: Faults,
    /// The certificate, with `--tls` and `--implicit-tls`.
    pub tls: Option<Arc<ServerConfig>>,
    /// TLS before the greeting.
    pub implicit: bool,
    /// Who may log in.
    pub account: Option<Account>,
    /// Bytes of the largest message.
    pub max_size: u64,
    /// How long a client may be silent.
    pub idle: Duration,
    /// Print no dialogue.
    pub quiet: bool,
}

/// What the sink calls itself.
pub const NAME: &str = "localhost";

/// Longest lines, CRLF not counted: of a command; of MAIL, whose parameters
/// may add to it; of an AUTH answer. [RFC 5321 4.5.3.1.4, RFC 4954 4]
const COMMAND: usize = 510;
const MAIL: usize = COMMAND + 26 + 17 + 10 + 500;
pub const ANSWER: usize = 12_286;

/// Refused commands: with so many it is no mail client.
const ERRORS: u32 = 20;

/// What HELP answers.
const HELP: &str = "HELO EHLO STARTTLS AUTH MAIL RCPT DATA RSET NOOP VRFY \
                    HELP QUIT: RFC 5321";

/// What happens after a command.
#[derive(PartialEq, Eq)]
pub enum Next {
    /// The next one.
    Command,
    /// The handshake, then the next one.
    Tls,
    /// Nothing: good bye.
    Close,
}

/// The dialogue's state. What each verb does to it is in sink_verbs.rs.
pub struct Session<'a> {
    pub sink: &'a Sink,
    pub peer: SocketAddr,
    pub socket: TcpSocket, // a second handle: to wait without reading
    pub reader: LineReader<Channel>,
    pub extended: bool,         // EHLO, not HELO
    pub hello: Option<String>,  // what the client calls itself
    pub user: Option<String>,   // after AUTH
    pub mail: Option<Envelope>, // after MAIL
    pub commands: u32,          // since the last message
    pub errors: u32,
}

/// Serves one client until QUIT, or until it is gone.
pub fn converse(
    client: TcpSocket,
    peer: SocketAddr,
    sink: &Sink,
) -> Result<()> {
    // A reply leaves at once; Nagle would hold back the second of two.
    client.set_no_delay()?;
    let socket = client.clone();
    let channel = match (&sink.tls, sink.implicit) {
        (Some(config), true) => Channel::accept_tls(client, config.clone())?,
        _ => Channel::Clear(client),
    };
    let mut session = Session {
        sink,
        peer,
        socket,
        reader: LineReader::new(channel, ANSWER, sink.idle),
        extended: false,
        hello: None,
        user: None,
        mail: None,
        commands: 0,
        errors: 0,
    };
    let mut next = session.greet()?;
    while next != Next::Close {
        next = session.turn()?;
        if next == Next::Tls {
            session = session.start_tls()?;
        }
    }

    // ---- 7 close() -------------------------------------------------------
    // TLS says good-bye first, then FIN; what the client still sends is read
    // and dropped, or an RST could eat the 221.
    let Session { socket, reader, .. } = session;
    drop(socket);
    reader.into_parts().0.finish();
    say!("[{peer}] left");
    Ok(())
}

impl Session<'_> {
    /// The server speaks first. Whoever calls hears at once that this is a
    /// mail server, and a refusal costs no command.
    fn greet(&mut self) -> Result<Next> {
        if self.reader.stream().is_secure() {
            let how = self.reader.stream().description();
            self.show(&how);
        }
        if self.cut(Verb::Greeting) {
            return Ok(Next::Close);
        }
        let fault = self.sink.faults.reply(Verb::Greeting, None);
        let closes = fault.is_some();
        let hello = || reply!(220, "{NAME} ESMTP mail-sink: nothing leaves");
        let reply = fault.unwrap_or_else(hello);
        self.answer(Some(Verb::Greeting), &reply)?;
        Ok(if closes { Next::Close } else { Next::Command })
    }

    /// A command and its reply.
    fn turn(&mut self) -> Result<Next> {
        let line = match self.hear()? {
            Ok(line) => line,
            Err(Reply(421, why)) => {
                let _ = self.answer(None, &Reply(421, why)); // it may be gone
                return Ok(Next::Close);
            }
            Err(reply) => return self.refuse(None, reply),
        };
        let (verb, rest) = split(&line);
        self.show_command(verb, &line);
        let Some(verb) = verb else { return self.unknown(&line) };
        let longest = match verb {
            Verb::Mail => MAIL,
            Verb::Auth => ANSWER,
            _ => COMMAND,
        };
        if line.len() > longest {
            return self.refuse(Some(verb), reply!(500, "5.5.2 too long"));
        }
        if self.cut(verb) {
            return Ok(Next::Close);
        }
        // MAIL and RCPT may be refused for an address only: see there.
        if !matches!(verb, Verb::Mail | Verb::Rcpt)
            && let Some(fault) = self.sink.faults.reply(verb, None)
        {
            return self.done(verb, &fault);
        }
        let result = match verb {
            Verb::Ehlo | Verb::Helo => self.hello(verb, rest),
            Verb::Mail => self.mail(rest),
            Verb::Rcpt => self.rcpt(rest),
            Verb::Data => return self.data(rest),
            Verb::Auth => return self.auth(rest),
            Verb::StartTls => self.may_start_tls(rest),
            Verb::Rset if rest.is_empty() => {
                self.mail = None;
                Ok(reply!(250, "2.0.0 forgotten"))
            }
            Verb::Quit if rest.is_empty() => Ok(reply!(221, "2.0.0 bye")),
            Verb::Rset | Verb::Quit => Err(reply!(501, "5.5.4 {verb} alone")),
            Verb::Noop => Ok(reply!(250, "2.0.0 nothing done")),
            Verb::Vrfy if rest.is_empty() => Err(reply!(501, "5.5.4 whom?")),
            Verb::Vrfy => Ok(reply!(252, "2.0.0 send it and you will see")),
            Verb::Help => Ok(reply!(214, "2.0.0 {HELP}")),
            // Moments, which no line can name.
            Verb::Greeting | Verb::Dot => Err(reply!(500, "5.5.1 no command")),
        };
        match result {
            Ok(reply) => self.done(verb, &reply),
            Err(reply) => self.refuse(Some(verb), reply),
        }
    }

    /// Sends the reply and goes on, unless it was the last one.
    pub fn done(&mut self, verb: Verb, reply: &Reply) -> Result<Next> {
        self.answer(Some(verb), reply)?;
        Ok(match (verb, reply.0) {
            (_, 421) | (Verb::Quit, _) => Next::Close,
            (Verb::StartTls, 220) => Next::Tls,
            _ => Next::Command,
        })
    }

    /// A refusal is the client's error, and there may not be many of them.
    pub fn refuse(&mut self, verb: Option<Verb>, reply: Reply) -> Result<Next> {
        self.answer(verb, &reply)?;
        self.errors += 1;
        if self.errors < ERRORS && reply.0 != 421 {
            return Ok(Next::Command);
        }
        if reply.0 != 421 {
            self.answer(None, &reply!(421, "4.7.0 too many errors"))?;
        }
        Ok(Next::Close)
    }

    fn unknown(&mut self, line: &str) -> Result<Next> {
        // A web page can make a browser POST to this port, with a form whose
        // text is commands. The first line of the request gives it away.
        if line.contains(" HTTP/1.") {
            self.answer(None, &reply!(421, "4.7.0 this is no web server"))?;
            return Ok(Next::Close);
        }
        let word = line.split(' ').next().unwrap_or_default();
        let word = word.to_ascii_uppercase();
        let known = ["EXPN", "ETRN", "TURN", "BDAT", "SEND", "SOML", "SAML"];
        self.refuse(
            None,
            match known.contains(&word.as_str()) {
                true => reply!(502, "5.5.1 {word} is not for a sink"),
                false => reply!(500, "5.5.2 unknown command: HELP lists them"),
            },
        )
    }
}
