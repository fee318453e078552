//! The envelope: sender and recipients, as MAIL and RCPT named them. They need
//! not be those of the message's header, and servers do not compare the two.
//! This is why anybody can write any From.                     (viva 9)
//! The envelope is not part of the message, so the sink writes it above it:
//!
//! ```text
//! Return-Path: <alice@example.org>            MAIL
//! X-Envelope-To: <bob@example.org>            RCPT, also for a Bcc
//! Received: from client ([127.0.0.1]) …       the client, and the time
//! ```

use std::net::IpAddr;

use jiff::Timestamp;
use socketlab::console;

use super::session::{Envelope, NAME, Session};

impl Session<'_> {
    /// The lines that the sink writes above the message.
    pub(super) fn trace(&mut self, mail: &Envelope) -> Vec<String> {
        let mut lines = vec![format!("Return-Path: <{}>", mail.sender)];
        for recipient in &mail.recipients {
            lines.push(format!("X-Envelope-To: <{recipient}>"));
        }
        if let Some(user) = &self.user {
            lines.push(format!("X-Authenticated-User: {user}"));
        }
        let hello = self.hello.as_deref().unwrap_or_default();
        let address = match self.peer.ip().to_canonical() {
            IpAddr::V4(address) => format!("[{address}]"),
            IpAddr::V6(address) => format!("[IPv6:{address}]"),
        };
        lines.push(format!("Received: from {hello} ({address})"));
        let stream = self.reader.stream();
        let (secure, tls) = match stream.is_secure() {
            true => (true, format!(" ({})", stream.description())),
            false => (false, String::new()),
        };
        let protocol = self.protocol(mail, secure);
        lines.push(format!("\tby {NAME} with {protocol}{tls};"));
        let now = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S +0000");
        lines.push(format!("\t{now}"));
        lines
    }

    /// The protocol's registered name: SMTP, or ESMTP with S for TLS and A
    /// for AUTH (RFC 3848, 6531).
    fn protocol(&self, mail: &Envelope, secure: bool) -> String {
        if !self.extended {
            return "SMTP".into();
        }
        let base = if mail.utf8 { "UTF8SMTP" } else { "ESMTP" };
        let secure = if secure { "S" } else { "" };
        let known = if self.user.is_some() { "A" } else { "" };
        format!("{base}{secure}{known}")
    }
}

impl Envelope {
    /// The line for the console: `<alice@…> to <bob@…> and 3 more`.
    pub(super) fn summary(&self) -> String {
        let shown = |text: &str| console::escape_short(text.as_bytes(), 80);
        let first = shown(self.recipients.first().map_or("", |first| first));
        let more = match self.recipients.len() {
            0 | 1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        format!("<{}> to <{first}>{more}", shown(&self.sender))
    }
}
