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
