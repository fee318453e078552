//! The envelope: who sends to whom, by MAIL and RCPT. The envelope and the
//! header of the message inside need not agree, and no server compares them.
//! This is why anybody can write any From.                     (viva 9)
//! A stored message would lose its envelope, so the sink writes it on top:
//!
//! ```text
//! Return-Path: <alice@example.org>            MAIL
//! X-Envelope-To: <bob@example.org>            RCPT, also for a Bcc
//! Received: from client ([127.0.0.1]) …       who brought it, and when
//! ```

use std::net::IpAddr;

use jiff::Timestamp;
use socketlab::console;

use super::session::{Envelope, NAME, Session};

impl Session<'_> {
    /// The lines above the message.
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

    /// SMTP, ESMTP, ESMTPSA …: the registered names (RFC 3848, 6531).
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
    /// `<alice@…> to <bob@…> and 3 more`, for the console.
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
