//! Chooses the module that answers a request.
//!
//! ```text
//!   users.rs: may this user?      no: 407
//!   target.rs: where to?          malformed: 400, https://: 501
//!   hops.rs: a loop?              yes: 403; last hop: TRACE, OPTIONS
//!     own page -> hub/report.rs   http:// -> forward.rs   CONNECT -> tunnel.rs
//! ```

use http::{Head, Request, date};

use crate::errors::{ErrorPage, Failure};
use crate::forward::forward;
use crate::hops;
use crate::target::{Route, destination, route};
use crate::tunnel::tunnel;
use crate::turn::Turn;

/// Answers one request.
pub fn dispatch(turn: &mut Turn<'_>) -> Result<(), Failure> {
    let settings = turn.settings;
    if let Some(users) = &settings.users {
        users.check(turn.request)?;
    }
    let route = route(turn.request, settings.rules.own.port())?;
    if hops::has_passed(&turn.request.fields, &settings.via) {
        return Err(Failure::Page(ErrorPage::new(
            403,
            "Via shows that this request has passed this proxy before. It \
             would go in a loop and never end.",
        )));
    }
    if hops::max_forwards(turn.request) == Some(0) {
        return last_hop(turn);
    }
    match route {
        Route::Own(path) => own_page(turn, &path),
        Route::Options => last_hop(turn),
        // Path style: a redirect must lead back into the path, so relay.rs
        // needs the URL once more.
        Route::InPath(_) => {
            let destination = destination(&turn.request.target)?;
            turn.in_path = Some(destination.clone());
            turn.record.url = destination.url();
            forward(turn, &destination)
        }
        Route::Forward(destination) => {
            turn.record.url = destination.url();
            forward(turn, &destination)
        }
        Route::Tunnel(destination) => tunnel(turn, &destination),
    }
}

/// Answers <http://proxy.local/> with what the hub knows.
fn own_page(turn: &mut Turn<'_>, path: &str) -> Result<(), Failure> {
    // The page lists the URLs of all users, so strangers must not read it.
    if !turn.record.client.ip().to_canonical().is_loopback() {
        let why = "The proxy's own page is for its own machine only.";
        return Err(ErrorPage::new(403, why).into());
    }
    let Some(report) = turn.hub.report() else {
        return Err(ErrorPage::new(503, "The proxy is stopping.").into());
    };
    let (status, head, page) = report.response(turn.request, path);
    turn.respond(status, head, page.as_bytes())
}

/// Answers `OPTIONS *`, or a request that must not go further because its
/// Max-Forwards is 0. OPTIONS asks for the methods of this proxy. TRACE asks
/// for the request as it arrived, so that the client sees what proxies changed.
fn last_hop(turn: &mut Turn<'_>) -> Result<(), Failure> {
    let head = Head::response(200).field("Date", date::now());
    if turn.request.method == "TRACE" {
        let head = head.field("Content-Type", "message/http");
        return turn.respond(200, head, &reflected(turn.request));
    }
    let methods = "GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE, CONNECT";
    turn.respond(200, head.field("Allow", methods), b"")
}

/// The request as TRACE sends it back, without its secrets. Otherwise a script
/// that makes a browser send TRACE could read the browser's cookies.
fn reflected(request: &Request) -> Vec<u8> {
    let mut fields = request.fields.clone();
    for name in ["Authorization", "Cookie", "Proxy-Authorization"] {
        fields.remove(name);
    }
    Head::request(&request.method, &request.target).fields(&fields).end()
}
