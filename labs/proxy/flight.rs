//! A fetch that others may wait for. Two clients that want the same object
//! at once make one request: the first one flies, the others wait for it.
//!
//! ```text
//!   client 1 --begin--> flight --> origin ... --land--> cache --> client 1
//!   client 2 --begin--> waits ................. HIT ------------> client 2
//! ```
//!
//! A flight that is slow is overtaken: one of those who waited flies, and who
//! comes later waits for that one. Flights have numbers, so that the end of
//! the slow one is not taken for the end of the other; nor does one count that
//! left before its object was changed (PUT, POST …).

use std::sync::Arc;

use crate::cache::Stored;
use crate::hub::Hub;

/// What a flight brought.
pub enum Landing {
    /// The object, whole.
    Object(Arc<Stored>),
    /// One of a kind that is not kept: nobody need wait for it.
    Hopeless,
    /// Nothing that says anything about the next flight.
    Nothing,
}

/// The duty to say what became of a fetch that others wait for. Dropping it
/// says "nothing": an error or a panic leaves nobody waiting.
pub struct Flight {
    hub: Hub,
    url: Option<Arc<str>>,
    number: u64,
}

impl Flight {
    pub fn new(hub: &Hub, url: Arc<str>, number: u64) -> Flight {
        Flight { hub: hub.clone(), url: Some(url), number }
    }

    /// Here is the object, whole.
    pub fn land(self, stored: Arc<Stored>) {
        self.end(Landing::Object(stored));
    }

    /// It is of a kind that is not kept.
    pub fn hopeless(self) {
        self.end(Landing::Hopeless);
    }

    fn end(mut self, landing: Landing) {
        if let Some(url) = self.url.take() {
            self.hub.landed(url, self.number, landing);
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(url) = self.url.take() {
            self.hub.landed(url, self.number, Landing::Nothing);
        }
    }
}
