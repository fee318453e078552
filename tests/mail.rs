//! The mail lab, black box. The client against servers that follow a script
//! (every branch of the dialogue), and against Postfix.

mod support;

#[path = "mail/dialogue.rs"]
mod dialogue;
#[path = "mail/faults.rs"]
mod faults;
#[path = "mail/letters.rs"]
mod letters;
#[path = "mail/postfix.rs"]
mod postfix;
#[path = "mail/script.rs"]
mod script;
#[path = "mail/secure.rs"]
mod secure;

#[test]
fn w_t4a_the_readmes_transcripts_hold() {
    support::play_readme("mail");
}
