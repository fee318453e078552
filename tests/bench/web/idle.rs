//! Ten thousand connections that have asked once and now wait, as browsers
//! leave them behind: what each costs, and what a new request pays beside
//! them.

use std::io;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};

use super::load;
use crate::servers::Server;
use crate::stats::median;

const IDLE: usize = 10_000;
const REQUESTS: usize = 200;

/// Measures one server and prints a line about it.
pub fn measure(server: &Server) {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
    match crowd(server) {
        Ok((kib, wait)) => println!(
            "{:8} {kib:>7.1} KiB a connection (Pss), and a new request takes \
             {:.0} us",
            server.name,
            wait.as_secs_f64() * 1e6
        ),
        Err(error) => println!("{:8} failed: {error}", server.name),
    }
}

fn crowd(server: &Server) -> io::Result<(f64, Duration)> {
    let before = server.memory();
    let mut crowd = Vec::new();
    for _ in 0..IDLE {
        let mut stream = load::connect(server.address)?;
        load::ask(&mut stream)?;
        crowd.push(stream);
    }
    let after = server.memory();
    let mut waits = Vec::new();
    for _ in 0..REQUESTS {
        let start = Instant::now();
        load::ping(server.address)?;
        waits.push(start.elapsed().as_secs_f64());
    }
    let kib = after.saturating_sub(before) as f64 / IDLE as f64;
    let wait = median(waits.into_iter());
    Ok((kib, Duration::from_secs_f64(wait)))
}
