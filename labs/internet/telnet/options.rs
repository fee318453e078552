//! Telnet's commands, taken out of the text. RFC 854; RFC 1143 on why a no
//! is not answered.
//!
//! ```text
//! h e l l o  IAC DO 31  w o r l d  IAC SB 24 1 IAC SE  255 = IAC IAC
//! text       a question text       an option's data    a byte of text
//! ```

use crate::job::Job;

/// "Interpret as command": what follows is no text.
pub const IAC: u8 = 255;
const SE: u8 = 240; // end of what SB began
const SB: u8 = 250; // an option's own data
const WILL: u8 = 251; // I want to; WONT: I do not
const WONT: u8 = 252;
const DO: u8 = 253; // please do; DONT: please do not
const DONT: u8 = 254;

/// Takes the server's commands out of its text, one byte after the other: a
/// command may be cut anywhere between two segments.
pub struct Options<'a> {
    job: &'a Job,
    state: State,
    /// How many questions were answered so far, all with no.
    pub answered: usize,
}

#[derive(Clone, Copy)]
enum State {
    Text,
    Return,    // after CR: the NUL of CR NUL is no text
    Command,   // after IAC
    Asked(u8), // after IAC DO, and its like
    Data,      // between IAC SB and IAC SE
    DataEnd,   // an IAC there
}

impl<'a> Options<'a> {
    /// At the beginning, when every option is off.
    pub fn of(job: &'a Job) -> Options<'a> {
        Options { job, state: State::Text, answered: 0 }
    }

    /// The text in these bytes, and what must be answered.
    pub fn take(&mut self, bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut text, mut answers) = (Vec::new(), Vec::new());
        for &byte in bytes {
            self.state = match (self.state, byte) {
                (State::Text | State::Return, IAC) => State::Command,
                (State::Return, 0) => State::Text,
                (State::Text | State::Return, byte) => {
                    text.push(byte);
                    if byte == b'\r' { State::Return } else { State::Text }
                }
                (State::Command, IAC) => {
                    text.push(IAC);
                    State::Text
                }
                (State::Command, SB) => State::Data,
                (State::Command, WILL..=DONT) => State::Asked(byte),
                (State::Command, _) => State::Text, // go ahead, nothing, …
                (State::Asked(verb), option) => {
                    answers.extend(self.answer(verb, option));
                    State::Text
                }
                (State::Data, IAC) => State::DataEnd,
                (State::DataEnd, SE) => State::Text,
                (State::Data | State::DataEnd, _) => State::Data,
            };
        }
        (text, answers)
    }

    /// No, politely; to a no, nothing: or both would say no for ever.
    fn answer(&mut self, verb: u8, option: u8) -> Vec<u8> {
        // ---- 3 asked -----------------------------------------------------
        let (name, no, ours) = match verb {
            DO => ("DO", WONT, "WONT"),
            WILL => ("WILL", DONT, "DONT"),
            DONT => ("DONT", 0, ""),
            _ => ("WONT", 0, ""),
        };
        self.job.show("S: ", format!("IAC {name} {option}").as_bytes());
        if no == 0 {
            return Vec::new();
        }

        // ---- 4 refused ---------------------------------------------------
        self.answered += 1;
        self.job.show("C: ", format!("IAC {ours} {option}").as_bytes());
        vec![IAC, no, option]
    }
}
