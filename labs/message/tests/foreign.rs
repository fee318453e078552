//! Servers of another kind than ours, played by the test.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use harness::Server;

/// A server of another kind: serves each client so, in a thread.
pub fn foreign(
    serve: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static,
) -> Server {
    let theirs = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = theirs.local_addr().expect("an address");
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for client in theirs.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(client)); // until it has had enough
        }
    });
    Server::at(address)
}

/// Sends this without end, as fast as it is read.
pub fn for_ever(mut client: TcpStream, line: &[u8]) -> std::io::Result<()> {
    loop {
        client.write_all(line)?;
    }
}

/// Sends this five times a second, without end.
pub fn now_and_then(mut client: TcpStream, line: &[u8]) -> std::io::Result<()> {
    let (_kept, nothing) = channel::<()>();
    loop {
        client.write_all(line)?;
        let _ = nothing.recv_timeout(Duration::from_millis(200));
    }
}
