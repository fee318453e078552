//! CPU time, in ticks of 10 ms: the one count that does not forget threads
//! and children that have ended.

use std::thread;
use std::time::Duration;

use crate::servers::{self, Server};

/// Unit of the times in /proc/PID/stat: 100 a second on Linux.
const TICK: Duration = Duration::from_millis(10);

/// CPU time so far of the server, its children and those it has reaped.
pub fn of_server(server: &Server) -> Duration {
    servers::family(server.pid())
        .iter()
        .map(|pid| of_process(&pid.to_string()))
        .sum()
}

/// The same, once the last connections' threads and forks have ended.
pub fn of_server_at_rest(server: &Server) -> Duration {
    let mut now = of_server(server);
    for _ in 0..20 {
        thread::sleep(Duration::from_millis(30));
        let earlier = std::mem::replace(&mut now, of_server(server));
        if now == earlier {
            break;
        }
    }
    now
}

/// CPU time of one process and of its children that have ended.
pub fn of_process(pid: &str) -> Duration {
    let ticks = match servers::stat(pid) {
        Some(fields) => fields[11..15].iter().sum(),
        None => 0, // it has ended since
    };
    TICK * u32::try_from(ticks).expect("a bench uses less than a CPU year")
}
