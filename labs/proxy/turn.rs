//! One request and its response: what session.rs hands on to whoever answers,
//! and how a response of the proxy's own is sent.

use http::{Fault, Framing, Head, Reader, Request, Version};

use crate::errors::ErrorPage;
use crate::hub::handle::Hub;
use crate::record::{Record, Source};
use crate::settings::Settings;
use crate::target::Destination;

/// In path style all sites have our host and port, so that a page of one could
/// read all others, and our own. In a sandbox a page belongs to no site: it is
/// shown and its scripts run, but it can read no page but itself.
const SANDBOX: &str = "sandbox allow-forms allow-popups allow-scripts";

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
    /// May the client's connection go on after the response?
    pub keep: bool,
    /// Was the URL in the path of one of our own?
    pub in_path: bool,
    /// The origin, `host:port`, and the connection to it, if another request
    /// can follow on it.
    pub idle: Option<(String, Reader)>,
}

/// Why there was no complete response.
pub enum Failure {
    /// Nothing has been sent yet: a page will say why.
    Page(ErrorPage),
    /// Part of it has been sent, or the client has left. The log says why.
    Cut(String),
}

impl Failure {
    /// The origin's response could not be read.
    pub fn of_origin(destination: &Destination, fault: &Fault) -> Failure {
        ErrorPage::of_origin(&destination.origin(), fault).into()
    }
}

impl From<ErrorPage> for Failure {
    fn from(problem: ErrorPage) -> Failure {
        Failure::Page(problem)
    }
}

/// What failed here was a send to the client.
impl From<socketlab::Error> for Failure {
    fn from(_: socketlab::Error) -> Failure {
        Failure::Cut("the client left".into())
    }
}

impl Turn<'_> {
    /// Ends the head of a response: see [`end_head`].
    pub fn end_head(&self, head: Head, body: Framing) -> Vec<u8> {
        let head = match self.in_path {
            true => head.field("Content-Security-Policy", SANDBOX),
            false => head,
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
