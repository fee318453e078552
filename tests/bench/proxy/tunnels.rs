//! Requests for the same files through a tunnel (CONNECT). The proxy copies the
//! bytes of a tunnel without parsing them.

use std::io::{self, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::http::{self, LARGE, SMALL, Way};
use crate::kit::load::{Outcome, repeat};

/// A tunnel for each small file.
pub fn visits(way: Way, time: Duration) -> io::Result<Outcome> {
    let inside = Way::direct(way.origin);
    let request = inside.request(SMALL, "Connection: close\r\n");
    repeat(time, |all| http::last_answer(tunnel(way)?, &request, all))
}

pub fn download(way: Way, time: Duration) -> io::Result<Outcome> {
    let inside = Way::direct(way.origin);
    http::downloads(tunnel(way)?, &inside.request(LARGE, ""), time)
}

fn tunnel(way: Way) -> io::Result<TcpStream> {
    let mut stream = way.connect()?;
    let origin = way.origin;
    let request =
        format!("CONNECT {origin} HTTP/1.1\r\nHost: {origin}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    http::head(&mut stream)?;
    Ok(stream)
}
