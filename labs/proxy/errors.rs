//! The pages that the proxy sends if it has no response of an origin. The
//! status shows whose fault it is:
//!
//! ```text
//! 400 411 413 431 501   the client's request
//! 403                   a rule of this proxy: a loop, an address, a port
//! 502                   the origin: not found, refused, reset, garbage
//! 503                   this proxy itself: no descriptor left
//! 504                   the origin: silent for too long
//! ```
//! Never 404, because only the origin knows what it does not have. (viva 8)

use http::page::{escape, page};
use http::{Fault, Framing, Head, Reader, Request, date, reason};
use socketlab::Error;
use socketlab::clients;
use socketlab::net::TcpSocket;

/// Why there is no response: a status, and a sentence or two for the page.
#[derive(Debug)]
pub struct ErrorPage {
    /// The status of the response.
    pub status: u16,
    /// What went wrong, in plain words.
    pub why: String,
    /// A field that belongs to this status.
    field: Option<(&'static str, String)>,
}

impl ErrorPage {
    /// A problem with this status.
    pub fn new(status: u16, why: impl Into<String>) -> ErrorPage {
        ErrorPage { status, why: why.into(), field: None }
    }

    /// 407: the client must log in.
    pub fn login() -> ErrorPage {
        let challenge = "Basic realm=\"proxy\", charset=\"UTF-8\"";
        let field = Some(("Proxy-Authenticate", challenge.into()));
        let why = "This proxy wants a name and a password.";
        ErrorPage { field, ..ErrorPage::new(407, why) }
    }

    /// 308: the object has another address.
    pub fn moved(to: String) -> ErrorPage {
        let why = format!("It is at {to}.");
        let field = Some(("Location", to));
        ErrorPage { field, ..ErrorPage::new(308, why) }
    }

    /// 400: the client's mistake.
    pub fn bad(why: &str) -> ErrorPage {
        ErrorPage::new(400, why)
    }

    /// The page for a request that could not be read. `None`: the client has
    /// left, so nobody can read a page.
    pub fn of_client(fault: &Fault) -> Option<ErrorPage> {
        match fault {
            Fault::Bad { status, why } => Some(ErrorPage::new(*status, *why)),
            Fault::Idle | Fault::Slow => Some(ErrorPage::new(
                408,
                "The request was not complete in time. With nc, type \
                 faster, or paste the request.",
            )),
            Fault::Cut | Fault::Lost(_) => None,
        }
    }

    /// The head, without the fields of the hop, and the page. A cache must not
    /// keep it (no-store), because the failure may be over soon.
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
            403 => "This proxy's rules are in labs/proxy/NOTES.md.",
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
        let head = match &self.field {
            Some((name, value)) => head.field(name, value),
            None => head,
        };
        (head, page(&title, &content))
    }
}

/// Is this a HEAD request, even if the rest of it could not be read? A response
/// to HEAD has no body, whatever its status (RFC 9110, section 9.3.2).
pub fn is_head(
    asked: &Result<Option<Request>, Fault>,
    client: &Reader,
) -> bool {
    match asked {
        Ok(Some(request)) => request.method == "HEAD",
        _ => client.asks_head(),
    }
}

/// Why the client gets no complete response from the origin.
pub enum Failure {
    /// Nothing has been sent yet, so a page can tell the client why.
    Page(ErrorPage),
    /// A part has been sent, or the client has left. Only the log says why.
    Cut(String),
}

impl Failure {
    /// The response of `origin`, `host:port`, could not be read.
    pub fn of_origin(origin: &str, fault: &Fault) -> Failure {
        let (status, why) = match fault {
            Fault::Bad { why, .. } => {
                let what = "is not valid HTTP";
                (502, format!("The response of {origin} {what}: {why}"))
            }
            Fault::Idle => {
                let what = "accepted the connection, but did not respond";
                (504, format!("{origin} {what} in time."))
            }
            Fault::Slow => {
                (504, format!("{origin} began to respond, but too slowly."))
            }
            Fault::Cut | Fault::Lost(_) => {
                (502, format!("{origin} closed before its response began."))
            }
        };
        ErrorPage::new(status, why).into()
    }

    /// The client has left, or this server is stopping.
    pub fn left(what: &str) -> Failure {
        Failure::Cut(match clients::is_stopping() {
            true => clients::end_of_stream().into(),
            false => format!("the client left {what}").trim_end().into(),
        })
    }

    /// The origin's body broke off after its head had been passed on.
    pub fn broken(fault: Fault) -> Failure {
        Failure::Cut(format!("the origin broke off: {fault}"))
    }

    /// Sends the page, if there is one, as the last response on the connection.
    /// Returns the reason for the log. A response to HEAD has no body.
    pub fn tell(&self, client: &TcpSocket, to_head: bool) -> String {
        let page = match self {
            Failure::Cut(why) => return why.clone(),
            Failure::Page(page) => page,
        };
        let (head, text) = page.response();
        let head = head.framing(Framing::Length(text.len() as u64));
        let head = head.field("Connection", "close").end();
        let body = if to_head { "" } else { &text };
        let _ = client.send_parts(&[&head, body.as_bytes()]);
        format!("{}: {}", page.status, page.why)
    }
}

impl From<ErrorPage> for Failure {
    fn from(problem: ErrorPage) -> Failure {
        Failure::Page(problem)
    }
}

/// The client's request, or its body, could not be read.
impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        match ErrorPage::of_client(&fault) {
            Some(page) => Failure::Page(page),
            None => Failure::left("in the middle of a request"),
        }
    }
}

/// A send to the client failed, because the client has closed.
impl From<Error> for Failure {
    fn from(_: Error) -> Failure {
        Failure::left("")
    }
}
