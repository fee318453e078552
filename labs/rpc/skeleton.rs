//! The skeleton: the server's half of a remote call. Takes a line off the
//! wire, finds the procedure, calls it as its own program would, and puts the
//! result on a line. The client's half is stub.rs.         [T-X2] [T-Q7]
//!
//! ```text
//! line -> open -> request -> find -> bind -> run -> answer -> line
//!          |        |         |       |       |
//!     -32700   -32600    -32601  -32602    -32603, or the procedure's
//! ```
//!
//! A notification takes the same way and nothing comes back, not even an
//! error. Of a batch, each member does; the answers are one list.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};
use std::thread;
use std::time::Duration;

use serde_json::value::RawValue;
use socketlab::{console, say};

use crate::arguments::Arguments;
use crate::fault::{
    INTERNAL_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, TOO_MUCH,
};
use crate::procedures::{Procedure, State};
use crate::replies::{Identity, Replies};
use crate::skeleton_wire::{self, Message, Request};
use crate::wire::{Fault, NO_ID, Outcome};

/// Most requests in a batch.
const LONGEST_BATCH: usize = 1000;

/// When the answers to a batch have grown to this, the rest is not run. The
/// line becomes longer by one answer at most and by a sentence for each of
/// the rest: less than a client reads.
const LONGEST_ANSWERS: usize = 256 * 1024;

/// Members of a batch that the log shows.
const LOGGED: usize = 10;

/// Bytes of a call or result that the log shows.
const SHOWN: usize = 80;

/// The procedures, what they work on, and what was done already.
pub struct Skeleton {
    state: State,
    replies: Option<Replies>, // None: at least once
    hasher: RandomState,      // of what was asked under an id
    delay: Duration,          // that each procedure takes
}

impl Skeleton {
    /// A skeleton whose counter is 0 and whose table is empty.
    pub fn new(at_most_once: bool, delay: Duration) -> Skeleton {
        let replies = at_most_once.then(Replies::default);
        let (state, hasher) = (State::default(), RandomState::new());
        Skeleton { state, replies, hasher, delay }
    }

    /// The answer to a line; `None` where the standard wants silence.
    pub fn answer(&self, line: &[u8], peer: SocketAddr) -> Option<String> {
        match skeleton_wire::open(line) {
            Ok(Message::One(request)) => self.answer_one(request, Some(peer)),
            Ok(Message::Batch(requests)) => self.answer_all(&requests, peer),
            Err(fault) => Some(refuse(fault, NO_ID, Some(peer))),
        }
    }

    /// One after the other. The standard allows any order, also at once: who
    /// needs an order must not put calls into one batch.        (viva 12)
    fn answer_all(
        &self,
        requests: &[&RawValue],
        peer: SocketAddr,
    ) -> Option<String> {
        let problem = match requests.len() {
            0 => Some("an empty batch".to_string()),
            1..=LONGEST_BATCH => None,
            count => Some(format!("{count} requests, {LONGEST_BATCH} at most")),
        };
        if let Some(problem) = problem {
            let fault = Fault::new(INVALID_REQUEST, problem);
            return Some(refuse(fault, NO_ID, Some(peer)));
        }
        let (mut answers, mut size) = (Vec::new(), 0);
        for (index, request) in requests.iter().enumerate() {
            let peer = (index < LOGGED).then_some(peer);
            // Not run at all, rather than run with nobody to hear of it; to a
            // notification nobody listens, so it is dropped without a word.
            let answer = match size > LONGEST_ANSWERS {
                true => skip(request),
                false => self.answer_one(request, peer),
            };
            size += answer.as_ref().map_or(0, String::len);
            answers.extend(answer);
        }
        if let more @ 1.. = requests.len().saturating_sub(LOGGED) {
            say!("[{peer}] and {more} more of this batch");
        }
        // Nothing but notifications: not even an empty list.
        (!answers.is_empty()).then(|| format!("[{}]", answers.join(",")))
    }

    /// Answers a request; `peer` if the log should tell.
    fn answer_one(
        &self,
        text: &RawValue,
        peer: Option<SocketAddr>,
    ) -> Option<String> {
        let request = match Request::read(text) {
            Ok(request) => request,
            Err((fault, id)) => return Some(refuse(fault, id, peer)),
        };
        let (outcome, repeated) = self.call(&request);
        if let Some(peer) = peer {
            tell(&request, &outcome, repeated, peer);
        }
        request.id.map(|id| skeleton_wire::answer(&outcome, id.get()))
    }

    /// Finds the procedure and runs it; `true` if the outcome is an old one.
    fn call(&self, request: &Request<'_>) -> (Outcome, bool) {
        let Some(procedure) = Procedure::find(&request.method) else {
            let why = "rpc.methods lists what there is";
            return (Err(Fault::new(METHOD_NOT_FOUND, why)), false);
        };
        let given = Arguments::bind(
            request.params,
            procedure.parameters,
            procedure.required,
        );
        let given = match given {
            Ok(given) => given,
            Err(fault) => return (Err(fault), false),
        };
        let run = || {
            thread::sleep(self.delay);
            contain(|| (procedure.run)(&self.state, &given))
        };
        let identity = request.id.and_then(Identity::of);
        match (&self.replies, identity) {
            (Some(replies), Some(identity)) if !procedure.safe => {
                // No arguments is the same call as an empty list of them.
                let params = request.params.map(RawValue::get);
                let params = params.filter(|text| !is_empty(text));
                let text = self.hasher.hash_one((&request.method, params));
                replies.once(identity, text, run)
            }
            _ => (run(), false),
        }
    }
}

/// `[]` or `{}`, with or without blanks between; not `[[]]`, which has an
/// argument.
fn is_empty(params: &str) -> bool {
    let inside = params.strip_prefix(['[', '{']);
    let inside = inside.and_then(|rest| rest.strip_suffix([']', '}']));
    inside.is_some_and(|inside| inside.trim().is_empty())
}

/// A procedure that panics has a bug. The caller is told so, with the code
/// that the standard has for it, and the connection goes on.
fn contain(run: impl FnOnce() -> Outcome) -> Outcome {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(Fault::new(INTERNAL_ERROR, "the procedure broke down"))
    })
}

/// A line of the log: what was called, and what came of it.
fn tell(
    request: &Request<'_>,
    outcome: &Outcome,
    repeated: bool,
    peer: SocketAddr,
) {
    let params = request.params.map_or("", RawValue::get);
    let call = format!("{} {params}", request.method);
    let call = console::escape_short(call.trim_end().as_bytes(), SHOWN);
    let result = match outcome {
        Ok(result) => result.to_string(),
        Err(fault) => format!("error {fault}"),
    };
    let result = console::escape_short(result.as_bytes(), SHOWN);
    let remark = match (repeated, request.id) {
        (true, _) => " (not run again)",
        (false, None) => " (a notification: no answer)",
        (false, Some(_)) => "",
    };
    say!("[{peer}] {call} -> {result}{remark}");
}

/// The answer to what is no request.
fn refuse(fault: Fault, id: &str, peer: Option<SocketAddr>) -> String {
    if let Some(peer) = peer {
        let shown = console::escape_short(fault.to_string().as_bytes(), SHOWN);
        say!("[{peer}] refused: {shown}");
    }
    skeleton_wire::answer(&Err(fault), id)
}

/// The answer to the rest of a batch whose answers have grown too long.
fn skip(text: &RawValue) -> Option<String> {
    let id = match Request::read(text) {
        Ok(request) => request.id?.get(),
        Err((_, id)) => id,
    };
    let fault = Fault::new(TOO_MUCH, "not run: the answers grow too long");
    Some(skeleton_wire::answer(&Err(fault), id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_arguments_are_no_list_of_an_empty_list() {
        for (params, empty) in [
            ("[]", true),
            ("{ }", true),
            ("[\n]", true),
            ("[[]]", false),
            ("[{}]", false),
            ("[0]", false),
        ] {
            assert_eq!(is_empty(params), empty, "{params}");
        }
    }

    #[test]
    fn a_procedure_that_panics_is_an_internal_error() {
        let outcome = contain(|| panic!("a bug in a procedure"));
        let code = outcome.map(|_| ()).map_err(|fault| fault.code);
        assert_eq!(code, Err(INTERNAL_ERROR));
    }
}
