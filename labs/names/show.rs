//! `names show`: the vocabulary of the handout with real sockets. Each topic
//! opens its own sockets on 127.0.0.1 (live_sockets.rs).
//!
//! If a topic does not see what it claims, the program ends with status 1.

use socketlab::{Result, args, say};

use crate::{diagram, kinds, tuple};

/// A topic: its word on the command line, its title, and its function.
struct Topic(&'static str, &'static str, fn() -> Result<()>);

/// All topics, in the order in which they are shown.
const TOPICS: &[Topic] = &[
    Topic("sockets", "two sockets and the path between them", diagram::sockets),
    Topic(
        "words",
        "the words of socket(), bind() and connect()",
        diagram::words,
    ),
    Topic(
        "four-tuple",
        "one port of the server, many connections",
        tuple::four,
    ),
    Topic("same-port", "TCP and UDP have separate ports", tuple::same_port),
    Topic(
        "ephemeral",
        "the kernel chooses the client's port",
        tuple::ephemeral,
    ),
    Topic("kinds", "connection, boundaries, reliability", kinds::kinds),
    Topic("lost", "bytes that were sent but not read", kinds::lost),
];

/// Shows one topic, or all of them. TRACE=1 also shows each call. (try 10)
pub fn tell(topic: Option<&str>) -> Result<()> {
    let mut shown = 0;
    for Topic(name, title, show) in TOPICS {
        if topic.is_some_and(|wanted| wanted != *name) {
            continue;
        }
        if shown > 0 {
            say!("");
        }
        say!("== {name}: {title}");
        show()?;
        shown += 1;
    }
    if shown == 0 {
        let names: Vec<&str> = TOPICS.iter().map(|topic| topic.0).collect();
        args::usage(&format!(
            "show needs one of these topics: {}. `names show` alone shows \
             all of them. For a host called show: names --host show",
            names.join(", ")
        ));
    }
    Ok(())
}
