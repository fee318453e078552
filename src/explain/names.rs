//! The errors of getaddrinfo(), which looks a host name up. They have their own
//! numbers, which are negative on Linux. Rust shows only the text ("Name or
//! service not known"), so `find` accepts the text too.

use super::Entry;

/// The numbers differ between systems; these are Linux's.
const fn linux(number: i32) -> Option<i32> {
    if cfg!(target_os = "linux") { Some(number) } else { None }
}

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "EAI_NONAME",
        aliases: &["NONAME"],
        number: linux(-2),
        title: "Name or service not known",
        seen_in: "getaddrinfo()",
        meaning: "The name service answered: there is no such host. No \
            packet went to any server of ours.",
        causes: &[
            "a spelling mistake in HOST",
            "a placeholder such as 'hostname' was left in the program",
            "the name is known only in another network",
        ],
        check: &[
            "getent ahosts HOST  # the same question, asked by the system",
            "cat /etc/hosts  # names this machine knows by itself",
        ],
    },
    Entry {
        name: "EAI_AGAIN",
        aliases: &[],
        number: linux(-3),
        title: "Temporary failure in name resolution",
        seen_in: "getaddrinfo()",
        meaning: "No name server answered, so it is not known whether the \
            name exists. The same call may succeed in a moment. Addresses \
            such as 127.0.0.1 need no name server.",
        causes: &[
            "this machine is offline",
            "the name server is unreachable or does not answer",
            "a container or namespace without a name server",
        ],
        check: &[
            "cat /etc/resolv.conf  # which name server is asked",
            "ip route  # is there a default route?",
            "getent ahosts HOST",
        ],
    },
    Entry {
        name: "EAI_FAIL",
        aliases: &[],
        number: linux(-4),
        title: "Non-recoverable failure in name resolution",
        seen_in: "getaddrinfo()",
        meaning: "The name server answered with an error that a second try \
            will not change.",
        causes: &[
            "the name server refuses this client or is set up wrongly",
            "the signature of the answer (DNSSEC) does not verify",
        ],
        check: &["cat /etc/resolv.conf", "getent ahosts HOST"],
    },
    Entry {
        name: "EAI_NODATA",
        aliases: &[],
        number: linux(-5),
        title: "No address associated with hostname",
        seen_in: "getaddrinfo()",
        meaning: "The name exists, but has no address of the kind that was \
            asked for.",
        causes: &[
            "the name has only an IPv6 address and IPv4 was asked, or the \
             reverse",
            "the name is only for mail (an MX record and no address)",
        ],
        check: &["getent ahostsv4 HOST", "getent ahostsv6 HOST"],
    },
    Entry {
        name: "EAI_ADDRFAMILY",
        aliases: &[],
        number: linux(-9),
        title: "Address family for hostname not supported",
        seen_in: "getaddrinfo()",
        meaning: "The host has addresses, none of them of the family that \
            was asked for: an IPv6 address cannot be looked up as IPv4.",
        causes: &["an address of one family, and the other one requested"],
        check: &["getent ahosts HOST"],
    },
    Entry {
        name: "EAI_SERVICE",
        aliases: &[],
        number: linux(-8),
        title: "Servname not supported for ai_socktype",
        seen_in: "getaddrinfo()",
        meaning: "The port was given as a name, and that name is not in this \
            machine's list for TCP or UDP.",
        causes: &[
            "a spelling mistake in PORT, or HOST and PORT the wrong way round",
            "the service is listed for the other protocol only",
        ],
        check: &["getent services NAME  # or give the number instead"],
    },
    Entry {
        name: "EAI_FAMILY",
        aliases: &[],
        number: linux(-6),
        title: "ai_family not supported",
        seen_in: "getaddrinfo()",
        meaning: "The address family asked for is not one of IPv4, IPv6 or \
            either.",
        causes: &["a wrong constant for the family"],
        check: &["man 3 getaddrinfo"],
    },
    Entry {
        name: "EAI_SOCKTYPE",
        aliases: &[],
        number: linux(-7),
        title: "ai_socktype not supported",
        seen_in: "getaddrinfo()",
        meaning: "The socket type asked for does not exist, or does not go \
            with the protocol.",
        causes: &["a stream type with UDP, or a datagram type with TCP"],
        check: &["man 3 getaddrinfo"],
    },
    Entry {
        name: "EAI_BADFLAGS",
        aliases: &[],
        number: linux(-1),
        title: "Bad value for ai_flags",
        seen_in: "getaddrinfo()",
        meaning: "The flags contain a bit that is unknown, or two that \
            exclude each other.",
        causes: &["AI_CANONNAME without a host name"],
        check: &["man 3 getaddrinfo"],
    },
    Entry {
        name: "EAI_MEMORY",
        aliases: &[],
        number: linux(-10),
        title: "Memory allocation failure",
        seen_in: "getaddrinfo()",
        meaning: "The resolver could not get memory for the list of addresses.",
        causes: &["the machine or the container is out of memory"],
        check: &["free -m"],
    },
    Entry {
        name: "EAI_SYSTEM",
        aliases: &[],
        number: linux(-11),
        title: "System error",
        seen_in: "getaddrinfo()",
        meaning: "A system call failed during the look-up; its errno is the \
            real reason. Rust shows that errno instead of this code.",
        causes: &[
            "no descriptor was free to ask the name server (EMFILE)",
            "a file such as /etc/hosts cannot be read",
        ],
        check: &["strace -f -e trace=network,openat PROGRAM"],
    },
];
