//! One client's connection: requests in turn, each to its own origin. Two
//! that follow each other may go to different hosts: a connection belongs to
//! a hop, a request to an origin.

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
        // The reader collects a complete head, in however many segments it
        // comes, and refuses whatever could be read in two ways. [W-T3a]
        let asked = reader.read_request(settings.idle);
        let to_head = is_head(&asked, &reader);
        match asked {
            Ok(Some(request)) => {
                next = serve(hub, settings, peer, &mut reader, &request);
            }
            Ok(None) | Err(Fault::Idle) => break,
            Err(fault) => {
                refuse_unread(hub, peer, &client, fault, to_head);
                next = Next::Close;
            }
        }
    }

    // ---- 8 close() -------------------------------------------------------
    // FIN first, then the rest is read: a close with unread input would send
    // RST, and that could overtake the response.
    drop(reader);
    if next == Next::Reset {
        // FIN would be the end of the body, and half of it would look
        // complete.
        let _ = SockRef::from(&client).set_linger(Some(Duration::ZERO));
        client.close();
    } else {
        client.finish();
    }
    Ok(())
}

/// What becomes of the connection after a request.
#[derive(PartialEq)]
enum Next {
    Request,
    Close,
    Reset,
}

/// One request.
fn serve(
    hub: &Hub,
    settings: &Settings,
    peer: SocketAddr,
    client: &mut Reader,
    request: &Request,
) -> Next {
    let began = Instant::now();
    // The stop lets it finish; a tunnel may have no end.
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
            // Chunks and lengths show by themselves that an end is missing.
            cut = request.version == Version::Http10;
        }
    }
    let Turn { mut record, keep, idle, .. } = turn;
    record.milliseconds = began.elapsed().as_millis();
    hub.tell(Message::Done(record, idle));
    match keep {
        true => Next::Request,
        false if cut => Next::Reset,
        false => Next::Close,
    }
}

/// A request of which not even the head could be read.
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
