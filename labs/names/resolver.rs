//! The two questions to the resolver, which is a part of the C library and
//! not of the kernel: it reads /etc/hosts, asks name servers, sorts.
//!
//! ```text
//! main thread             a thread of its own
//!   |---- the question ---->|
//!   |                       |  getaddrinfo(): hosts file, DNS, …
//!   |<--- the answers ------|
//!   x  …or the deadline: getaddrinfo() has none, and waits 5 s, twice, for
//!      each server that is dead and each search domain
//! ```
//!
//! std's `ToSocketAddrs` asks the same resolver, but for TCP alone, and keeps
//! nothing of an answer but the address. The crate dns-lookup passes all on.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};
use dns_lookup::{AddrInfoHints, LookupError};
use explain::Entry;
use socketlab::Error;
use socketlab::trace::{self, Ends, Step};

/// Most answers that are used.
const MOST: usize = 256;

/// One answer: all that socket() and connect() need.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// For socket(): AF_INET or AF_INET6.
    pub family: i32,
    /// For socket(): SOCK_STREAM, SOCK_DGRAM, SOCK_RAW.
    pub kind: i32,
    /// For socket(): IPPROTO_TCP, IPPROTO_UDP.
    pub protocol: i32,
    /// For connect() or bind().
    pub address: SocketAddr,
}

/// Why the resolver has no answer. Its numbers, EAI_NONAME and so on, are
/// not errno's: C has gai_strerror() for them, not perror().      (viva 5)
pub struct NoAnswer {
    /// What is known of the number, if the resolver itself refused.
    entry: Option<&'static Entry>,
    /// Its own words.
    pub text: String,
}

/// C: `getaddrinfo()`, Python: `socket.getaddrinfo()`. HOST and SERVICE are
/// text, names or numbers; `None` is C's NULL. `flags`: AI_PASSIVE, …  [T-V5]
pub fn getaddrinfo(
    host: Option<&str>,
    service: Option<&str>,
    flags: i32,
    wait: Duration,
) -> Result<Vec<Answer>, NoAnswer> {
    // ---- 2 getaddrinfo() -------------------------------------------------
    // No type is asked for, so each address comes once per type: TCP, UDP,
    // raw. The order is the resolver's advice: see order.rs.     (viva 10)
    // It alone decides which server is meant: the kernel knows no host names.
    let hints = AddrInfoHints { flags, ..Default::default() };
    let quoted = |word: Option<&str>| {
        word.map_or("NULL".into(), |word| trace::quote(word.as_bytes()))
    };
    let on = format!("{}, {}", quoted(host), quoted(service));
    let host = host.map(str::to_string);
    let service = service.map(str::to_string);
    let ask = move || {
        let (host, service) = (host.as_deref(), service.as_deref());
        let found = dns_lookup::getaddrinfo(host, service, Some(hints))?;
        let answers = found.take(MOST).filter_map(|answer| {
            let answer = answer.ok()?; // a family that is neither 4 nor 6
            Some(Answer {
                family: answer.address,
                kind: answer.socktype,
                protocol: answer.protocol,
                address: answer.sockaddr,
            })
        });
        Ok(answers.collect::<Vec<Answer>>())
    };
    let told = |answers: &Vec<Answer>| format!("{} answers", answers.len());
    traced("getaddrinfo", on, told, || within(wait, ask))
}

/// C: `getnameinfo()`, Python: `socket.getnameinfo()`: the way back, from an
/// address to the names of its host and of its port.
pub fn getnameinfo(
    address: SocketAddr,
    flags: i32,
    wait: Duration,
) -> Result<(String, String), NoAnswer> {
    // ---- 3 getnameinfo() -------------------------------------------------
    // Another table than the way there: /etc/hosts read backwards, or DNS
    // below in-addr.arpa. The two need not agree, and nothing proves that
    // the name's owner knows of it: do not trust a peer for it.  (viva 11)
    let ask = move || dns_lookup::getnameinfo(&address, flags);
    let told =
        |(host, service): &(String, String)| format!("{host:?}, {service:?}");
    traced("getnameinfo", address.to_string(), told, || within(wait, ask))
}

/// Asks, and writes the call and what came of it into the trace.
fn traced<T>(
    call: &'static str,
    arguments: String,
    told: impl FnOnce(&T) -> String,
    ask: impl FnOnce() -> Result<T, NoAnswer>,
) -> Result<T, NoAnswer> {
    let began = trace::begin();
    let found = ask();
    trace::end(began, || Step {
        call,
        arguments,
        result: Ok(match &found {
            Ok(found) => format!("0, {}", told(found)),
            Err(failure) => failure.name().into(),
        }),
        data: &[],
        ends: Ends::default(),
    });
    found
}

/// Asks in a thread of its own, and waits no longer than `wait`. A thread
/// that is late waits alone until the program ends.             (try 7)
fn within<T: Send + 'static>(
    wait: Duration,
    ask: impl FnOnce() -> Result<T, LookupError> + Send + 'static,
) -> Result<T, NoAnswer> {
    let (answer, answers) = bounded(1);
    let asking = thread::Builder::new().name("resolver".into());
    let started = asking.spawn(move || answer.send(ask()));
    if let Err(error) = started {
        let error = Error::new("spawn", "resolver", error);
        return Err(NoAnswer::other(format!("no thread to ask in: {error}")));
    }
    match answers.recv_timeout(wait) {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(NoAnswer::of(error)),
        Err(RecvTimeoutError::Timeout) => Err(NoAnswer::other(format!(
            "no answer within {} s: a name server does not answer. The call \
             has no deadline of its own; --wait sets ours",
            wait.as_secs_f64()
        ))),
        Err(RecvTimeoutError::Disconnected) => {
            Err(NoAnswer::other("an answer that is not text".into()))
        }
    }
}

impl NoAnswer {
    fn of(error: LookupError) -> NoAnswer {
        let number = error.error_num();
        let known = |entry: &&Entry| {
            entry.number == Some(number) && entry.name.starts_with("EAI_")
        };
        match explain::all().find(known) {
            Some(entry) => NoAnswer {
                text: format!("{} ({})", entry.title, entry.name),
                entry: Some(entry),
            },
            None => {
                let text = std::io::Error::from(error).to_string();
                let reason = text.rsplit(": ").next().unwrap_or_default();
                NoAnswer::other(reason.to_string())
            }
        }
    }

    fn other(text: String) -> NoAnswer {
        NoAnswer { entry: None, text }
    }

    /// Its number, such as EAI_NONAME. `None`: no answer came in time.
    pub fn number(&self) -> Option<i32> {
        self.entry.and_then(|entry| entry.number)
    }

    /// `EAI_NONAME`, or its words where it has no such name.
    fn name(&self) -> &str {
        self.entry.map_or(&self.text, |entry| entry.name)
    }
}
