//! Errors of a program's own steps: socket, bind, listen, options, and calls
//! on the wrong socket or at the wrong time.

use super::{Entry, number};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "EADDRINUSE",
        aliases: &[],
        number: number!(ADDRINUSE),
        title: "Address already in use",
        seen_in: "bind(), listen(); connect() from a socket with a bound port",
        meaning: "Another socket of this machine holds that port on that \
            address for the same protocol. TCP and UDP count separately. \
            Connections in TIME_WAIT hold it too, for 60 seconds, unless \
            both the old socket and the new one set SO_REUSEADDR before \
            bind().",
        causes: &[
            "the server already runs, perhaps in the background or in \
             another terminal",
            "a server without SO_REUSEADDR is restarted while connections \
             of its last run are in TIME_WAIT",
            "a different program uses this port",
        ],
        check: &[
            "make ports",
            "ss -tulnp 'sport = :PORT'  # who listens on it now",
            "ss -tan 'sport = :PORT'  # connections in TIME-WAIT",
        ],
    },
    Entry {
        name: "EADDRNOTAVAIL",
        aliases: &[],
        number: number!(ADDRNOTAVAIL),
        title: "Cannot assign requested address",
        seen_in: "bind(); connect() when no local port is left",
        meaning: "bind() takes only addresses that an interface of this \
            machine has. In connect() it means that the kernel found no free \
            port of its own for this destination.",
        causes: &[
            "HOST is the address of another machine: a server binds its own",
            "a cloud machine's public address lives in the provider's \
             router, not on the machine: bind 0.0.0.0 there",
            "a client opened some 28,000 connections to one address and \
             port, and most are in TIME_WAIT",
            "IPv6 is switched off and the address is ::1",
        ],
        check: &[
            "ip addr  # the addresses this machine has",
            "ss -s  # how many connections are in TIME-WAIT (timewait)",
            "cat /proc/sys/net/ipv4/ip_local_port_range",
        ],
    },
    Entry {
        name: "EACCES",
        aliases: &["PermissionError"],
        number: number!(ACCESS),
        title: "Permission denied",
        seen_in: "bind(), sendto(), connect(), open()",
        meaning: "The kernel understood the request and does not allow it to \
            this user. For bind() that is a port below 1024, which Linux \
            keeps for privileged programs.",
        causes: &[
            "the port is below 1024",
            "a datagram goes to a broadcast address and SO_BROADCAST is off",
            "a file or a Unix socket is not readable or writable by this user",
            "a security module or a local firewall rule forbids it",
        ],
        check: &[
            "cat /proc/sys/net/ipv4/ip_unprivileged_port_start",
            "id  # who this user is",
            "ls -l FILE  # who may read and write it",
        ],
    },
    Entry {
        name: "EPERM",
        aliases: &[],
        number: number!(unix PERM),
        title: "Operation not permitted",
        seen_in: "socket() for raw packets, sendto(), connect(), setsockopt(); \
            unlink(), fcntl(), kill()",
        meaning: "The operation needs a privilege that this process lacks, \
            or the thing belongs to somebody else, or this machine's own \
            firewall stopped the packet on its way out.",
        causes: &[
            "what is to be changed or removed belongs to another user",
            "capturing or raw sockets without the CAP_NET_RAW capability",
            "a firewall rule on the way out drops the datagram",
            "the container or sandbox forbids the call",
        ],
        check: &[
            "id  # who this user is: root?",
            "ls -ld FILE FOLDER  # whose they are; t: the owner alone removes",
            "sudo nft list ruleset  # rules with hook output",
        ],
    },
    Entry {
        name: "EAFNOSUPPORT",
        aliases: &[],
        number: number!(AFNOSUPPORT),
        title: "Address family not supported by protocol",
        seen_in: "socket(), bind(), connect(), sendto()",
        meaning: "This kernel does not offer that kind of address, or the \
            address is of another kind than the socket: an IPv6 address \
            needs an AF_INET6 socket, an IPv4 address an AF_INET one.",
        causes: &[
            "IPv6 was switched off when the system started",
            "an IPv6 address was given to an IPv4 socket",
        ],
        check: &[
            "ls /proc/net/if_inet6  # missing: no IPv6 in this kernel",
            "ip -6 addr  # the IPv6 addresses of this machine",
        ],
    },
    Entry {
        name: "EPROTONOSUPPORT",
        aliases: &[],
        number: number!(PROTONOSUPPORT),
        title: "Protocol not supported",
        seen_in: "socket()",
        meaning: "The type and the protocol asked for do not go together, \
            such as a stream socket with the protocol UDP, or the kernel was \
            built without that protocol.",
        causes: &[
            "the third argument of socket() is wrong: 0 lets the kernel \
             choose TCP for streams and UDP for datagrams",
            "the kernel lacks the protocol",
        ],
        check: &["cat /proc/net/protocols  # what this kernel speaks"],
    },
    Entry {
        name: "EPROTOTYPE",
        aliases: &[],
        number: number!(PROTOTYPE),
        title: "Protocol wrong type for socket",
        seen_in: "connect() and sendto() with a Unix-domain socket, socket()",
        meaning: "The two sockets are of different types: this one sends a \
            stream and that one receives datagrams, or the other way round. \
            A program has this path, but it uses the other socket type.",
        causes: &[
            "a datagram server has this path, and the client is for a stream",
            "socket() was given a type and a protocol that do not match",
        ],
        check: &["ss -xap  # u_str: stream; u_dgr: datagrams"],
    },
    Entry {
        name: "EOPNOTSUPP",
        aliases: &["ENOTSUP"],
        number: number!(OPNOTSUPP),
        title: "Operation not supported",
        seen_in: "listen() and accept() on a UDP socket",
        meaning: "This kind of socket has no such operation. UDP has no \
            connections, so there is nothing to listen for and nothing to \
            accept: a UDP server goes from bind() to recvfrom().",
        causes: &[
            "listen() or accept() on a datagram socket",
            "an option or flag that this kind of socket does not have",
        ],
        check: &["ss -ulnp  # a UDP server appears here, as UNCONN"],
    },
    Entry {
        name: "ENOPROTOOPT",
        aliases: &[],
        number: number!(NOPROTOOPT),
        title: "Protocol not available",
        seen_in: "setsockopt(), getsockopt()",
        meaning: "This socket does not know that option at that level: TCP \
            options such as TCP_NODELAY exist on TCP sockets only.",
        causes: &[
            "the option belongs to another protocol",
            "the option belongs to another system or to a newer kernel",
        ],
        check: &["uname -r  # the kernel's version", "man 7 tcp"],
    },
    Entry {
        name: "EINVAL",
        aliases: &[],
        number: number!(INVAL),
        title: "Invalid argument",
        seen_in: "bind(), accept(), sendto(), and others",
        meaning: "The call makes no sense for the socket's state or with \
            these values. It points at the program, not at the network.",
        causes: &[
            "bind() on a socket that has been bound before",
            "accept() on a socket for which listen() was not called",
            "accept() of a server of ours that is being stopped: Ctrl-C \
                shuts its listener down to wake it, and that is no error",
            "sendto() to port 0",
            "bind() of a Unix socket to a path of over 107 bytes",
        ],
        check: &["strace -e trace=network PROGRAM  # the calls in order"],
    },
    Entry {
        name: "EDESTADDRREQ",
        aliases: &[],
        number: number!(DESTADDRREQ),
        title: "Destination address required",
        seen_in: "send() on a UDP socket",
        meaning: "A UDP socket has no peer before connect(), so send() does \
            not know where to send. sendto() names the address with each \
            datagram.",
        causes: &["send() instead of sendto(), and connect() was not called"],
        check: &["ss -uanp  # peer *:* or 0.0.0.0:*: not connected"],
    },
    Entry {
        name: "ENOTSOCK",
        aliases: &[],
        number: number!(NOTSOCK),
        title: "Socket operation on non-socket",
        seen_in: "every socket call",
        meaning: "The descriptor is open, but it is a file, a pipe or a \
            terminal. Only sockets can bind, connect, send and receive.",
        causes: &[
            "a descriptor number was mixed up",
            "a socket was closed and its number went to a file",
        ],
        check: &["ls -l /proc/PID/fd  # what each number of PID is"],
    },
    Entry {
        name: "EBADF",
        aliases: &[],
        number: number!(BADF),
        title: "Bad file descriptor",
        seen_in: "every call on a socket",
        meaning: "No open socket has that number. In Rust the owner closes a \
            socket once, at the end of its life, so this is a Python or C \
            error far more often.",
        causes: &[
            "the socket was closed and then used again",
            "another thread closed it in the meantime",
        ],
        check: &[
            "ls -l /proc/PID/fd  # the open descriptors of PID",
            "strace -f -e trace=network,close PROGRAM  # who closed it",
        ],
    },
];
