//! One client's connection: requests and responses in turn, until the client
//! or the server closes it. HTTP is STATELESS: each request contains all that
//! its response needs, and the server then forgets it.          (viva 7)

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::{Body, Fault, Framing, Reader, Request, Version};
use socketlab::net::TcpSocket;
use socketlab::{Result, clients};

use crate::respond::{error, respond};
use crate::send::{Response, send};
use crate::site::Site;

/// Bytes. The server reads a request's body up to this size and throws it
/// away. Otherwise it would take the body for the next request.
const MOST_BODY: u64 = 1024 * 1024;

/// The complete body must arrive within the first time, and each part of it
/// within the second. Otherwise a slow client could keep its thread.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// Serves one client.
pub fn converse(
    client: TcpSocket,
    peer: SocketAddr,
    site: &Site,
) -> Result<()> {
    let mut reader = Reader::new(client.clone());
    // The deadline is for the complete head. A limit for each recv() would
    // not stop a client that sends one byte a second.    (viva 5) (try 5)
    reader.set_head_deadline(site.head_deadline);
    let unread = loop {
        // ---- 5 recv() ----------------------------------------------------
        // Python: client.recv(16384)  C: recv(client, buffer, 16384, 0)
        // The reader calls recv() until it has the head's empty line. It also
        // keeps what follows the line: one recv() may return the beginning of
        // the next request too.                          [W-T2b] (viva 1)
        match reader.wait(site.idle) {
            Ok(true) => {}
            // The client closed between two requests, was idle too long, or
            // sent nothing at all, as browsers that connect in advance do.
            // None of these is an error.                          (viva 3)
            Ok(false) | Err(Fault::Idle | Fault::Cut) => break false,
            Err(fault) => return Err(fault.into()),
        }
        // After Ctrl-C the server still answers a request that has begun.
        // While this value exists, the stop waits for this thread.
        let _in_request = clients::request();
        let turn = Turn { client: &client, peer, site };
        match turn.take(&mut reader) {
            Ok(Next::KeepOpen) => {}
            Ok(Next::Close) => break !reader.buffered().is_empty(),
            Ok(Next::Drain) => break true,
            // The client closed in the middle of a response. A video player
            // does so each time its user jumps in the film. The access log
            // already says how many bytes were sent, so this is not an error.
            Err(error) if error.is_peer_gone() => return Ok(()),
            Err(error) => return Err(error),
        }
    };

    // ---- 7 close() -------------------------------------------------------
    // Python: client.close()  C: close(client)
    // If bytes are unread, close() sends RST instead of FIN, and the client
    // may lose the response. So finish() first sends FIN, then reads and
    // drops what still arrives, then closes.                      (viva 6)
    drop(reader);
    match unread {
        true => client.finish(),
        false => client.close(),
    }
    Ok(())
}

/// What happens to the connection after a response.
enum Next {
    /// It stays open for the next request.
    KeepOpen,
    /// It is closed. The server has read all that the client sent.
    Close,
    /// It is closed, but unread bytes may remain (lingering close).
    Drain,
}

/// One request and its response.
struct Turn<'a> {
    client: &'a TcpSocket,
    peer: SocketAddr,
    site: &'a Site,
}

impl Turn<'_> {
    /// Reads one request. Answers it, or refuses it if it is malformed.
    fn take(&self, reader: &mut Reader) -> Result<Next> {
        match reader.read_request(self.site.idle) {
            Ok(Some(request)) => self.serve(reader, &request),
            Ok(None) | Err(Fault::Idle) => Ok(Next::Close),
            Err(fault) => {
                let line = first_line(reader.buffered());
                self.refuse(line, fault, reader.asks_head())?;
                Ok(Next::Drain)
            }
        }
    }

    /// Reads the request's body, then sends the response.
    fn serve(&self, reader: &mut Reader, request: &Request) -> Result<Next> {
        let line = format!(
            "{} {} {}",
            request.method,
            request.target,
            request.version.text()
        );
        let readable = matches!(request.method.as_str(), "GET" | "HEAD");
        let expects = request.expects_continue();
        if request.expects() && !expects {
            let why = "This server supports only Expect: 100-continue.";
            let response = error(417, why);
            return self.answer(&line, response, request, Next::Drain);
        }
        // The client waits for "100 Continue" before it sends its body. This
        // method is refused in any case, so the client need not send it.
        if expects && !readable && request.framing != Framing::None {
            let response = respond(self.site, request);
            return self.answer(&line, response, request, Next::Drain);
        }
        if let Err(fault) = self.skip_body(reader, request) {
            let head_only = request.method == "HEAD";
            self.refuse(line.as_bytes(), fault, head_only)?;
            return Ok(Next::Drain);
        }
        let response = respond(self.site, request);
        let next = match request.keeps_alive() {
            true => Next::KeepOpen,
            false => Next::Close,
        };
        self.answer(&line, response, request, next)
    }

    /// Reads a body and throws it away: no method that we support uses one.
    fn skip_body(
        &self,
        reader: &mut Reader,
        request: &Request,
    ) -> std::result::Result<(), Fault> {
        match request.framing {
            Framing::None => return Ok(()),
            Framing::Length(length) if length > MOST_BODY => {
                let why = "The body is larger than 1 MiB.";
                return Err(Fault::Bad { status: 413, why });
            }
            _ => {}
        }
        if request.expects_continue() {
            self.client.send_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        // Two limits: for each recv(), and for the complete body.
        let deadline = Instant::now() + BODY_DEADLINE;
        reader.set_limits(BODY_PATIENCE, Some(deadline));
        Body::new(request.framing).skip(reader, MOST_BODY)
    }

    /// Sends the response, with the Connection field that belongs to it.
    fn answer(
        &self,
        line: &str,
        response: Response,
        request: &Request,
        next: Next,
    ) -> Result<Next> {
        // HTTP/1.1 keeps a connection open unless a side says "close".
        // HTTP/1.0 closes it unless both say "keep-alive". So the server
        // sends the field only if it differs from the rule.      (viva 10)
        let connection = match (&next, request.version) {
            (Next::Close | Next::Drain, _) => Some("close"),
            (Next::KeepOpen, Version::Http10) => Some("keep-alive"),
            (Next::KeepOpen, Version::Http11) => None,
        };
        let head_only = request.method == "HEAD";
        self.send(line.as_bytes(), response, connection, head_only)?;
        Ok(next)
    }

    /// Sends an error page for a request that was malformed or incomplete. If
    /// the connection is already lost, there is nobody to send it to.
    fn refuse(&self, line: &[u8], fault: Fault, head_only: bool) -> Result<()> {
        let response = match fault {
            Fault::Bad { status, why } => error(status, why),
            Fault::Slow | Fault::Idle => {
                error(408, "The complete request did not arrive in time.")
            }
            Fault::Cut | Fault::Lost(_) => return Err(fault.into()),
        };
        self.send(line, response, Some("close"), head_only)
    }

    /// Sends the response and writes a line to the access log, also if
    /// send() failed half-way.
    fn send(
        &self,
        line: &[u8],
        response: Response,
        connection: Option<&str>,
        head_only: bool,
    ) -> Result<()> {
        let (status, mut sent) = (response.status, 0);
        let done =
            send(self.client, response, connection, head_only, &mut sent);
        self.site.log.answered(self.peer, line, status, sent);
        done
    }
}

/// The first line of a refused request, for the log.
fn first_line(bytes: &[u8]) -> &[u8] {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line)
}
