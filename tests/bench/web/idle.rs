//! Ten thousand connections that have sent one request and are idle now, as
//! browsers leave them: the memory for each, and the time of a new request
//! beside them.

use std::io;
use std::time::Instant;

use crate::http::{self, Way};
use crate::kit::server::Server;
use crate::kit::table::median;

const IDLE: usize = 10_000;
const REQUESTS: usize = 200;

/// Measures one server and prints a line about it.
pub fn measure(server: &Server) {
    match crowd(server) {
        Ok((kib, wait)) => println!(
            "{:8} {kib:>7.1} KiB a connection (Pss), and a new request takes \
             {:.0} us",
            server.name,
            wait * 1e6
        ),
        Err(error) => println!("{:8} failed: {error}", server.name),
    }
}

/// KiB a connection, and the seconds that a new request takes.
fn crowd(server: &Server) -> io::Result<(f64, f64)> {
    let way = Way::direct(server.address);
    let before = server.memory();
    let mut crowd = Vec::new();
    for _ in 0..IDLE {
        let mut stream = way.connect()?;
        http::ask(&mut stream, way)?;
        crowd.push(stream);
    }
    let after = server.memory();
    let mut waits = Vec::new();
    for _ in 0..REQUESTS {
        let start = Instant::now();
        http::ping(way)?;
        waits.push(start.elapsed().as_secs_f64());
    }
    let kib = after.saturating_sub(before) as f64 / IDLE as f64;
    Ok((kib, median(waits)))
}
