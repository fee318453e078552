//! The short form: one or two sentences for the end of an error line. Each is
//! for a call and an errno together, because ECONNREFUSED from connect() and
//! from recvfrom() have different causes.

/// Which calls, which errnos, and what they mean together.
type Hint = (&'static [&'static str], &'static [&'static str], &'static str);

/// What this errno means when this call returns it. The first hint that fits
/// both counts; those that fit every call come last.
pub(super) fn text(call: &str, name: &str) -> Option<&'static str> {
    let hints = BEFORE_DATA.iter().chain(WITH_DATA).chain(ANYWHERE);
    let mut fitting = hints.filter(|(calls, names, _)| {
        (calls.is_empty() || calls.contains(&call)) && names.contains(&name)
    });
    fitting.next().map(|(_, _, text)| *text)
}

/// From socket() to accept(), threads and programs.
const BEFORE_DATA: &[Hint] = &[
    (
        &["socket"],
        &["EAFNOSUPPORT"],
        "This kernel does not support such addresses (is IPv6 switched \
        off?). Use an IPv4 address such as 127.0.0.1.",
    ),
    (
        &["socket"],
        &["EPERM", "EACCES"],
        "Raw packets need a privilege (CAP_NET_RAW). Plain TCP and UDP \
        sockets do not.",
    ),
    (
        &["bind"],
        &["EADDRINUSE"],
        "Another program has this port, perhaps an earlier run of this \
        one; in TCP its last connections keep it for a minute \
        (TIME_WAIT), unless it set SO_REUSEADDR. `make ports` shows who; \
        stop it or choose another PORT.",
    ),
    (
        &["bind"],
        &["EACCES"],
        "Ports below 1024 are kept for privileged programs. Choose a PORT \
        from 1024 to 65535.",
    ),
    (
        &["bind"],
        &["EADDRNOTAVAIL"],
        "No interface of this machine has this address. Bind one of its \
        own (`ip addr`), or 0.0.0.0, also for a cloud machine's public \
        address.",
    ),
    (
        &["bind"],
        &["EINVAL"],
        "This socket has an address already. bind() is called once; a \
        second address needs a second socket.",
    ),
    (
        &["bind", "connect", "sendto"],
        &["EAFNOSUPPORT"],
        "The address and the socket are of different kinds, one IPv4 and \
        one IPv6. Create the socket for the address's kind.",
    ),
    (
        &["listen"],
        &["EADDRINUSE"],
        "Another socket listens on this port already. `make ports` shows \
        it; stop it or choose another PORT.",
    ),
    (
        &["listen", "accept"],
        &["EOPNOTSUPP"],
        "UDP has no connections, so a UDP socket cannot listen or accept. \
        Call recvfrom() after bind().",
    ),
    (
        &["accept"],
        &["EMFILE"],
        "This process has no descriptor left for the client, which stays \
        in the queue. Let clients leave, or raise `ulimit -n`.",
    ),
    (
        &["accept"],
        &["ENFILE"],
        "The machine has no descriptor left, so the client stays in the \
        queue. `cat /proc/sys/fs/file-nr` shows open files and limit.",
    ),
    (
        &["accept"],
        &["ENOBUFS", "ENOMEM"],
        "The kernel has no memory for one more client. The listener is \
        fine: pause, then accept again.",
    ),
    (
        &["accept"],
        &[
            "ECONNABORTED",
            "EPROTO",
            "ENETDOWN",
            "ENETUNREACH",
            "EHOSTDOWN",
            "EHOSTUNREACH",
        ],
        "This client left before accept() took it. No other client is \
        affected; accept the next one.",
    ),
    (
        &["accept"],
        &["EAGAIN"],
        "No client came before the deadline. The listener is fine: \
        accept again.",
    ),
    (
        &["accept"],
        &["EINVAL"],
        "This socket does not listen. Call listen() after bind() and \
        before accept().",
    ),
    (
        &["spawn"],
        &["EAGAIN", "ENOMEM"],
        "The system cannot create another thread. Let clients disconnect, \
        or raise the limit (`ulimit -u`).",
    ),
    (
        &["fork"],
        &["EAGAIN", "ENOMEM"],
        "The system cannot create another process. End some, or raise the \
        limit (`ulimit -u`).",
    ),
    (
        &["spawn", "exec"],
        &["ENOENT"],
        "No program has this name here. Build it first (`cargo build`), \
        or check the spelling.",
    ),
    (
        &["connect"],
        &["ECONNREFUSED"],
        "Nothing listens there. Start the server first, or check HOST \
        and PORT.",
    ),
    (
        &["connect"],
        &["ETIMEDOUT"],
        "Nobody answered, not even with a refusal. Check HOST; a \
        firewall may drop the packets, or the server's queue is full.",
    ),
    (
        &["connect"],
        &["EHOSTUNREACH", "EHOSTDOWN"],
        "No machine answers at this address. Check HOST, and that both \
        machines are in the same network (`ip neigh`).",
    ),
    (
        &["connect"],
        &["EADDRNOTAVAIL"],
        "No local port is free for this server, or the address is not \
        usable here. `ss -s` counts connections in TIME_WAIT; they pass \
        in a minute.",
    ),
    (
        &["connect"],
        &["EADDRINUSE"],
        "The local port that this client bound is in use for the same \
        server, perhaps in TIME_WAIT. Omit bind() so that the kernel \
        chooses a port.",
    ),
    (
        &["connect"],
        &["EACCES", "EPERM"],
        "This machine itself forbids it: a local firewall rule, or a \
        broadcast address.",
    ),
    (
        &["connect"],
        &["EISCONN"],
        "This socket is connected or listens. Another connection needs a \
        new socket.",
    ),
    (
        &["connect"],
        &["EINPROGRESS"],
        "The server did not answer before the deadline. Check HOST, or \
        wait longer.",
    ),
    (
        &["mkfifo", "bind"],
        &["ENOENT"],
        "A folder in this path does not exist. Check its spelling.",
    ),
    (
        &["mkfifo"],
        &["EACCES", "EPERM"],
        "Nothing can be made in that folder: its permissions, or its \
        file system (shared folders of VirtualBox and WSL's /mnt/c have \
        no FIFOs). /tmp will do.",
    ),
    (
        &["open"],
        &["ENXIO"],
        "Nobody has this FIFO open for reading, and O_NONBLOCK does not \
        wait for somebody. Start the reader first, or leave it out.",
    ),
    (
        &["open"],
        &["EACCES"],
        "Its permissions, or those of a folder above it, keep you out: \
        `ls -l` shows them.",
    ),
    (
        &["unlink"],
        &["EPERM", "EACCES"],
        "You may not remove it. In a shared folder (t in `ls -ld`, such as \
        /tmp) only its owner may; elsewhere you need the right to write to \
        the folder. `ls -l` shows the owner.",
    ),
    (
        &["fcntl"],
        &["EPERM"],
        "This is more than a user's pipe may have. `cat \
        /proc/sys/fs/pipe-max-size` shows the limit; it is lower if this \
        user has many pipes.",
    ),
    (
        &["connect"],
        &["EPROTOTYPE"],
        "A program is there, with a socket of another type: datagrams, \
        not a stream.",
    ),
    (
        &["connect"],
        &["ENOENT"],
        "There is no socket file of this name. Start the server first, \
        or check the path.",
    ),
];

/// recv(), send(), their UDP forms, and the calls after them.
const WITH_DATA: &[Hint] = &[
    (
        &["recv", "recvfrom", "send", "sendto"],
        &["ECONNREFUSED"],
        "An earlier datagram came back as ICMP \"port unreachable\": the \
        host is up, but no program has this UDP port. Start the server \
        first, or check PORT.",
    ),
    (
        &["recvfrom", "sendto"],
        &["ECONNRESET"],
        "Windows says so when an earlier datagram found no program on \
        its port. Start the server first, or check PORT.",
    ),
    (
        &["recv", "send"],
        &["ECONNRESET"],
        "The peer ended the connection at once (RST), without a \
        goodbye: killed, crashed, or closed with our data unread.",
    ),
    (
        &["recv", "send"],
        &["ECONNABORTED"],
        "This machine gave the connection up, because the peer did not \
        acknowledge repeated packets. Connect again.",
    ),
    (
        &["recv", "send"],
        &["ETIMEDOUT"],
        "The peer has stopped answering: no power, no cable, or a \
        firewall forgot us. The connection is lost; connect again.",
    ),
    (
        &["recv"],
        &["EAGAIN"],
        "The peer sent nothing before the deadline. It may be slow or \
        gone, or it waits for us.",
    ),
    (
        &["recvfrom"],
        &["EAGAIN"],
        "No datagram came before the deadline. Does a server run at that \
        HOST and PORT? UDP does not tell it from a lost datagram.",
    ),
    (
        &["send"],
        &["EAGAIN"],
        "The peer did not read before the deadline, and the buffers \
        between us are full.",
    ),
    (
        &["sendto"],
        &["EAGAIN"],
        "The send buffer is full at the moment. Send more slowly, or try \
        again.",
    ),
    (
        &["send"],
        &["EPIPE"],
        "The peer has closed, or this end called shutdown() before. What \
        is sent now cannot arrive; connect again.",
    ),
    (
        &["write"],
        &["EPIPE"],
        "Nobody can read this pipe any more: the last reading end is \
        closed. A C program would be dead by now, of SIGPIPE.",
    ),
    (
        &["send", "sendto"],
        &["EMSGSIZE"],
        "A UDP datagram carries at most 65,507 bytes on IPv4. Send less, \
        or in several.",
    ),
    (
        &["send"],
        &["EDESTADDRREQ"],
        "This UDP socket has no peer. Name the address with sendto(), or \
        call connect() before.",
    ),
    (
        &["sendto"],
        &["EACCES"],
        "This is a broadcast address, and the socket has not set \
        SO_BROADCAST. Check HOST.",
    ),
    (
        &["send", "sendto"],
        &["EPERM"],
        "This machine's own firewall stopped the packet. Look at its \
        rules for output.",
    ),
    (
        &["sendto"],
        &["EINVAL"],
        "The destination is not usable, because port 0 is not a port. Check \
        PORT.",
    ),
    (
        &["send", "sendto"],
        &["ENOBUFS", "ENOMEM"],
        "The kernel has no room for this packet at the moment. Send more \
        slowly, or try again.",
    ),
    (
        &["send", "sendto", "recv", "recvfrom"],
        &["EHOSTUNREACH"],
        "No machine answers at the peer's address any more. Check the \
        cable, the Wi-Fi and HOST.",
    ),
    (
        &["recv"],
        &["ENOTCONN"],
        "This socket has no connection. A server receives on the socket \
        that accept() returned, not on the listener.",
    ),
    (
        &["shutdown"],
        &["ENOTCONN"],
        "The connection has ended already, so there is no direction left \
        to close. This is harmless.",
    ),
    (
        &["getpeername"],
        &["ENOTCONN"],
        "The peer has left already, so there is no address to show. This \
        is harmless.",
    ),
];

/// Errnos that mean the same for every call.
const ANYWHERE: &[Hint] = &[
    (
        &[],
        &["EMFILE"],
        "This process has all the descriptors it may have. Close some, \
        or raise `ulimit -n`.",
    ),
    (
        &[],
        &["EINTR"],
        "A signal interrupted the wait. Nothing is lost; call again.",
    ),
    (
        &[],
        &["ENETUNREACH"],
        "This machine has no route to that address: it is offline, or \
        the address is IPv6 and only IPv4 is connected (`ip route`). If \
        it is 127.0.0.1, the loopback is down: `ip link set lo up`.",
    ),
    (
        &[],
        &["ENETDOWN"],
        "The network interface is switched off. `ip link` shows which.",
    ),
    (
        &[],
        &["EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY"],
        "No address belongs to this name. Check the spelling of HOST, or \
        give an address such as 127.0.0.1.",
    ),
    (
        &[],
        &["EAI_AGAIN", "EAI_FAIL"],
        "The name server did not reply. Check the network, or use an \
        address such as 127.0.0.1, which needs no name server.",
    ),
    (
        &[],
        &["EAI_SERVICE"],
        "PORT is not a known service name. Give its number.",
    ),
];
