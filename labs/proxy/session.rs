//! One client's connection: one request after the other. Two requests on the
//! same connection may go to different hosts, because the connection leads to
//! the proxy, and the URL of each request names its origin.
//!
//! ```text
//!   Reader::read_request -> serve -> dispatch.rs -> response -+
//!        ^                                                    |
//!        `---- Next::Request (keep-alive) <-------------------+
//!   Next::Close: FIN        Next::Reset: RST, the body is incomplete
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::{Fault, Reader, Request, Version};
use socket2::SockRef;
use socketlab::Result;
use socketlab::clients;
use socketlab::net::TcpSocket;

use crate::dispatch::dispatch;
use crate::errors::{Failure, is_head};
use crate::hub::handle::Hub;
use crate::hub::message::Message;
use crate::record::{Record, Source};
use crate::turn::{Settings, Turn};

/// Serves one client.
pub fn converse(
    client: TcpSocket,
    peer: SocketAddr,
    hub: &Hub,
    settings: &Settings,
) -> Result<()> {
    let mut reader = Reader::new(client.clone());
    let mut next = Next::Request;
    while next == Next::Request {
        // ---- 5 recv() ----------------------------------------------------
        // One recv() may return a part of the head, or two requests. The
        // reader collects one complete head. It refuses a head that two
        // programs could understand differently. [W-T3a]
        let asked = reader.read_request(settings.idle);
        let to_head = is_head(&asked, &reader);
        match asked {
            Ok(Some(request)) => {
                next = serve(hub, settings, peer, &mut reader, &request);
            }
            // The client has closed, or sent nothing for --idle seconds.
            Ok(None) | Err(Fault::Idle) => break,
            Err(fault) => {
                refuse_unread(hub, peer, &client, fault, to_head);
                next = Next::Close;
            }
        }
    }

    // ---- 8 close() -------------------------------------------------------
    // If input is still unread, close() sends RST instead of FIN, and the
    // client may lose the response. So finish() sends FIN first, reads what
    // still arrives, and then closes.
    drop(reader);
    if next == Next::Reset {
        // For an HTTP/1.0 client FIN marks the end of the body, so half a
        // body would look complete. SO_LINGER with 0 s sends RST.
        let _ = SockRef::from(&client).set_linger(Some(Duration::ZERO));
        client.close();
    } else {
        client.finish();
    }
    Ok(())
}

/// What the proxy does with the connection after a response.
#[derive(PartialEq)]
enum Next {
    Request,
    Close,
    Reset,
}

/// Answers one request, and reports it to the hub.
fn serve(
    hub: &Hub,
    settings: &Settings,
    peer: SocketAddr,
    client: &mut Reader,
    request: &Request,
) -> Next {
    let began = Instant::now();
    // At Ctrl-C the server waits for the end of a request. It does not wait
    // for a tunnel, because a tunnel may never end.
    let _in_request = (request.method != "CONNECT").then(clients::request);
    let mut turn = Turn {
        hub,
        settings,
        client,
        request,
        record: Record::new(peer, &request.method, &request.target),
        keep: request.keeps_alive(),
        in_path: None,
        idle: None,
    };
    let mut cut = false;
    match dispatch(&mut turn) {
        Ok(()) => {}
        Err(Failure::Page(page)) => turn.refuse(&page),
        Err(Failure::Cut(why)) => {
            turn.record.note = why;
            turn.keep = false;
            // In HTTP/1.1 the missing last chunk, or the missing bytes of
            // Content-Length, show the client that the body is incomplete.
            cut = request.version == Version::Http10;
        }
    }
    let Turn { mut record, keep, idle, .. } = turn;
    // The connection to the origin goes back to the pool with this message.
    record.milliseconds = began.elapsed().as_millis();
    hub.tell(Message::Done(record, idle));
    match keep {
        true => Next::Request,
        false if cut => Next::Reset,
        false => Next::Close,
    }
}

/// The head could not be read: tells the client why, and the log.
fn refuse_unread(
    hub: &Hub,
    peer: SocketAddr,
    client: &TcpSocket,
    fault: Fault,
    to_head: bool,
) {
    let mut record = Record::new(peer, "?", "?");
    (record.source, record.note) = (Source::Refused, fault.to_string());
    let failure = Failure::from(fault);
    if let Failure::Page(page) = &failure {
        record.status = page.status;
    }
    failure.tell(client, to_head);
    hub.tell(Message::Done(record, None));
}
