//! The mail lab, black box. The client against servers that follow a script
//! (every branch of the dialogue), and against Postfix;
//! the sink over sockets and with other people's mail clients.

mod dialogue;
mod eml;
mod faults;
mod letters;
mod pair;
mod plain;
mod postfix;
mod script;
mod secure;
mod sink;
mod units;

#[test]
fn w_t4a_the_readmes_transcripts_hold() {
    harness::play_readme("mail");
}
