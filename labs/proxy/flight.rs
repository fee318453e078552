//! A fetch that others may wait for. Two clients that want the same object
//! at once make one request: the first one flies, the others wait for it.
//!
//! ```text
//!   client 1 --begin--> flight --> origin ... --land--> cache --> client 1
//!   client 2 --begin--> waits ................. HIT ------------> client 2
//! ```

use std::sync::Arc;

use crate::cache::Stored;
use crate::hub::Hub;

/// The duty to say what became of a fetch that others wait for. Dropping it
/// says "nothing": an error or a panic leaves nobody waiting.
pub struct Flight {
    hub: Hub,
    url: Option<Arc<str>>,
}

impl Flight {
    pub fn new(hub: &Hub, url: Arc<str>) -> Flight {
        Flight { hub: hub.clone(), url: Some(url) }
    }

    /// Here is the object, whole.
    pub fn land(mut self, stored: Arc<Stored>) {
        if let Some(url) = self.url.take() {
            self.hub.landed(url, Some(stored));
        }
    }

    /// It is of a kind that is not kept.
    pub fn hopeless(mut self) {
        if let Some(url) = self.url.take() {
            self.hub.hopeless(url);
        }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(url) = self.url.take() {
            self.hub.landed(url, None);
        }
    }
}
