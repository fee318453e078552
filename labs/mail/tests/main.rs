//! The mail lab, tested as a black box. The client talks to servers that follow
//! a script (every branch of the dialogue), and to Postfix. The sink is tested
//! over sockets and with other mail clients.

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
