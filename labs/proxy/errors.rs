//! What the proxy says when it has no response of an origin to pass on. The
//! code says whose fault it is:
//!
//! ```text
//! 400 411 413 431 501   the client's request
//! 403                   a rule of this proxy: a loop, an address, a port
//! 502                   the origin: not found, refused, reset, garbage
//! 503                   this proxy itself: no descriptor left
//! 504                   the origin: silent for too long
//! ```
//! Never 404: that is for an origin to say. (viva 8)

use http::page::{escape, page};
use http::{Fault, Head, date, reason};

/// Why there is nothing to pass on: a status and a sentence or two, which
/// become a page.
#[derive(Debug)]
pub struct ErrorPage {
    /// The status of the response.
    pub status: u16,
    /// What went wrong, in plain words.
    pub why: String,
}

impl ErrorPage {
    /// A problem with this status.
    pub fn new(status: u16, why: impl Into<String>) -> ErrorPage {
        ErrorPage { status, why: why.into() }
    }

    /// The client's mistake.
    pub fn bad(why: &str) -> ErrorPage {
        ErrorPage::new(400, why)
    }

    /// A request that could not be read; `None` if the client has left.
    pub fn of_client(fault: &Fault) -> Option<ErrorPage> {
        match fault {
            Fault::Bad { status, why } => Some(ErrorPage::new(*status, *why)),
            Fault::Idle | Fault::Slow => Some(ErrorPage::new(
                408,
                "The request was not complete in time. A person with nc has \
                 to type a little faster, or paste.",
            )),
            Fault::Cut | Fault::Lost(_) => None,
        }
    }

    /// A response that could not be read.
    pub fn of_origin(origin: &str, fault: &Fault) -> ErrorPage {
        let (status, why) = match fault {
            Fault::Bad { why, .. } => {
                let what = "is not HTTP as it should be";
                (502, format!("The answer of {origin} {what}: {why}"))
            }
            Fault::Idle => {
                let what = "took the connection and the request, but did not";
                (504, format!("{origin} {what} answer in time."))
            }
            Fault::Slow => {
                (504, format!("{origin} began to answer, but too slowly."))
            }
            Fault::Cut | Fault::Lost(_) => {
                (502, format!("{origin} closed before its answer had begun."))
            }
        };
        ErrorPage { status, why }
    }

    /// The response: its head without what belongs to the hop, and the page.
    pub fn response(&self) -> (Head, String) {
        let advice = match self.status {
            502 => {
                "Does it work without the proxy? Try \
                    <code>curl -v --noproxy '*' URL</code>."
            }
            504 => {
                "Try again later, or start proxy-server with a larger \
                    <code>--patience</code>."
            }
            403 => "This proxy's rules are in labs/proxy/README.md.",
            _ => "",
        };
        let content = format!(
            "<p>{}</p>\n<p>{advice}</p>\n\
             <hr><p><small>From the proxy, not from the origin.</small></p>\n",
            escape(&self.why)
        );
        let title = format!("{} {}", self.status, reason(self.status));
        let head = Head::response(self.status)
            .field("Date", date::now())
            .field("Content-Type", "text/html; charset=utf-8")
            .field("Cache-Control", "no-store");
        (head, page(&title, &content))
    }
}
