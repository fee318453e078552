//! At most once: the calls that were done, and what was answered. A client
//! that hears nothing cannot know whether its request or the answer was lost,
//! so it sends again. Without this table the work is then done again; with it
//! the old answer goes out once more.        [T-X2] (viva 7) (viva 8) (try 1)
//!
//! ```text
//! id "ada/7" -> not known         -> run it, remember the answer
//!            -> known, answered   -> the remembered answer
//!            -> known, running    -> wait for it, then the same
//!            -> known, other call -> refuse: the id is used up
//!            -> older than memory -> refuse: nobody can tell any more
//! ```
//!
//! The identity of a client is in the id, not in the connection: a client
//! that reconnects is the same client, and a connection is what was lost.
//! "ada" names the client for its lifetime, 7 counts its calls. Other ids
//! (1, "x", null) name nobody, and their calls are run each time they come.
//!
//! One lock. It is not held while a procedure runs.
//!
//! Limit: this memory is as old as the process. That is enough here, because
//! counter and table are lost with it; a server that keeps its data on a disk
//! must write the answer beside them, in the same transaction. (viva 10)

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use serde_json::value::RawValue;

use crate::fault::{CANNOT_TELL, INVALID_REQUEST};
use crate::identity::identity;
use crate::wire::{Fault, Outcome};

/// Most clients that are remembered.
const CLIENTS: usize = 1024;

/// Answers that are kept for each: one would do for a client that waits for
/// each answer, a batch has several under way.
const WINDOW: usize = 64;

/// A client unheard of for so long may be forgotten, if its place is needed:
/// much longer than anybody goes on trying. Before that the NEWCOMER is
/// refused: forgetting a call that may come again would be a broken promise.
const KEPT: Duration = Duration::from_secs(600);

/// How long a second request waits for the first, which still runs.
const PATIENCE: Duration = Duration::from_secs(30);

/// The memory of one server.
#[derive(Default)]
pub struct Replies {
    clients: Mutex<HashMap<String, Client>>,
    answered: Condvar,
}

struct Client {
    calls: BTreeMap<u64, Call>,
    forgotten: u64, // calls up to this one are no longer remembered
    heard: Instant,
}

struct Call {
    text: u64,               // hash of method and params
    answer: Option<Outcome>, // None while it runs
}

/// Which client's call, and which of its calls.
pub struct Identity {
    client: String,
    number: u64,
}

impl Identity {
    /// The parts of an id such as `"ada/7"`.
    pub fn of(id: &RawValue) -> Option<Identity> {
        let id: String = serde_json::from_str(id.get()).ok()?;
        let (client, number) = identity(&id)?;
        Some(Identity { client: client.into(), number })
    }
}

fn cannot_tell(why: &str) -> Fault {
    Fault::new(CANNOT_TELL, format!("it was not done now: {why}"))
}

impl Replies {
    /// Runs a call, unless it was run before: then its answer, and `true`.
    /// `text` stands for what is asked: a used id is no answer to another
    /// question.
    pub fn once(
        &self,
        who: Identity,
        text: u64,
        run: impl FnOnce() -> Outcome,
    ) -> (Outcome, bool) {
        if let Some(known) = self.find_or_enter(&who, text) {
            return (known, true);
        }
        let outcome = run();
        if let Some(client) = self.clients.lock().get_mut(&who.client)
            && let Some(call) = client.calls.get_mut(&who.number)
        {
            call.answer = Some(outcome.clone());
        }
        self.answered.notify_all();
        (outcome, false)
    }

    /// The answer that is known, or the reason to refuse; `None` if the call
    /// is new, which is noted. To look and to note is one step under the
    /// lock: two copies of a request may arrive on two connections at once.
    fn find_or_enter(&self, who: &Identity, text: u64) -> Option<Outcome> {
        let deadline = Instant::now() + PATIENCE;
        let mut clients = self.clients.lock();
        loop {
            let Some(client) = clients.get_mut(&who.client) else {
                let refusal = make_room(&mut clients);
                if refusal.is_none() {
                    let mut client = Client::new();
                    client.enter(who.number, text);
                    clients.insert(who.client.clone(), client);
                }
                return refusal;
            };
            client.heard = Instant::now();
            match client.calls.get(&who.number) {
                Some(call) if call.text != text => {
                    let why = "this id was used for another call";
                    return Some(Err(Fault::new(INVALID_REQUEST, why)));
                }
                Some(Call { answer: Some(known), .. }) => {
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
            let wait = self.answered.wait_until(&mut clients, deadline);
            if wait.timed_out() {
                return Some(Err(cannot_tell("the first request still runs")));
            }
        }
    }
}

/// Forgets clients of long ago, if there is no place; if that does not help,
/// the answer that a newcomer gets.
fn make_room(clients: &mut HashMap<String, Client>) -> Option<Outcome> {
    if clients.len() >= CLIENTS {
        clients.retain(|_, client| client.heard.elapsed() < KEPT);
    }
    let full = clients.len() >= CLIENTS;
    full.then(|| Err(cannot_tell("no memory for one more client")))
}

impl Client {
    fn new() -> Client {
        let (calls, heard) = (BTreeMap::new(), Instant::now());
        Client { calls, forgotten: 0, heard }
    }

    /// Notes that a call runs, and forgets the oldest beyond the window.
    fn enter(&mut self, number: u64, text: u64) {
        self.calls.insert(number, Call { text, answer: None });
        while self.calls.len() > WINDOW {
            let Some(oldest) = self.calls.first_entry() else { break };
            if oldest.get().answer.is_none() {
                break; // it runs: there are no more of these than threads
            }
            self.forgotten = *oldest.key();
            oldest.remove();
        }
    }
}
