//! `names show`: the vocabulary of the handout beside live sockets. Each
//! topic makes its own (live_sockets.rs), on 127.0.0.1.
//!
//! A topic that did not come out as it says ends the program with status 1.

use socketlab::{Result, args, say};

use crate::{diagram, kinds, tuple};

/// A topic: its word on the command line, its title, and what shows it.
struct Topic(&'static str, &'static str, fn() -> Result<()>);

/// All topics, in the order in which they are shown.
const TOPICS: &[Topic] = &[
    Topic("sockets", "two sockets and what lies between", diagram::sockets),
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
    Topic("same-port", "TCP and UDP count their ports apart", tuple::same_port),
    Topic(
        "ephemeral",
        "the port that a client never asked for",
        tuple::ephemeral,
    ),
    Topic("kinds", "connection, boundaries, reliability", kinds::kinds),
    Topic("lost", "what send() took and nobody read", kinds::lost),
];

/// Shows a topic, or all; with TRACE=1 each call of it.           (try 10)
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
            "show WHAT? One of {}; alone, all of them. A host called show: \
             names --host show",
            names.join(", ")
        ));
    }
    Ok(())
}
