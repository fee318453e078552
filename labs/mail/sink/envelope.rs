//! The envelope: who sends to whom, by MAIL and RCPT. The envelope and the
//! header of the message inside need not agree, and no server compares them.
//! This is why anybody can write any From.                     (viva 9)
//!
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

use super::settings::NAME;

/// Sender and recipients of one message.
#[derive(Default)]
pub struct Envelope {
    /// Who is told when it cannot be delivered; empty in a bounce.
    pub sender: String,
    /// Who gets it.
    pub recipients: Vec<String>,
    /// May addresses have letters beyond ASCII?
    pub utf8: bool,
}

/// How it came.
pub struct Transport<'a> {
    /// What the client calls itself.
    pub hello: &'a str,
    /// Where it is.
    pub address: IpAddr,
    /// EHLO?
    pub extended: bool,
    /// The TLS version, if there is TLS.
    pub tls: Option<String>,
    /// Did it log in?
    pub user: Option<&'a str>,
}

impl Envelope {
    /// The lines above the message.
    pub fn trace(&self, transport: &Transport<'_>) -> Vec<String> {
        let Transport { hello, address, .. } = transport;
        let mut lines = vec![format!("Return-Path: <{}>", self.sender)];
        for recipient in &self.recipients {
            lines.push(format!("X-Envelope-To: <{recipient}>"));
        }
        if let Some(user) = transport.user {
            lines.push(format!("X-Authenticated-User: {user}"));
        }
        let address = match address.to_canonical() {
            IpAddr::V4(address) => format!("[{address}]"),
            IpAddr::V6(address) => format!("[IPv6:{address}]"),
        };
        lines.push(format!("Received: from {hello} ({address})"));
        let tls = transport.tls.as_ref();
        let tls = tls.map(|tls| format!(" ({tls})")).unwrap_or_default();
        let protocol = protocol(self.utf8, transport);
        lines.push(format!("\tby {NAME} with {protocol}{tls};"));
        let now = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S +0000");
        lines.push(format!("\t{now}"));
        lines
    }

    /// `<alice@…> to <bob@…> and 3 more`, for the console.
    pub fn summary(&self) -> String {
        let shown = |text: &str| console::escape_short(text.as_bytes(), 80);
        let first = shown(self.recipients.first().map_or("", |first| first));
        let sender = shown(&self.sender);
        let more = match self.recipients.len() {
            0 | 1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        format!("<{sender}> to <{first}>{more}")
    }
}

/// SMTP, ESMTP, ESMTPSA, UTF8SMTPS …: the registered names (RFC 3848, 6531).
fn protocol(utf8: bool, transport: &Transport<'_>) -> String {
    if !transport.extended {
        return "SMTP".into();
    }
    let base = if utf8 { "UTF8SMTP" } else { "ESMTP" };
    let secure = if transport.tls.is_some() { "S" } else { "" };
    let known = if transport.user.is_some() { "A" } else { "" };
    format!("{base}{secure}{known}")
}
