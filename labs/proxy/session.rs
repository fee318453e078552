//! One client's connection: requests in turn, each to its own origin. Two
//! that follow each other may go to different hosts: a connection belongs to
//! a hop, a request to an origin.
//!
//! ```text
//!   recv request --> route() --> forward()   an origin's answer
//!         ^                  --> tunnel()    CONNECT, to the end
//!         |                  --> pages       proxy.local
//!         +--- keep? --------<   errors      400 403 502 504 …
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::{Fault, Framing, Head, Reader, Request, Version, date};
use socket2::SockRef;
use socketlab::Result;
use socketlab::net::TcpSocket;

use crate::errors::Problem;
use crate::forward::forward;
use crate::headers;
use crate::log::Record;
use crate::pages;
use crate::proxy::Proxy;
use crate::target::{Route, route};
use crate::tunnel::tunnel;

/// A request on its way.
pub struct Turn<'a> {
    pub proxy: &'a Proxy,
    /// The client's side; what it sends is read here.
    pub client: &'a mut Reader,
    pub request: &'a Request,
    /// For the log, filled in on the way.
    pub record: Record,
    /// May the connection go on after the answer?
    pub keep: bool,
    /// Did the URL stand in the path of ours?
    pub in_path: bool,
}

/// In path style all sites have our host and port, so that a page of one could
/// read all others, and our own. In a sandbox a page is of no site at all: it
/// is shown, its scripts run, and it reads nobody's pages but its own.
const SANDBOX: &str = "sandbox allow-forms allow-popups allow-scripts";

/// Why there was no whole answer.
pub enum Failure {
    /// Nothing has been sent yet: a page will say why.
    Page(Problem),
    /// It is too late to say anything, or nobody is there to hear it.
    Cut(String),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        Failure::Page(problem)
    }
}

/// What failed here was a send to the client.
impl From<socketlab::Error> for Failure {
    fn from(_: socketlab::Error) -> Failure {
        Failure::Cut("the client left".into())
    }
}

/// Serves one client.
pub fn converse(
    client: TcpSocket,
    peer: SocketAddr,
    proxy: &Proxy,
) -> Result<()> {
    let mut reader = Reader::new(client.clone());
    let mut next = Next::Request;
    while next == Next::Request {
        // ---- 5 recv() ----------------------------------------------------
        // The reader takes a whole head, in however many segments it comes,
        // and refuses whatever could be read in two ways.       [W-T3a]
        match reader.read_request(proxy.idle) {
            Ok(Some(request)) => {
                next = take(proxy, peer, &mut reader, &request);
            }
            Ok(None) | Err(Fault::Idle) => break,
            Err(fault) => {
                refuse_unread(proxy, peer, &client, &fault);
                next = Next::Close;
            }
        }
    }

    // ---- 8 close() -------------------------------------------------------
    // FIN first, then the rest is read: a close with unread input would send
    // RST, and that could overtake the answer.
    drop(reader);
    if next == Next::Reset {
        // FIN would be the end of the body, and half of it would look whole.
        let _ = SockRef::from(&client).set_linger(Some(Duration::ZERO));
        client.close();
    } else {
        client.finish();
    }
    Ok(())
}

/// What becomes of the connection after a request.
#[derive(PartialEq)]
enum Next {
    Request,
    Close,
    Reset,
}

/// One request.
fn take(
    proxy: &Proxy,
    peer: SocketAddr,
    client: &mut Reader,
    request: &Request,
) -> Next {
    let began = Instant::now();
    let record = Record::new(peer, &request.method, &request.target);
    let keep = request.keeps_alive();
    let in_path = false;
    let mut turn = Turn { proxy, client, request, record, keep, in_path };
    let mut cut = false;
    match turn.answer() {
        Ok(()) => {}
        Err(Failure::Page(problem)) => turn.refuse(&problem),
        Err(Failure::Cut(why)) => {
            turn.record.note = why;
            turn.keep = false;
            // Chunks and lengths show by themselves that an end is missing.
            cut = request.version == Version::Http10;
        }
    }
    let Turn { mut record, keep, .. } = turn;
    record.milliseconds = began.elapsed().as_millis();
    proxy.hub.done(record);
    match keep {
        true => Next::Request,
        false if cut => Next::Reset,
        false => Next::Close,
    }
}

impl Turn<'_> {
    fn answer(&mut self) -> std::result::Result<(), Failure> {
        let proxy = self.proxy;
        let route = route(self.request, proxy.rules.own.port())?;
        if headers::has_passed(&self.request.fields, &proxy.via) {
            return Err(Failure::Page(Problem::new(
                403,
                "This request has passed here before: its Via field says \
                 so. It would go round for ever.",
            )));
        }
        if headers::max_forwards(self.request) == Some(0) {
            return self.last_of_the_way();
        }
        self.in_path = matches!(route, Route::InPath(_));
        match route {
            Route::Own(path) => self.own_page(&path),
            Route::Options => self.last_of_the_way(),
            Route::Forward(destination) | Route::InPath(destination) => {
                self.record.url = destination.url();
                forward(self, &destination)
            }
            Route::Tunnel(destination) => tunnel(self, &destination),
        }
    }

    fn own_page(&mut self, path: &str) -> std::result::Result<(), Failure> {
        // It tells what everybody has asked for.
        if !self.record.client.ip().to_canonical().is_loopback() {
            let why = "The proxy's own page is for its own machine only.";
            return Err(Problem::new(403, why).into());
        }
        let Some(report) = self.proxy.hub.report() else {
            return Err(Problem::new(503, "The proxy is stopping.").into());
        };
        let (status, head, page) = pages::answer(self.request, path, &report);
        self.say(status, head, page.as_bytes())
    }

    /// `OPTIONS *`, or a request that may go no further (Max-Forwards: 0).
    /// OPTIONS asks what can be done here, TRACE what has arrived here.
    fn last_of_the_way(&mut self) -> std::result::Result<(), Failure> {
        let head = Head::response(200).field("Date", date::now());
        if self.request.method == "TRACE" {
            let head = head.field("Content-Type", "message/http");
            return self.say(200, head, &headers::reflected(self.request));
        }
        let methods = "GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, CONNECT";
        self.say(200, head.field("Allow", methods), b"")
    }

    /// An answer of our own.
    fn say(
        &mut self,
        status: u16,
        head: Head,
        body: &[u8],
    ) -> std::result::Result<(), Failure> {
        // A body that nobody reads ends the connection: where the next
        // request begins would be a guess.
        self.keep &= !self.request.has_body();
        let head = self.finish(head, Framing::Length(body.len() as u64));
        let body = if self.request.method == "HEAD" { &[] } else { body };
        self.client.socket().send_parts(&[&head, body])?;
        self.record.how = "own";
        self.record.status = status;
        self.record.bytes = body.len() as u64;
        Ok(())
    }

    /// A page of ours instead of an answer.
    fn refuse(&mut self, problem: &Problem) {
        let (head, page) = problem.answer();
        if self.say(problem.status, head, page.as_bytes()).is_err() {
            self.keep = false;
        }
        self.record.how = "refused";
        self.record.note = problem.why.clone();
    }

    /// Ends a head with what belongs to this hop.
    pub fn finish(&self, head: Head, body: Framing) -> Vec<u8> {
        let head = match self.in_path {
            true => head.field("Content-Security-Policy", SANDBOX),
            false => head,
        };
        headers::finish(head, body, self.keep, self.request.version)
    }
}

/// A request of which not even the head could be read.
fn refuse_unread(
    proxy: &Proxy,
    peer: SocketAddr,
    client: &TcpSocket,
    fault: &Fault,
) {
    let mut record = Record::new(peer, "?", "?");
    (record.how, record.note) = ("refused", fault.to_string());
    if let Some(problem) = Problem::of_client(fault) {
        let (head, page) = problem.answer();
        let (size, version) = (page.len() as u64, Version::Http11);
        let head = headers::finish(head, Framing::Length(size), false, version);
        if client.send_parts(&[&head, page.as_bytes()]).is_ok() {
            (record.status, record.bytes) = (problem.status, size);
        }
    }
    proxy.hub.done(record);
}
