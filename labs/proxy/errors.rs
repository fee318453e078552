//! What the proxy says when it has no answer of an origin to pass on. The
//! code says whose fault it is:
//!
//! ```text
//! 400 411 413 431 501   the client's request
//! 403                   a rule of this proxy: a loop, a place, a port
//! 502                   the origin: not found, refused, reset, garbage
//! 504                   the origin: silent for too long
//! ```
//! Never 404: that is for an origin to say. (viva 8)

use socketlab::http::{Fault, Head, date, reason};

/// Why there is nothing to pass on: a status and a sentence or two.
#[derive(Debug)]
pub struct Problem {
    pub status: u16,
    pub why: String,
}

impl Problem {
    pub fn new(status: u16, why: impl Into<String>) -> Problem {
        Problem { status, why: why.into() }
    }

    /// The client's mistake.
    pub fn bad(why: &str) -> Problem {
        Problem::new(400, why)
    }

    /// A request that could not be read; `None` if nobody is left to tell.
    pub fn of_client(fault: &Fault) -> Option<Problem> {
        match fault {
            Fault::Bad { status, why } => Some(Problem::new(*status, *why)),
            Fault::Idle | Fault::Slow => Some(Problem::new(
                408,
                "The request was not whole in time. A person with nc has to \
                 type a little faster, or paste.",
            )),
            Fault::Cut | Fault::Lost(_) => None,
        }
    }

    /// A response that could not be read.
    pub fn of_origin(origin: &str, fault: &Fault) -> Problem {
        match fault {
            Fault::Bad { why, .. } => Problem::new(
                502,
                format!(
                    "The answer of {origin} is not HTTP as it should be. {why}"
                ),
            ),
            Fault::Idle => Problem::new(
                504,
                format!(
                    "{origin} took the connection and the request, but did \
                     not answer in time."
                ),
            ),
            Fault::Slow => Problem::new(
                504,
                format!("{origin} began to answer, but too slowly."),
            ),
            Fault::Cut | Fault::Lost(_) => Problem::new(
                502,
                format!("{origin} closed the connection without an answer."),
            ),
        }
    }

    /// The answer as bytes, and how many of them are its body.
    pub fn answer(&self, head_only: bool, keep: bool) -> (Vec<u8>, usize) {
        let title = format!("{} {}", self.status, reason(self.status));
        let advice = match self.status {
            502 => {
                "Is the name right? Does the origin run? Try it without \
                    the proxy: curl -v --noproxy '*' URL"
            }
            504 => {
                "Try again later, or start proxy-server with a larger \
                    --patience."
            }
            403 => "This proxy's rules are in labs/proxy/README.md.",
            _ => "",
        };
        let page = format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n\
             <title>{title}</title>\n<h1>{title}</h1>\n<p>{}</p>\n\
             <p>{advice}</p>\n<hr><p>This page is the proxy's: the origin \
             did not send it.</p>\n</html>\n",
            escape_html(&self.why)
        );
        let mut head = Head::response(self.status)
            .field("Date", date::now())
            .field("Content-Type", "text/html; charset=utf-8")
            .field("Content-Length", page.len())
            .field("Cache-Control", "no-store");
        if !keep {
            head = head.field("Connection", "close");
        }
        let mut bytes = head.end();
        if head_only {
            return (bytes, 0);
        }
        bytes.extend_from_slice(page.as_bytes());
        (bytes, page.len())
    }
}

/// Text of others inside a page of ours: no `<script>` of theirs may run.
pub fn escape_html(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            character => safe.push(character),
        }
    }
    safe
}
