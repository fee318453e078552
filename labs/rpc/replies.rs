//! At most once: the calls that were done, and their responses. A client that
//! gets no response cannot know whether its request or the response was lost,
//! so it sends again. Without this memory the server does the work again. With
//! it, the server sends the old result.      [T-X2] (viva 7) (viva 8) (try 1)
//!
//! ```text
//! id "ada/7" -> not known         -> run it, remember the result
//!            -> known, done       -> the remembered result
//!            -> known, running    -> wait for it, then the same
//!            -> known, other call -> refuse: the id is used up
//!            -> older than memory -> refuse: nobody can tell any more
//! ```
//!
//! The identity of a client is in the id, not in the connection: a client
//! that reconnects is the same client, and a connection is what was lost.
//! "ada" names the client for its lifetime, 7 counts its calls. Other ids
//! (1, "x", null) name no client, so the server runs their calls each time.
//!
//! One lock. It is not held while a procedure runs.
//!
//! Limit: this memory is as old as the process. That is enough here, because
//! counter and table are lost with it; a server that keeps its data on a disk
//! must store the responses with them, in one transaction. (viva 10)

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::wire::{
    CANNOT_TELL, CallId, INVALID_REQUEST, ProcedureResult, RpcError,
};

/// Most clients that are remembered.
const CLIENTS: usize = 1024;

/// Results that are kept for each: one would do for a client that waits for
/// each response, but a batch has several under way.
const WINDOW: usize = 64;

/// A client that has been silent for this long may be forgotten if its place is
/// needed, because no client retries after this time. Before that, the server
/// refuses a new client, because a forgotten call might be run twice.
const KEPT: Duration = Duration::from_secs(600);

/// How long a second request waits for the first, which still runs.
const PATIENCE: Duration = Duration::from_secs(30);

/// The memory of one server.
#[derive(Default)]
pub struct Replies {
    clients: Mutex<HashMap<String, ClientMemory>>,
    done: Condvar,
}

/// What is remembered of one client.
struct ClientMemory {
    calls: BTreeMap<u64, RememberedCall>,
    forgotten: u64, // calls up to this one are no longer remembered
    heard: Instant,
}

struct RememberedCall {
    text: u64,                       // hash of method and params
    result: Option<ProcedureResult>, // None while it runs
}

fn cannot_tell(why: &str) -> RpcError {
    RpcError::new(CANNOT_TELL, format!("it was not done now: {why}"))
}

impl Replies {
    /// Runs a call. If it was run before, returns the old result and `true`.
    /// `text` is a hash of method and arguments, so that another call with
    /// the same id does not get the old result.
    pub fn run_at_most_once(
        &self,
        who: CallId,
        text: u64,
        run: impl FnOnce() -> ProcedureResult,
    ) -> (ProcedureResult, bool) {
        if let Some(known) = self.find_or_enter(&who, text) {
            return (known, true);
        }
        let result = run();
        if let Some(client) = self.clients.lock().get_mut(&who.client)
            && let Some(call) = client.calls.get_mut(&who.number)
        {
            call.result = Some(result.clone());
        }
        self.done.notify_all();
        (result, false)
    }

    /// Returns the stored result, or the reason to refuse. A new call is
    /// entered, and `None` is returned. Both happen under one lock, because
    /// two copies of a request may arrive at once on two connections.
    fn find_or_enter(
        &self,
        who: &CallId,
        text: u64,
    ) -> Option<ProcedureResult> {
        let deadline = Instant::now() + PATIENCE;
        let mut clients = self.clients.lock();
        loop {
            let Some(client) = clients.get_mut(&who.client) else {
                let refusal = make_room(&mut clients);
                if refusal.is_none() {
                    let mut client = ClientMemory::new();
                    client.enter(who.number, text);
                    clients.insert(who.client.clone(), client);
                }
                return refusal;
            };
            client.heard = Instant::now();
            match client.calls.get(&who.number) {
                Some(call) if call.text != text => {
                    let why = "this id was used for another call";
                    return Some(Err(RpcError::new(INVALID_REQUEST, why)));
                }
                Some(RememberedCall { result: Some(known), .. }) => {
                    return Some(known.clone());
                }
                Some(_) => {} // it runs
                None if who.number <= client.forgotten => {
                    let why = "this id is older than what is remembered";
                    return Some(Err(cannot_tell(why)));
                }
                None => {
                    client.enter(who.number, text);
                    return None;
                }
            }
            let wait = self.done.wait_until(&mut clients, deadline);
            if wait.timed_out() {
                return Some(Err(cannot_tell("the first request still runs")));
            }
        }
    }
}

/// Forgets clients that have been silent for long, if the table is full. If
/// that does not help, returns the error for a new client.
fn make_room(
    clients: &mut HashMap<String, ClientMemory>,
) -> Option<ProcedureResult> {
    if clients.len() >= CLIENTS {
        clients.retain(|_, client| client.heard.elapsed() < KEPT);
    }
    let full = clients.len() >= CLIENTS;
    full.then(|| Err(cannot_tell("no memory for one more client")))
}

impl ClientMemory {
    fn new() -> ClientMemory {
        let (calls, heard) = (BTreeMap::new(), Instant::now());
        ClientMemory { calls, forgotten: 0, heard }
    }

    /// Notes that a call runs, and forgets the oldest beyond the window.
    fn enter(&mut self, number: u64, text: u64) {
        self.calls.insert(number, RememberedCall { text, result: None });
        while self.calls.len() > WINDOW {
            let Some(oldest) = self.calls.first_entry() else { break };
            if oldest.get().result.is_none() {
                break; // it still runs; there are at most as many as threads
            }
            self.forgotten = *oldest.key();
            oldest.remove();
        }
    }
}
