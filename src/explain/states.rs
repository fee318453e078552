//! The eleven states of a TCP connection, in the order of its life. Names
//! are those of netstat and of Linux' sources; ss writes `-` for `_`.
//!
//! ```text
//! client                         server
//! CLOSED                         LISTEN
//! SYN_SENT      ---- SYN ---->   SYN_RECV
//! ESTABLISHED   <- SYN, ACK --
//!               ---- ACK ---->   ESTABLISHED
//!
//! closes first                   closes second
//! FIN_WAIT_1    ---- FIN ---->   CLOSE_WAIT   recv() returns 0
//! FIN_WAIT_2    <--- ACK -----
//!               <--- FIN -----   LAST_ACK
//! TIME_WAIT     ---- ACK ---->   CLOSED
//! CLOSED after 60 s
//! ```
//!
//! The eleventh state is CLOSING: both ends enter it if their FINs cross.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "CLOSED",
        aliases: &["CLOSE", "UNCONN"],
        number: None,
        title: "no connection",
        seen_in: "both ends, before and after",
        meaning: "The start and the end of every connection: a new socket is \
            here before connect() or listen(). For UDP, which has no states, \
            ss prints UNCONN.",
        causes: &[
            "a new socket, or a connection that the kernel has forgotten",
            "a UDP socket that waits for datagrams from anybody",
        ],
        check: &["ss -uanp  # UNCONN: UDP; closed TCP is not listed"],
    },
    Entry {
        name: "LISTEN",
        aliases: &["LISTENING"],
        number: None,
        title: "waiting for clients",
        seen_in: "the server's listening socket, from listen() to close()",
        meaning: "The kernel completes handshakes for this socket and queues \
            the connections for accept(). The socket itself never carries \
            data. In ss, Recv-Q is the number of waiting connections, and \
            Send-Q the backlog. Linux queues one more than the backlog says.",
        causes: &[
            "a server that runs normally",
            "Recv-Q stays above 0: the program does not call accept() often \
             enough, and soon further SYNs are dropped",
        ],
        check: &["make ports", "ss -tlnp"],
    },
    Entry {
        name: "SYN_SENT",
        aliases: &[],
        number: None,
        title: "the client has sent its SYN and waits",
        seen_in: "the client, inside connect()",
        meaning: "The client has sent a SYN and got no reply yet. The state \
            lasts one round trip, or a little more than two minutes of \
            repeated SYNs until ETIMEDOUT. If you can see it in ss, the \
            server's host probably does not reply.",
        causes: &[
            "a firewall drops the SYN, or the host is off",
            "the server's queue is full, so its kernel drops the SYN",
        ],
        check: &["ss -tanp state syn-sent", "ss -tano  # timer: next retry"],
    },
    Entry {
        name: "SYN_RECV",
        aliases: &["SYN_RECEIVED", "SYN_RCVD"],
        number: None,
        title: "half open: the server has answered the SYN",
        seen_in: "the server's kernel, before accept() knows of it",
        meaning: "The kernel has sent SYN-ACK, and the last ACK of the \
            handshake is missing. The kernel repeats the SYN-ACK five times \
            and forgets the client after about a minute.",
        causes: &[
            "the client's ACK is lost, or the SYN-ACK does not reach it",
            "the queue is full: the ACK is ignored until accept() is called",
            "very many of them: a SYN flood with forged addresses",
        ],
        check: &["ss -tan state syn-recv", "ss -tln  # is Recv-Q full?"],
    },
    Entry {
        name: "ESTABLISHED",
        aliases: &["ESTAB"],
        number: None,
        title: "open in both directions",
        seen_in: "both ends, from the handshake to the first FIN",
        meaning: "Data can flow. The state needs no packets, so it can last \
            for days, even if the peer lost its power. Only sending data or \
            keepalive detects that. Recv-Q: bytes our program has not read. \
            Send-Q: bytes the peer has not acknowledged.",
        causes: &[
            "a normal connection, also if it is silent",
            "Recv-Q grows: this program does not call recv()",
            "Send-Q grows: the peer does not read, or is gone",
        ],
        check: &["ss -tnp  # Recv-Q and Send-Q", "ss -tnpo  # with timers"],
    },
    Entry {
        name: "FIN_WAIT_1",
        aliases: &[],
        number: None,
        title: "we closed first; our FIN is not acknowledged",
        seen_in: "the end that called close() or shutdown() first",
        meaning: "Our FIN is queued or sent. The state lasts one round trip. \
            After close() the kernel repeats the FIN without the program, \
            for a minute or two, and then gives up.",
        causes: &[
            "the FIN waits behind data that the peer does not read",
            "the peer's machine vanished: nothing is acknowledged",
        ],
        check: &["ss -tano state fin-wait-1  # Send-Q: data before the FIN"],
    },
    Entry {
        name: "FIN_WAIT_2",
        aliases: &[],
        number: None,
        title: "we closed first; the peer has not closed yet",
        seen_in: "the end that called close() or shutdown() first",
        meaning: "The peer has acknowledged our FIN and may still send. \
            After shutdown() this half-closed state has no time limit; after \
            close() Linux forgets it after 60 seconds.",
        causes: &[
            "a half-close: the peer still has something to send",
            "the peer has not called close(); its end is in CLOSE_WAIT",
        ],
        check: &["ss -tano state fin-wait-2", "ss -tanp state close-wait"],
    },
    Entry {
        name: "CLOSE_WAIT",
        aliases: &[],
        number: None,
        title: "the peer closed; our program has not",
        seen_in: "the end that has received a FIN and has not called close()",
        meaning: "The peer's FIN has arrived, and recv() returns 0 after the \
            data. Only our own close() ends this state; it has no timer. For \
            a moment this is normal. If many of them stay, this program \
            leaks sockets and will get EMFILE.",
        causes: &[
            "this program does not close after recv() returned 0",
            "its thread waits for something else and never reads",
            "another thread or child process still holds the socket",
        ],
        check: &["ss -tanp state close-wait  # -p names the guilty program"],
    },
    Entry {
        name: "LAST_ACK",
        aliases: &[],
        number: None,
        title: "both closed; our FIN is not acknowledged",
        seen_in: "the end that closed second",
        meaning: "We sent our FIN after the peer's, and only its ACK is \
            missing. The state lasts one round trip. If the ACK does not \
            arrive, the kernel repeats the FIN for a minute or two and then \
            forgets the connection.",
        causes: &["the peer's machine vanished, or the path loses packets"],
        check: &["ss -tano state last-ack"],
    },
    Entry {
        name: "CLOSING",
        aliases: &[],
        number: None,
        title: "both closed at the same moment",
        seen_in: "both ends, when their FINs cross on the way",
        meaning: "We sent a FIN and got the peer's before the ACK of ours. \
            It lasts until that ACK, then becomes TIME_WAIT, here at both \
            ends. It is rare and harmless.",
        causes: &["both programs called close() within one round trip"],
        check: &["ss -tano state closing"],
    },
    Entry {
        name: "TIME_WAIT",
        aliases: &[],
        number: None,
        title: "closed; the kernel remembers it for a while",
        seen_in: "the end that closed first (the active closer)",
        meaning: "Both sides have finished, but the last ACK may have been \
            lost, and late segments may still arrive. So Linux keeps the \
            pair of addresses and ports for 60 seconds. No program holds it. \
            Many of them are normal if connections are short.",
        causes: &[
            "this end called close() first: this is normal",
            "at a server: bind() fails on restart without SO_REUSEADDR",
            "at a client: thousands to one server use up the local ports",
        ],
        check: &[
            "ss -tano state time-wait  # timer: seconds that are left",
            "ss -s  # how many (timewait)",
        ],
    },
];
