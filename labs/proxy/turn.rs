//! One request and its response: what session.rs hands on to whoever answers,
//! and how a response of the proxy's own is sent.

use std::time::Duration;

use http::{Framing, Head, Reader, Request, Version};

use crate::errors::{ErrorPage, Failure};
use crate::hub::handle::Hub;
use crate::record::{Record, Source};
use crate::rules::Rules;
use crate::target::Destination;
use crate::users::Users;

/// In path style all sites have our host and port, so that a page of one could
/// read all others, and our own. In a sandbox a page belongs to no site: it is
/// shown and its scripts run, but it can read no page but itself.
const SANDBOX: &str = "sandbox allow-forms allow-popups allow-scripts";

/// The options of one proxy. They do not change after the start, so that
/// all threads read them without a lock.
pub struct Settings {
    /// Which origins may be reached.
    pub rules: Rules,
    /// The users that may use the proxy; without it, everybody may.
    pub users: Option<Users>,
    /// The ports to which CONNECT may lead.
    pub tunnel_ports: Vec<u16>,
    /// Mebibytes that the cache may have; 0: there is none.
    pub cache: usize,
    /// Our name in Via fields, unlike any other proxy's.
    pub via: String,
    /// How long an origin may be silent.
    pub patience: Duration,
    /// How long a client may stay without a request.
    pub idle: Duration,
    /// How long both ends of a tunnel may be silent.
    pub tunnel_idle: Duration,
    /// Bytes that a request's body may have.
    pub max_body: u64,
}

/// A request that is being answered.
pub struct Turn<'a> {
    /// The way to the hub thread.
    pub hub: &'a Hub,
    /// The options of this proxy.
    pub settings: &'a Settings,
    /// The client's side; what it sends is read here.
    pub client: &'a mut Reader,
    /// What the client wants.
    pub request: &'a Request,
    /// For the log, filled in on the way.
    pub record: Record,
    /// Does the client's connection stay open after the response?
    pub keep: bool,
    /// The URL, if it was in the path of one of our own.
    pub in_path: Option<Destination>,
    /// The origin, `host:port`, and the connection to it, if another request
    /// can follow on it.
    pub idle: Option<(String, Reader)>,
}

impl Turn<'_> {
    /// Ends the head of a response: see [`end_head`].
    pub fn end_head(&self, head: Head, body: Framing) -> Vec<u8> {
        let head = match self.in_path {
            Some(_) => head.field("Content-Security-Policy", SANDBOX),
            None => head,
        };
        end_head(head, body, self.keep, self.request.version)
    }

    /// Sends a response of our own.
    pub fn respond(
        &mut self,
        status: u16,
        head: Head,
        body: &[u8],
    ) -> Result<(), Failure> {
        // The request's body stays unread, so that nobody can know where the
        // next request begins: the connection must end.
        self.keep &= !self.request.has_body();
        let head = self.end_head(head, Framing::Length(body.len() as u64));
        let body = if self.request.method == "HEAD" { &[] } else { body };
        self.client.socket().send_parts(&[&head, body])?;
        self.record.source = Source::Own;
        self.record.status = status;
        self.record.bytes = body.len() as u64;
        Ok(())
    }

    /// Sends a page that says what went wrong.
    pub fn refuse(&mut self, problem: &ErrorPage) {
        let (head, page) = problem.response();
        if self.respond(problem.status, head, page.as_bytes()).is_err() {
            self.keep = false;
        }
        self.record.source = Source::Refused;
        self.record.note = problem.why.clone();
    }
}

/// Adds what belongs to the connection to the client: how the body ends, and
/// whether another request can follow (`keep`).
pub fn end_head(
    head: Head,
    body: Framing,
    keep: bool,
    version: Version,
) -> Vec<u8> {
    // Each version says only what is not its rule.
    let head = match (keep, version) {
        (false, _) => head.field("Connection", "close"),
        (true, Version::Http10) => head.field("Connection", "keep-alive"),
        (true, Version::Http11) => head,
    };
    head.framing(body).end()
}
