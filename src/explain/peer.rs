//! Reaching the other end, and losing it.

use super::{Entry, number};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "ECONNREFUSED",
        aliases: &[],
        number: number!(CONNREFUSED),
        title: "Connection refused",
        seen_in: "connect(); recv() and send() on a connected UDP socket",
        meaning: "The host is up and refused immediately: its kernel answered \
            the SYN with a RST, because no socket listens on that port. For \
            UDP the error comes later, from an ICMP message \"port \
            unreachable\", and only to a socket that called connect().",
        causes: &[
            "the server is not running yet: it starts first",
            "HOST or PORT is not the one the server printed",
            "the server listens on another address of that host, such as \
             127.0.0.1 only",
            "a firewall rejects it, with a RST or an ICMP message",
        ],
        check: &[
            "make ports",
            "ss -tlnp  # on the server's host: address, port, program",
            "ss -ulnp  # the same for UDP",
        ],
    },
    Entry {
        name: "ETIMEDOUT",
        aliases: &["TimeoutError"],
        number: number!(TIMEDOUT),
        title: "Connection timed out",
        seen_in: "connect(); recv() and send() on an old connection",
        meaning: "Nobody answered. connect() sends its SYN again, each second \
            at first (before Linux 6.5 after 1, 2, 4, ... seconds), and gives \
            up after a little more than two minutes. On a connection it means \
            that data stayed without acknowledgement for about a quarter of \
            an hour, or that keepalive probes did.",
        causes: &[
            "a firewall drops the packets without an answer",
            "the address is wrong, or that host is off or asleep",
            "the server's queue of waiting connections is full, so its \
             kernel drops the SYN: it does not call accept()",
            "the cable or the Wi-Fi went away during the connection",
        ],
        check: &[
            "ss -tan state syn-sent  # while connect() waits",
            "ping HOST  # silence proves little: many hosts drop it",
            "ss -tln 'sport = :PORT'  # there: Recv-Q above Send-Q is full",
        ],
    },
    Entry {
        name: "EHOSTUNREACH",
        aliases: &[],
        number: number!(HOSTUNREACH),
        title: "No route to host",
        seen_in: "connect(), send(), sendto(), recv()",
        meaning: "The network can be reached, but not that host. In the local \
            network no machine answered the question who has this address \
            (ARP, about three seconds), or a router reported it by ICMP.",
        causes: &[
            "the host is off, or has another address than yesterday",
            "the Wi-Fi keeps its guests apart (client isolation)",
            "the host's firewall rejects with an ICMP message",
        ],
        check: &[
            "ip neigh  # FAILED: nobody answered for that address",
            "ip route get HOST",
            "ping HOST",
        ],
    },
    Entry {
        name: "EHOSTDOWN",
        aliases: &[],
        number: number!(HOSTDOWN),
        title: "Host is down",
        seen_in: "connect(), sendto(), mostly on macOS and BSD",
        meaning: "The local network has no host with that address at the \
            moment. Linux says EHOSTUNREACH for the same thing.",
        causes: &["the host is off, asleep, or has another address now"],
        check: &["ping HOST", "ip neigh"],
    },
    Entry {
        name: "ENETUNREACH",
        aliases: &[],
        number: number!(NETUNREACH),
        title: "Network is unreachable",
        seen_in: "connect(), sendto()",
        meaning: "This machine's own routing table has no line for that \
            address, so no packet was sent.",
        causes: &[
            "this machine is offline: no default route",
            "the address is IPv6 and only IPv4 is connected, or the reverse",
            "TCP was pointed at a broadcast or multicast address",
            "inside a new network namespace, where even lo starts down",
        ],
        check: &[
            "ip route",
            "ip -6 route",
            "ip link  # in a namespace: is lo UP?",
        ],
    },
    Entry {
        name: "ENETDOWN",
        aliases: &[],
        number: number!(NETDOWN),
        title: "Network is down",
        seen_in: "send(), sendto(), accept(), packet capture",
        meaning: "The network interface that the packet would use is \
            switched off.",
        causes: &[
            "the interface was taken down, or the Wi-Fi switched off",
            "capturing on an interface that is not up",
        ],
        check: &["ip link  # look for state DOWN"],
    },
    Entry {
        name: "ECONNRESET",
        aliases: &["ConnectionResetError"],
        number: number!(CONNRESET),
        title: "Connection reset by peer",
        seen_in: "recv(), send()",
        meaning: "A RST arrived on a connection that existed. It ends both \
            directions at once, and data that had not arrived is lost. A \
            FIN, in contrast, is an orderly end: recv() returns 0.",
        causes: &[
            "the peer closed its socket while data from us was unread",
            "the peer crashed or was killed in the same situation",
            "we wrote to a peer that had already closed",
            "the host restarted, or a firewall forgot the connection",
        ],
        check: &[
            "ss -tan 'dport = :PORT'  # is the connection gone?",
            "sudo tcpdump -ni any 'tcp[tcpflags] & tcp-rst != 0'",
        ],
    },
    Entry {
        name: "ECONNABORTED",
        aliases: &["ConnectionAbortedError"],
        number: number!(CONNABORTED),
        title: "Software caused connection abort",
        seen_in: "accept() on BSD and macOS; recv() and send() on Windows",
        meaning: "The client left between the handshake and accept(). Linux \
            still returns the dead connection from accept(), and recv() then \
            fails with ECONNRESET. No other client is affected; accept the \
            next one.",
        causes: &[
            "the client gave up while it waited in the queue",
            "a port scanner connects and resets at once",
        ],
        check: &["ss -tln 'sport = :PORT'  # Recv-Q: how many wait now"],
    },
    Entry {
        name: "EPIPE",
        aliases: &["BrokenPipeError"],
        number: number!(unix PIPE),
        title: "Broken pipe",
        seen_in: "send(), write() to a pipe or a FIFO",
        meaning: "After the peer's close() the first send() still succeeds; a \
            RST comes back for it, and the next send() fails. The signal \
            SIGPIPE kills a C program; Rust and Python ignore the signal and \
            get this error.",
        causes: &[
            "the peer has closed the connection, and we continued to send",
            "our own program called shutdown() for sending earlier",
            "send() on a TCP socket that was never connected",
            "the program that read our output has ended (`| head`)",
        ],
        check: &[
            "ss -tan state close-wait  # the peer closed, we have not",
            "strace -e trace=network PROGRAM  # which call came before",
        ],
    },
    Entry {
        name: "ENOTCONN",
        aliases: &[],
        number: number!(NOTCONN),
        title: "Transport endpoint is not connected",
        seen_in: "recv(), shutdown(), getpeername()",
        meaning: "The call needs a connection and the socket has none, \
            either not yet or no longer.",
        causes: &[
            "recv() on the listening socket instead of on the one that \
             accept() returned",
            "connect() was forgotten or has failed",
            "a RST has ended the connection before shutdown()",
        ],
        check: &["ss -tanp  # LISTEN and ESTAB are two different sockets"],
    },
    Entry {
        name: "EISCONN",
        aliases: &[],
        number: number!(ISCONN),
        title: "Transport endpoint is already connected",
        seen_in: "connect()",
        meaning: "A TCP socket has one peer for life. Another server, or the \
            same one a second time, needs a new socket.",
        causes: &[
            "connect() is called twice on one socket",
            "connect() on a socket that listens",
        ],
        check: &["ss -tanp  # the socket and its peer"],
    },
    Entry {
        name: "EINPROGRESS",
        aliases: &[],
        number: number!(INPROGRESS),
        title: "Operation now in progress",
        seen_in: "connect() on a non-blocking socket or with a deadline",
        meaning: "The SYN is on its way and the call does not wait for the \
            answer. The socket becomes writable when the handshake is done \
            or has failed; SO_ERROR then says which.",
        causes: &[
            "the socket is non-blocking, so this is not a failure",
            "a send timeout (SO_SNDTIMEO) ended while connect() waited",
        ],
        check: &["ss -tan state syn-sent"],
    },
    Entry {
        name: "EALREADY",
        aliases: &[],
        number: number!(ALREADY),
        title: "Operation already in progress",
        seen_in: "connect() on a non-blocking socket",
        meaning: "An earlier connect() on this socket has not finished yet. \
            Wait until the socket is writable instead of calling again.",
        causes: &["connect() is called in a loop on a non-blocking socket"],
        check: &["ss -tan state syn-sent"],
    },
];
