//! The two calls to the resolver. It is a part of the C library, not of the
//! kernel: it reads /etc/hosts, asks name servers, and sorts the answers.
//!
//! ```text
//! main thread             a thread of its own
//!   |---- the question ---->|
//!   |                       |  getaddrinfo(): hosts file, DNS, …
//!   |<--- the answers ------|
//!   x  or the deadline, because getaddrinfo() has none: it waits 5 s, twice,
//!      for each dead name server and each search domain
//! ```
//!
//! std's `ToSocketAddrs` uses the same resolver, but only for TCP, and returns
//! only addresses. The crate dns-lookup returns the complete answers.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};
use dns_lookup::{AddrInfoHints, LookupError};
use explain::Entry;
use socketlab::Error;
use socketlab::trace::{self, Ends, Step};

/// Largest number of answers that are used.
const MOST: usize = 256;

/// One answer: the arguments of socket() and connect().
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

/// Why the resolver has no answer. Its error numbers, such as EAI_NONAME, are
/// not errno values: C prints them by gai_strerror(), not perror(). (viva 5)
pub struct NoAnswer {
    /// The entry for the error number, if the resolver returned one.
    entry: Option<&'static Entry>,
    /// The reason, for the user.
    pub text: String,
}

/// C: `getaddrinfo()`, Python: `socket.getaddrinfo()`. HOST and SERVICE are
/// names or numbers as text; `None` is C's NULL. `flags`: AI_PASSIVE …  [T-V5]
pub fn getaddrinfo(
    host: Option<&str>,
    service: Option<&str>,
    flags: i32,
    wait: Duration,
) -> Result<Vec<Answer>, NoAnswer> {
    // ---- 2 getaddrinfo() -------------------------------------------------
    // No type is given, so each address comes once for TCP, UDP and raw. The
    // client should try the addresses in this order: see order.rs. (viva 10)
    // The kernel has no host names: it uses the addresses found here.
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
            let answer = answer.ok()?; // skips other families than IPv4, IPv6
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
    // The name comes from other records than the address did: /etc/hosts, or
    // DNS below in-addr.arpa. The owner of the ADDRESS writes these records
    // and may use any name, so a server must not trust it.       (viva 11)
    // Python: socket.getnameinfo()  C: getnameinfo()
    let ask = move || dns_lookup::getnameinfo(&address, flags);
    let told =
        |(host, service): &(String, String)| format!("{host:?}, {service:?}");
    traced("getnameinfo", address.to_string(), told, || within(wait, ask))
}

/// Calls `ask`, and writes the call and its result to the trace.
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

/// Calls `ask` in a thread of its own, and waits at most `wait`. A thread that
/// is late continues until its call returns or the program ends. (try 7)
fn within<T: Send + 'static>(
    wait: Duration,
    ask: impl FnOnce() -> Result<T, LookupError> + Send + 'static,
) -> Result<T, NoAnswer> {
    let (answer, answers) = bounded(1);
    let asking = thread::Builder::new().name("resolver".into());
    let started = asking.spawn(move || answer.send(ask()));
    if let Err(error) = started {
        let error = Error::new("spawn", "resolver", error);
        let why = format!("cannot start a thread: {error}");
        return Err(NoAnswer::other(why));
    }
    match answers.recv_timeout(wait) {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(NoAnswer::of(error)),
        Err(RecvTimeoutError::Timeout) => Err(NoAnswer::other(format!(
            "timed out after {} s: a name server does not answer. The call \
             has no deadline; --wait sets this one",
            wait.as_secs_f64()
        ))),
        Err(RecvTimeoutError::Disconnected) => {
            Err(NoAnswer::other("the answer is not UTF-8 text".into()))
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

    /// The error number, such as EAI_NONAME. `None`: no answer in time.
    pub fn number(&self) -> Option<i32> {
        self.entry.and_then(|entry| entry.number)
    }

    /// The error's name, such as `EAI_NONAME`, or else its text.
    fn name(&self) -> &str {
        self.entry.map_or(&self.text, |entry| entry.name)
    }
}
