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

use socket2::SockRef;
use socketlab::Result;
use socketlab::http::{Fault, Framing, Head, Reader, Request, Version, date};
use socketlab::net::TcpSocket;

use crate::Proxy;
use crate::errors::Problem;
use crate::forward::forward;
use crate::headers;
use crate::log::Record;
use crate::pages;
use crate::target::{Route, route};
use crate::tunnel::tunnel;

/// A request on its way.
pub struct Turn<'a> {
    pub proxy: &'a Proxy,
    pub peer: SocketAddr,
    /// The client's side; what it sends is read here.
    pub client: &'a mut Reader,
    pub request: &'a Request,
    /// For the log, filled in on the way.
    pub record: Record,
    /// May the connection go on after the answer?
    pub keep: bool,
}

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
    let record = Record {
        client: peer,
        method: request.method.clone(),
        url: request.target.clone(),
        status: 0,
        bytes: 0,
        how: "-",
        milliseconds: 0,
        note: String::new(),
    };
    let keep = request.keeps_alive();
    let mut turn = Turn { proxy, peer, client, request, record, keep };
    let outcome = turn.answer();
    let mut cut = false;
    match outcome {
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
            return self.options();
        }
        match route {
            Route::Own(path) => self.own_page(&path),
            Route::Options => self.options(),
            Route::Forward(destination) => {
                self.record.url = destination.url();
                forward(self, &destination)
            }
            Route::Tunnel(destination) => tunnel(self, &destination),
        }
    }

    fn own_page(&mut self, path: &str) -> std::result::Result<(), Failure> {
        // It tells what everybody has asked for.
        if !self.peer.ip().to_canonical().is_loopback() {
            let why = "The proxy's own page is for its own machine only.";
            return Err(Problem::new(403, why).into());
        }
        let Some(report) = self.proxy.hub.report() else {
            return Err(Problem::new(503, "The proxy is stopping.").into());
        };
        let (status, bytes, size) = pages::answer(self.request, path, &report);
        self.leave_body();
        self.client.socket().send_all(&bytes)?;
        self.record.how = "own";
        (self.record.status, self.record.bytes) = (status, size as u64);
        Ok(())
    }

    /// `OPTIONS *`, or a request that may go no further.
    fn options(&mut self) -> std::result::Result<(), Failure> {
        self.leave_body();
        let mut head = Head::response(200)
            .field("Date", date::now())
            .field("Allow", "GET, HEAD, POST, PUT, DELETE, OPTIONS, CONNECT")
            .field("Content-Length", 0);
        if !self.keep {
            head = head.field("Connection", "close");
        }
        self.client.socket().send_all(&head.end())?;
        (self.record.how, self.record.status) = ("own", 200);
        Ok(())
    }

    /// A page of ours instead of an answer.
    fn refuse(&mut self, problem: &Problem) {
        self.leave_body();
        let head_only = self.request.method == "HEAD";
        let (bytes, size) = problem.answer(head_only, self.keep);
        self.record.how = "refused";
        self.record.status = problem.status;
        self.record.note = problem.why.clone();
        match self.client.socket().send_all(&bytes) {
            Ok(()) => self.record.bytes = size as u64,
            Err(_) => self.keep = false,
        }
    }

    /// A body that nobody reads ends the connection: where the next request
    /// begins would be a guess.
    pub fn leave_body(&mut self) {
        if self.request.framing != Framing::None {
            self.keep = false;
        }
    }
}

/// A request of which not even the head could be read.
fn refuse_unread(
    proxy: &Proxy,
    peer: SocketAddr,
    client: &TcpSocket,
    fault: &Fault,
) {
    let mut record = Record {
        client: peer,
        method: "?".into(),
        url: "?".into(),
        status: 0,
        bytes: 0,
        how: "refused",
        milliseconds: 0,
        note: fault.to_string(),
    };
    if let Some(problem) = Problem::of_client(fault) {
        let (bytes, size) = problem.answer(false, false);
        if client.send_all(&bytes).is_ok() {
            (record.status, record.bytes) = (problem.status, size as u64);
        }
    }
    proxy.hub.done(record);
}
