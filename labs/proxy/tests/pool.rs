//! Proves that the pool never returns a connection with unread bytes.

use std::net::SocketAddr;
use std::time::Duration;

use http::Reader;
use proxy::hub::pool::Pool;
use proxy::watch::{self, Ready};
use socketlab::net::TcpSocket;

/// Long enough for any machine.
const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn who_speaks_unasked_is_not_asked_again() -> socketlab::Result<()> {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = TcpSocket::new(any)?;
    listener.bind(any)?;
    listener.listen(1)?;
    let socket = TcpSocket::new(any)?;
    socket.connect(listener.local_addr()?)?;
    let (origin, _) = listener.accept()?;

    let mut pool = Pool::default();
    pool.put("origin".into(), Reader::new(socket.clone()));
    let connection = pool.take("origin");
    assert!(connection.is_some_and(|found| found.buffered().is_empty()));
    pool.put("origin".into(), Reader::new(socket.clone()));
    // Otherwise the next request would get these bytes as its response.
    origin.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
    let (socket, origin) = (Reader::new(socket), Reader::new(origin));
    let arrived = watch::either(&socket, &origin, DEADLINE)?;
    assert_eq!(arrived, Ready::Origin);
    assert!(pool.take("origin").is_none());
    assert_eq!(pool.list().map(|(_, count)| count).sum::<usize>(), 0);
    Ok(())
}
