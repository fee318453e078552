//! The mail lab, black box. The client against servers that follow a script
//! (every branch of the dialogue), and against Postfix;
//! the sink over sockets and with other people's mail clients.

#[path = "mail/dialogue.rs"]
mod dialogue;
#[path = "mail/faults.rs"]
mod faults;
#[path = "mail/letters.rs"]
mod letters;
#[path = "mail/pair.rs"]
mod pair;
#[path = "mail/postfix.rs"]
mod postfix;
#[path = "mail/script.rs"]
mod script;
#[path = "mail/secure.rs"]
mod secure;
#[path = "mail/sink.rs"]
mod sink;

#[test]
fn w_t4a_the_readmes_transcripts_hold() {
    support::play_readme("mail");
}
