//! Sends the request to the origin and reads the head of the response. The
//! request's body is sent piece by piece. The origin may respond before its
//! end, and the client may leave before the response. So the proxy watches
//! both sockets all the time.
//!
//! ```text
//!   client ---- body, piece by piece ---> origin
//!      `------- poll: who is first? --------'
//!   client <--- 100, 103 --------------- origin
//!               200, 404 … the head goes to relay.rs
//! ```

use http::{Body, Fault, Framing, Head, Reader, Response, Version, chunk_line};

use crate::cache::stored::Stored;
use crate::errors::{ErrorPage, Failure};
use crate::headers;
use crate::target::Destination;
use crate::turn::Turn;
use crate::watch::{self, Ready};

/// Interim responses (1xx) that the proxy accepts from an origin.
const MOST_INTERIM: usize = 16;

/// A body of more than `--max-body`.
pub fn too_large() -> ErrorPage {
    ErrorPage::new(413, "The body is larger than --max-body allows.")
}

/// Sends the request, and returns the head of the final response; and whether
/// the complete body was sent. `None`: the origin closed before the first byte
/// of a response. If the connection was idle before, the origin may never have
/// seen the request. With `stale` the request asks whether that is still good.
pub fn exchange(
    turn: &mut Turn<'_>,
    origin: &mut Reader,
    destination: &Destination,
    stale: Option<&Stored>,
) -> Result<Option<(Response, bool)>, Failure> {
    let (via, patience) = (&turn.settings.via, turn.settings.patience);
    let head = headers::request(turn.request, destination, via, stale);
    // ---- 7 send() --------------------------------------------------------
    // The new request. A successful send() says only that our kernel has the
    // bytes. If the origin has closed this idle connection meanwhile, recv()
    // reports it, and forward.rs tries once more.              (viva 10)
    if origin.socket().send_all(&head).is_err() {
        return Ok(None);
    }
    let body = Body::new(turn.request.framing);
    let mut this =
        Exchange { turn, origin, destination, body, sent: 0, interim: 0 };
    let mut accepts = true; // the origin accepts the body
    loop {
        let sending = accepts && !this.body.is_done();
        match this.wait(sending)? {
            // A response may come before the end of a body that the origin
            // refuses.
            Ready::Origin => {
                let fault = match this.origin.read_response(patience) {
                    Ok(Some(response)) if response.status >= 200 => {
                        let complete = accepts && this.body.is_done();
                        return Ok(Some((response, complete)));
                    }
                    Ok(Some(interim)) => {
                        this.pass_interim(&interim)?;
                        continue;
                    }
                    Ok(None) => Fault::Cut,
                    Err(fault) => fault,
                };
                let nothing =
                    this.interim == 0 && this.origin.buffered().is_empty();
                return match fault {
                    Fault::Cut if nothing => Ok(None),
                    fault => Err(this.failure(&fault)),
                };
            }
            Ready::Client if sending => accepts = this.send_piece()?,
            // The client has left. We drop the connection to the origin, so
            // that the origin stops working for this request.
            Ready::Client => return Err(Failure::left("before the response")),
            Ready::Neither if sending => {
                let why = "The body of the request stopped coming.";
                return Err(ErrorPage::new(408, why).into());
            }
            Ready::Neither => return Err(this.failure(&Fault::Idle)),
        }
    }
}

/// A request on its way to the origin.
struct Exchange<'a, 'b> {
    turn: &'a mut Turn<'b>,
    origin: &'a mut Reader,
    destination: &'a Destination,
    body: Body,
    sent: u64,      // bytes of the body
    interim: usize, // interim responses so far
}

impl Exchange<'_, '_> {
    /// Waits for the origin's response, for the client's next piece (only
    /// while the body is being sent), or until the client leaves.
    fn wait(&self, sending: bool) -> Result<Ready, Failure> {
        let limit = self.turn.settings.patience;
        let (client, origin) = (&self.turn.client, &self.origin);
        Ok(match sending {
            true => watch::either(origin, client, limit)?,
            false => watch::origin_or_client_gone(origin, client, limit)?,
        })
    }

    /// Passes one piece of the body on. False: send() failed, because the
    /// origin has closed. Its response may have arrived before, with the
    /// reason, so the proxy still reads it.
    fn send_piece(&mut self) -> Result<bool, Failure> {
        let chunked = self.turn.request.framing == Framing::Chunked;
        let origin = self.origin.socket();
        let done = match self.body.next(self.turn.client) {
            Ok(Some(piece)) => {
                self.sent += piece.len() as u64;
                if self.sent > self.turn.settings.max_body {
                    return Err(too_large().into());
                }
                match chunked {
                    true => origin.send_parts(&[
                        chunk_line(piece.len()).as_bytes(),
                        piece,
                        b"\r\n",
                    ]),
                    false => origin.send_all(piece),
                }
            }
            Ok(None) if chunked => {
                origin.send_all(&headers::trailers(self.body.trailers()))
            }
            Ok(None) => Ok(()),
            // The client has sent a malformed chunk, or has left.
            Err(fault) => {
                return Err(match ErrorPage::of_client(&fault) {
                    Some(problem) => problem.into(),
                    None => Failure::left("in the middle of a body"),
                });
            }
        };
        Ok(done.is_ok())
    }

    fn failure(&self, fault: &Fault) -> Failure {
        Failure::of_origin(&self.destination.origin(), fault)
    }

    /// Passes an interim response (100, 103) on, because the client decides
    /// what it means. HTTP/1.0 has no interim responses.
    fn pass_interim(&mut self, response: &Response) -> Result<(), Failure> {
        self.interim += 1;
        if response.status == 101 || self.interim > MOST_INTERIM {
            let fault =
                Fault::bad("It sent 101, or too many interim responses.");
            return Err(self.failure(&fault));
        }
        if self.turn.request.version == Version::Http11 {
            let fields = headers::response(response, &self.turn.settings.via);
            let head = Head::response_with(response.status, &response.reason)
                .fields(&fields)
                .end();
            self.turn.client.socket().send_all(&head)?;
        }
        Ok(())
    }
}
