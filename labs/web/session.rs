//! One client's connection: requests and responses in turn, until one of the
//! two closes. HTTP is STATELESS: each request says all that its response
//! needs, and the server remembers nothing of it afterwards.    (viva 7)

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::{Body, Fault, Framing, Reader, Request, Version};
use socketlab::net::TcpSocket;
use socketlab::{Result, clients};

use crate::respond::{error, respond};
use crate::send::{Response, send};
use crate::site::Site;

/// Request bodies are read and thrown away up to this size: without that the
/// server could not find the next request.
const MOST_BODY: u64 = 1024 * 1024;

/// How long such a body may take, and how long a part of it.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// Serves one client.
pub fn converse(
    client: TcpSocket,
    peer: SocketAddr,
    site: &Site,
) -> Result<()> {
    let mut reader = Reader::new(client.clone());
    // For a complete head, however slowly it arrives.    (viva 5) (try 5)
    reader.set_head_deadline(site.head_deadline);
    let unread = loop {
        // ---- 5 recv() ----------------------------------------------------
        // Inside the reader, until the head's empty line. A second request
        // that came in the same segment waits there.     [W-T2b] (viva 1)
        match reader.wait(site.idle) {
            Ok(true) => {}
            // It closed between two requests, or never asked: a browser
            // opens connections in advance.                       (viva 3)
            Ok(false) | Err(Fault::Idle | Fault::Cut) => break false,
            Err(fault) => return Err(fault.into()),
        }
        // A request that has begun is answered, also if the server is told
        // to stop meanwhile.
        let _in_request = clients::request();
        let turn = Turn { client: &client, peer, site };
        match turn.take(&mut reader) {
            Ok(Next::GoOn) => {}
            Ok(Next::Close) => break !reader.buffered().is_empty(),
            Ok(Next::Drain) => break true,
            // The client left in the middle of a response. A video player
            // does so whenever its user moves on. The line of the access log
            // says how many bytes it took, and that is enough.
            Err(error) if error.is_peer_gone() => return Ok(()),
            Err(error) => return Err(error),
        }
    };

    // ---- 7 close() -------------------------------------------------------
    // With unread bytes close() would send RST, and the RST could overtake
    // the response: so FIN first, then read to the end.           (viva 6)
    drop(reader);
    match unread {
        true => client.finish(),
        false => client.close(),
    }
    Ok(())
}

/// What becomes of the connection after a response.
enum Next {
    GoOn,
    /// All that the client sent was read.
    Close,
    /// Something may be unread.
    Drain,
}

/// One request and its response.
struct Turn<'a> {
    client: &'a TcpSocket,
    peer: SocketAddr,
    site: &'a Site,
}

impl Turn<'_> {
    /// Reads a request, and answers it or refuses it.
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

    /// Answers the request.
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
            let why = "Only 100-continue can be expected here.";
            let response = error(417, why);
            return self.answer(&line, response, request, Next::Drain);
        }
        // A client that asks before it sends a body is spared the trouble.
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
            true => Next::GoOn,
            false => Next::Close,
        };
        self.answer(&line, response, request, next)
    }

    /// Reads a body that nobody wants.
    fn skip_body(
        &self,
        reader: &mut Reader,
        request: &Request,
    ) -> std::result::Result<(), Fault> {
        match request.framing {
            Framing::None => return Ok(()),
            Framing::Length(length) if length > MOST_BODY => {
                let why = "Bodies of more than 1 MiB are not read here.";
                return Err(Fault::Bad { status: 413, why });
            }
            _ => {}
        }
        if request.expects_continue() {
            self.client.send_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let deadline = Instant::now() + BODY_DEADLINE;
        reader.set_limits(BODY_PATIENCE, Some(deadline));
        Body::new(request.framing).skip(reader, MOST_BODY)
    }

    fn answer(
        &self,
        line: &str,
        response: Response,
        request: &Request,
        next: Next,
    ) -> Result<Next> {
        // Each version says only what is not its rule.           (viva 10)
        let connection = match (&next, request.version) {
            (Next::Close | Next::Drain, _) => Some("close"),
            (Next::GoOn, Version::Http10) => Some("keep-alive"),
            (Next::GoOn, Version::Http11) => None,
        };
        let head_only = request.method == "HEAD";
        self.send(line.as_bytes(), response, connection, head_only)?;
        Ok(next)
    }

    /// Answers what could not be read to its end, if somebody still listens.
    fn refuse(&self, line: &[u8], fault: Fault, head_only: bool) -> Result<()> {
        let response = match fault {
            Fault::Bad { status, why } => error(status, why),
            Fault::Slow | Fault::Idle => {
                error(408, "The request was not whole in time.")
            }
            Fault::Cut | Fault::Lost(_) => return Err(fault.into()),
        };
        self.send(line, response, Some("close"), head_only)
    }

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

/// The first line of what was refused, for the log.
fn first_line(bytes: &[u8]) -> &[u8] {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line)
}
