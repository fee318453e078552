//! One request and its response: what all modules that answer it share, and
//! how the proxy sends a response of its own.

use std::time::Duration;

use http::{Framing, Head, Reader, Request, Version};

use crate::errors::{ErrorPage, Failure};
use crate::hub::handle::Hub;
use crate::record::{Record, Source};
use crate::rules::Rules;
use crate::target::Destination;
use crate::users::Users;

/// In path style all sites have the proxy's host and port. So a page of one
/// site could read the pages of all others, and the proxy's own page. In a
/// sandbox a page belongs to no site: its scripts run, but they cannot read
/// other pages.
const SANDBOX: &str = "sandbox allow-forms allow-popups allow-scripts";

/// The options of one proxy. They do not change after the start, so that
/// all threads read them without a lock.
pub struct Settings {
    /// Which origins may be reached.
    pub rules: Rules,
    /// The users that may use the proxy; `None`: everybody.
    pub users: Option<Users>,
    /// The ports to which CONNECT may lead.
    pub tunnel_ports: Vec<u16>,
    /// The cache's size in mebibytes; 0: no cache.
    pub cache: usize,
    /// The proxy's name in Via fields. It is random, so that no other proxy
    /// has the same name.
    pub via: String,
    /// How long an origin may be silent.
    pub patience: Duration,
    /// How long a client may send no request.
    pub idle: Duration,
    /// How long both ends of a tunnel may be silent.
    pub tunnel_idle: Duration,
    /// The largest body of a request, in bytes.
    pub max_body: u64,
}

/// A request that is being answered.
pub struct Turn<'a> {
    /// The way to the hub thread.
    pub hub: &'a Hub,
    /// The options of this proxy.
    pub settings: &'a Settings,
    /// The client's connection.
    pub client: &'a mut Reader,
    /// The client's request.
    pub request: &'a Request,
    /// The line of the log, filled in step by step.
    pub record: Record,
    /// May another request follow on the client's connection?
    pub keep: bool,
    /// The origin's URL, if the request is in path style.
    pub in_path: Option<Destination>,
    /// The origin, `host:port`, and the connection to it, if another request
    /// can follow on it.
    pub idle: Option<(String, Reader)>,
}

impl Turn<'_> {
    /// Adds the fields of the hop to the client: how the body ends, and whether
    /// another request can follow (`keep`).
    pub fn end_head(&self, head: Head, body: Framing) -> Vec<u8> {
        let head = match self.in_path {
            Some(_) => head.field("Content-Security-Policy", SANDBOX),
            None => head,
        };
        // Only a deviation from the version's default is announced: HTTP/1.0
        // closes after a response, HTTP/1.1 keeps the connection.
        let head = match (self.keep, self.request.version) {
            (false, _) => head.field("Connection", "close"),
            (true, Version::Http10) => head.field("Connection", "keep-alive"),
            (true, Version::Http11) => head,
        };
        head.framing(body).end()
    }

    /// Sends a response that the proxy itself has made.
    pub fn respond(
        &mut self,
        status: u16,
        head: Head,
        body: &[u8],
    ) -> Result<(), Failure> {
        // The proxy does not read the request's body, so it cannot find the
        // beginning of the next request. The connection must end.
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
