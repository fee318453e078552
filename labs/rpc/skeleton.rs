//! The skeleton: the server's half of a remote call. It unmarshals a
//! line, finds the procedure, calls it like a local one, and marshals the
//! result. The client's half is stub.rs.                   [T-X2] [T-Q7]
//!
//! ```text
//! line -> open -> request -> find -> bind -> run -> response -> line
//!          |        |         |       |       |
//!     -32700   -32600    -32601  -32602    -32603, or the procedure's
//! ```
//!
//! A notification is run in the same way, but gets no response, not even an
//! error. So is each member of a batch; the responses are one list.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};
use std::thread;
use std::time::Duration;

use serde_json::value::RawValue;
use socketlab::{console, say};

use crate::arguments::Arguments;
use crate::procedures::{Effect, Procedure, SharedState};
use crate::replies::Replies;
use crate::wire::{
    self, INTERNAL_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, NO_ID,
    ProcedureResult, Request, Requests, RpcError, TOO_MUCH,
};

/// Most requests in a batch.
const LONGEST_BATCH: usize = 1000;

/// When the responses to a batch have this many bytes, the server does not run
/// the rest. Otherwise a small batch could make it store a very long response.
const LONGEST_RESPONSES: usize = 256 * 1024;

/// Requests of a batch that the log shows.
const LOGGED: usize = 10;

/// Bytes of a call or result that the log shows.
const SHOWN: usize = 80;

/// The procedures' shared state, and the memory of the calls already done.
pub struct Skeleton {
    state: SharedState,
    replies: Option<Replies>, // None: at least once
    hasher: RandomState,      // of what was asked under an id
    delay: Duration,          // that each procedure takes
}

impl Skeleton {
    /// A skeleton whose counter is 0 and whose table is empty. Each procedure
    /// takes `delay` longer.
    pub fn new(at_most_once: bool, delay: Duration) -> Skeleton {
        let replies = at_most_once.then(Replies::default);
        let (state, hasher) = (SharedState::default(), RandomState::new());
        Skeleton { state, replies, hasher, delay }
    }

    /// The response to a line, or `None` for a notification.
    pub fn respond(&self, line: &[u8], peer: SocketAddr) -> Option<String> {
        match wire::open(line) {
            Ok(Requests::One(request)) => {
                self.respond_to_one(request, Some(peer))
            }
            Ok(Requests::Batch(requests)) => {
                self.respond_to_batch(&requests, peer)
            }
            Err(error) => Some(refuse(error, NO_ID, Some(peer))),
        }
    }

    /// Runs the requests one after the other. The standard allows any order,
    /// so a client must not rely on the order in a batch.       (viva 12)
    fn respond_to_batch(
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
            let error = RpcError::new(INVALID_REQUEST, problem);
            return Some(refuse(error, NO_ID, Some(peer)));
        }
        let (mut responses, mut size) = (Vec::new(), 0);
        for (index, request) in requests.iter().enumerate() {
            let peer = (index < LOGGED).then_some(peer);
            // The call is not run if its response would have no room. A
            // notification has no response, so it is dropped silently.
            let response = match size > LONGEST_RESPONSES {
                true => skip(request),
                false => self.respond_to_one(request, peer),
            };
            size += response.as_ref().map_or(0, String::len);
            responses.extend(response);
        }
        if let more @ 1.. = requests.len().saturating_sub(LOGGED) {
            say!("[{peer}] and {more} more of this batch");
        }
        // Nothing but notifications: not even an empty list.
        (!responses.is_empty()).then(|| format!("[{}]", responses.join(",")))
    }

    /// Responds to a request; `peer` if the log should show it.
    fn respond_to_one(
        &self,
        text: &RawValue,
        peer: Option<SocketAddr>,
    ) -> Option<String> {
        let request = match Request::read(text) {
            Ok(request) => request,
            Err((error, id)) => return Some(refuse(error, id, peer)),
        };
        let (result, repeated) = self.call(&request);
        if let Some(peer) = peer {
            log(&request, &result, repeated, peer);
        }
        request.id.map(|id| wire::response(&result, id.get()))
    }

    /// Finds the procedure and runs it; `true` if the result is an old one.
    fn call(&self, request: &Request<'_>) -> (ProcedureResult, bool) {
        let Some(procedure) = Procedure::find(&request.method) else {
            let why = "rpc.methods lists what there is";
            return (Err(RpcError::new(METHOD_NOT_FOUND, why)), false);
        };
        let given = Arguments::bind(
            request.params,
            procedure.parameters,
            procedure.required,
        );
        let given = match given {
            Ok(given) => given,
            Err(error) => return (Err(error), false),
        };
        let run = || {
            thread::sleep(self.delay);
            contain(|| (procedure.run)(&self.state, &given))
        };
        let changes = procedure.effect == Effect::Changes;
        match (&self.replies, request.call_id()) {
            (Some(replies), Some(id)) if changes => {
                // No arguments is the same call as an empty list of them.
                let params = request.params.map(RawValue::get);
                let params = params.filter(|text| !is_empty(text));
                let text = self.hasher.hash_one((&request.method, params));
                replies.run_at_most_once(id, text, run)
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

/// A procedure that panics has a bug. The caller gets the standard's error for
/// that, and the connection stays open.
fn contain(run: impl FnOnce() -> ProcedureResult) -> ProcedureResult {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(RpcError::new(INTERNAL_ERROR, "the procedure broke down"))
    })
}

/// Writes the call and its result to the log.
fn log(
    request: &Request<'_>,
    result: &ProcedureResult,
    repeated: bool,
    peer: SocketAddr,
) {
    let params = request.params.map_or("", RawValue::get);
    let call = format!("{} {params}", request.method);
    let call = console::escape_short(call.trim_end().as_bytes(), SHOWN);
    let result = match result {
        Ok(result) => result.to_string(),
        Err(error) => format!("error {error}"),
    };
    let result = console::escape_short(result.as_bytes(), SHOWN);
    let remark = match (repeated, request.id) {
        (true, _) => " (not run again)",
        (false, None) => " (a notification: no response)",
        (false, Some(_)) => "",
    };
    say!("[{peer}] {call} -> {result}{remark}");
}

/// The response to what is not a request.
fn refuse(error: RpcError, id: &str, peer: Option<SocketAddr>) -> String {
    if let Some(peer) = peer {
        let shown = console::escape_short(error.to_string().as_bytes(), SHOWN);
        say!("[{peer}] refused: {shown}");
    }
    wire::response(&Err(error), id)
}

/// The response to the rest of a batch whose responses have grown too long.
fn skip(text: &RawValue) -> Option<String> {
    let id = match Request::read(text) {
        Ok(request) => request.id?.get(),
        Err((_, id)) => id,
    };
    let error = RpcError::new(TOO_MUCH, "not run: the responses are too long");
    Some(wire::response(&Err(error), id))
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
        let result = contain(|| panic!("a bug in a procedure"));
        let code = result.map(|_| ()).map_err(|error| error.code);
        assert_eq!(code, Err(INTERNAL_ERROR));
    }
}
