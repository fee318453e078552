//! One client's connection: requests and answers in turn, until one of the
//! two closes. HTTP is STATELESS: each request says all that its answer
//! needs, and nothing is remembered from one to the next.       (viva 7)

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::{Body, Fault, Framing, Reader, Request, Version};
use socketlab::Result;
use socketlab::net::TcpSocket;

use crate::respond::{Answer, error, respond};
use crate::send::send;
use crate::site::Site;

/// Request bodies are read and thrown away up to here: a client must be
/// allowed to finish its sentence, or the next request would not be found.
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
    // For a whole head, however slowly it drips in.      (viva 5) (try 7)
    reader.set_head_deadline(site.head_deadline);
    let unread = loop {
        // ---- 5 recv() ----------------------------------------------------
        // Inside the reader, until the head's empty line. A second request
        // that came in the same segment waits there.     [W-T2b] (viva 1)
        match reader.read_request(site.idle) {
            Ok(Some(request)) => {
                let turn = Turn { client: &client, peer, site };
                match turn.take(&mut reader, &request)? {
                    Next::GoOn => {}
                    Next::Close => break !reader.buffered().is_empty(),
                    Next::Drain => break true,
                }
            }
            // It closed between two requests, or never asked: a browser
            // opens connections in advance.                       (viva 3)
            Ok(None) | Err(Fault::Idle) => break false,
            Err(fault) => {
                let line = first_line(reader.buffered()).to_vec();
                let turn = Turn { client: &client, peer, site };
                turn.refuse(&line, fault)?;
                break true;
            }
        }
    };

    // ---- 7 close() -------------------------------------------------------
    // What is still unread would make close() send RST, and the RST could
    // overtake the answer: FIN first, then read to the end.       (viva 6)
    drop(reader);
    match unread {
        true => client.finish(),
        false => client.close(),
    }
    Ok(())
}

/// What becomes of the connection after an answer.
enum Next {
    GoOn,
    /// All that the client sent was read.
    Close,
    /// It was not, or nobody knows.
    Drain,
}

/// One request and its answer.
struct Turn<'a> {
    client: &'a TcpSocket,
    peer: SocketAddr,
    site: &'a Site,
}

impl Turn<'_> {
    /// Answers.
    fn take(&self, reader: &mut Reader, request: &Request) -> Result<Next> {
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
            let answer = error(417, why);
            return self.answer(line.as_bytes(), answer, request, Next::Drain);
        }
        // A client that asks before it sends a body is spared the trouble.
        if expects && !readable && request.framing != Framing::None {
            let answer = respond(self.site, request);
            return self.answer(line.as_bytes(), answer, request, Next::Drain);
        }
        if let Err(fault) = self.skip_body(reader, request) {
            self.refuse(line.as_bytes(), fault)?;
            return Ok(Next::Drain);
        }
        let answer = respond(self.site, request);
        let next = match request.keeps_alive() {
            true => Next::GoOn,
            false => Next::Close,
        };
        self.answer(line.as_bytes(), answer, request, next)
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
        line: &[u8],
        answer: Answer,
        request: &Request,
        next: Next,
    ) -> Result<Next> {
        // Each version says only what is not its rule.           (viva 10)
        let connection = match (&next, request.version) {
            (Next::Close | Next::Drain, _) => Some("close"),
            (Next::GoOn, Version::Http10) => Some("keep-alive"),
            (Next::GoOn, Version::Http11) => None,
        };
        self.send(line, answer, connection, request.method == "HEAD")?;
        Ok(next)
    }

    /// Answers what could not be read to its end, if it makes sense to.
    fn refuse(&self, line: &[u8], fault: Fault) -> Result<()> {
        let answer = match fault {
            Fault::Bad { status, why } => error(status, why),
            Fault::Slow | Fault::Idle => {
                error(408, "The request was not whole in time.")
            }
            Fault::Cut | Fault::Lost(_) => return Err(fault.into()),
        };
        self.send(line, answer, Some("close"), false)
    }

    fn send(
        &self,
        line: &[u8],
        answer: Answer,
        connection: Option<&str>,
        head_only: bool,
    ) -> Result<()> {
        let (status, mut sent) = (answer.status, 0);
        let done = send(self.client, answer, connection, head_only, &mut sent);
        self.site.log.answered(self.peer, line, status, sent);
        done
    }
}

/// Of what was refused, the log shows the first line.
fn first_line(bytes: &[u8]) -> &[u8] {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line)
}
