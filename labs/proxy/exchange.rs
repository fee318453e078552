//! A request to an origin and the head of its answer. The body goes piece by
//! piece, and the origin may answer before it is over; the client may leave
//! before there is an answer. So both are watched all the time.
//!
//! ```text
//!   client ---- body, piece by piece ---> origin
//!      `------- poll: who is first? --------'
//!   client <--- 100, 103 --------------- origin
//!               200, 404 … the head goes to relay.rs
//! ```

use http::{Body, Fault, Framing, Head, Reader, Response, Version, chunk_line};

use crate::errors::Problem;
use crate::headers;
use crate::session::{Failure, Turn};
use crate::target::Destination;
use crate::watch::{self, Seen};

/// Interim answers (1xx) that are taken from an origin.
const MOST_INTERIM: usize = 16;

type Outcome<T> = Result<T, Failure>;

/// Why an origin gave no answer.
pub enum Trouble {
    /// It closed before the first byte of one: if the connection had been at
    /// rest, the request may never have been seen.
    Dead,
    /// Anything else.
    Other(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Other(failure)
    }
}

/// The page about an answer that could not be read.
pub fn of_origin(destination: &Destination, fault: &Fault) -> Failure {
    Problem::of_origin(&destination.origin(), fault).into()
}

/// A body of more than `--max-body`.
pub fn too_large() -> Problem {
    Problem::new(413, "The body is larger than --max-body allows.")
}

impl Turn<'_> {
    /// Sends the request, and gives the final answer's head; also, whether
    /// the whole body was sent.
    pub fn ask(
        &mut self,
        origin: &mut Reader,
        head: &[u8],
        destination: &Destination,
    ) -> Result<(Response, bool), Trouble> {
        // ---- 7 send() ----------------------------------------------------
        // The new request. That send() succeeds says only that the kernel
        // has it: a connection that rested may be dead.        (viva 10)
        if origin.socket().send_all(head).is_err() {
            return Err(Trouble::Dead);
        }
        let mut body = Body::new(self.request.framing);
        let (mut sent, mut interim, mut takes) = (0, 0, true);
        loop {
            let sending = takes && !body.is_done();
            match self.wait(origin, sending)? {
                // It need not wait for the end of a body that it refuses.
                Seen::Origin => {
                    let answer =
                        self.read(origin, destination, &mut interim)?;
                    if let Some(response) = answer {
                        return Ok((response, takes && body.is_done()));
                    }
                }
                Seen::Client if sending => {
                    takes = self.pass(origin, &mut body, &mut sent)?;
                }
                // Dropping the connection tells the origin to stop.
                Seen::Client => {
                    let why = "the client left before the answer";
                    return Err(Failure::Cut(why.into()).into());
                }
                Seen::Nothing if sending => {
                    let why = "The body of the request stopped coming.";
                    return Err(Failure::from(Problem::new(408, why)).into());
                }
                Seen::Nothing => {
                    return Err(of_origin(destination, &Fault::Idle).into());
                }
            }
        }
    }

    /// Who is to be heard next?
    fn wait(&self, origin: &Reader, sending: bool) -> Outcome<Seen> {
        let limit = self.proxy.patience;
        let (from, to) = (self.client.socket(), origin.socket());
        if sending && !self.client.buffered().is_empty() {
            return Ok(Seen::Client);
        }
        if !origin.buffered().is_empty() {
            return Ok(Seen::Origin);
        }
        Ok(match sending {
            true => watch::either(to, from, limit)?,
            false => watch::origin_or_farewell(to, from, limit)?,
        })
    }

    /// A piece of the body, from the client to the origin. False: the origin
    /// takes no more, and may have said why.
    fn pass(
        &mut self,
        origin: &Reader,
        body: &mut Body,
        sent: &mut u64,
    ) -> Outcome<bool> {
        let chunked = self.request.framing == Framing::Chunked;
        let origin = origin.socket();
        let done = match body.next(self.client) {
            Ok(Some(piece)) => {
                *sent += piece.len() as u64;
                if *sent > self.proxy.max_body {
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
                origin.send_all(&headers::trailers(body.trailers()))
            }
            Ok(None) => Ok(()),
            Err(fault) => {
                return Err(match Problem::of_client(&fault) {
                    Some(problem) => problem.into(),
                    None => Failure::Cut("the client left in mid-body".into()),
                });
            }
        };
        Ok(done.is_ok())
    }

    /// The head of an answer; `None` if it was an interim one.
    fn read(
        &mut self,
        origin: &mut Reader,
        destination: &Destination,
        interim: &mut usize,
    ) -> Result<Option<Response>, Trouble> {
        let found = origin.read_response(self.proxy.patience);
        let response = match found {
            Ok(Some(response)) => response,
            Ok(None) if *interim == 0 => return Err(Trouble::Dead),
            Ok(None) => return Err(of_origin(destination, &Fault::Cut).into()),
            // A reset before the first byte.
            Err(Fault::Cut)
                if *interim == 0 && origin.buffered().is_empty() =>
            {
                return Err(Trouble::Dead);
            }
            Err(fault) => return Err(of_origin(destination, &fault).into()),
        };
        if response.status >= 200 {
            return Ok(Some(response));
        }
        *interim += 1;
        if response.status == 101 || *interim > MOST_INTERIM {
            let why = "It sent interim answers that nobody asked for.";
            return Err(of_origin(destination, &Fault::bad(why)).into());
        }
        // 100, 103: the client's business, if it knows of such things.
        if self.request.version == Version::Http11 {
            let fields = headers::response(&response, &self.proxy.via);
            let head = Head::response_with(response.status, &response.reason)
                .fields(&fields)
                .end();
            self.client.socket().send_all(&head).map_err(Failure::from)?;
        }
        Ok(None)
    }
}
