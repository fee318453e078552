//! Separates Telnet's commands from the text. RFC 854; RFC 1143 says why a
//! refusal is not answered.
//!
//! ```text
//! h e l l o  IAC DO 31  w o r l d  IAC SB 24 1 IAC SE  255 = IAC IAC
//! text       a question text       an option's data    a byte of text
//! ```

use socketlab::dialogue::Printer;

/// "Interpret as command": what follows is not text.
pub const IAC: u8 = 255;
const SE: u8 = 240; // end of what SB began
const SB: u8 = 250; // an option's own data
const WILL: u8 = 251; // I want to; WONT: I do not
const WONT: u8 = 252;
const DO: u8 = 253; // please do; DONT: please do not
const DONT: u8 = 254;

/// Separates the server's commands from its text, byte by byte, because a
/// command may be split anywhere between two segments.
pub struct Options<'a> {
    printer: &'a Printer,
    reading: Reading,
    /// How many requests have been refused so far.
    pub answered: usize,
}

#[derive(Clone, Copy)]
enum Reading {
    Text,
    Return,    // after CR: the NUL of CR NUL is not text
    Command,   // after IAC
    Asked(u8), // after IAC DO, and its like
    Data,      // between IAC SB and IAC SE
    DataEnd,   // an IAC there
}

impl<'a> Options<'a> {
    /// At the beginning, when every option is off.
    pub fn new(printer: &'a Printer) -> Options<'a> {
        Options { printer, reading: Reading::Text, answered: 0 }
    }

    /// The text in these bytes, and what must be answered.
    pub fn take(&mut self, bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut text, mut answers) = (Vec::new(), Vec::new());
        for &byte in bytes {
            self.reading = match (self.reading, byte) {
                (Reading::Text | Reading::Return, IAC) => Reading::Command,
                (Reading::Return, 0) => Reading::Text,
                (Reading::Text | Reading::Return, byte) => {
                    text.push(byte);
                    if byte == b'\r' { Reading::Return } else { Reading::Text }
                }
                (Reading::Command, IAC) => {
                    text.push(IAC);
                    Reading::Text
                }
                (Reading::Command, SB) => Reading::Data,
                (Reading::Command, WILL..=DONT) => Reading::Asked(byte),
                (Reading::Command, _) => Reading::Text, // go ahead, nothing, …
                (Reading::Asked(verb), option) => {
                    answers.extend(self.answer(verb, option));
                    Reading::Text
                }
                (Reading::Data, IAC) => Reading::DataEnd,
                (Reading::DataEnd, SE) => Reading::Text,
                (Reading::Data | Reading::DataEnd, _) => Reading::Data,
            };
        }
        (text, answers)
    }

    /// Refuses what the server requests or offers. A refusal gets no reply,
    /// because otherwise both sides would refuse each other without end.
    fn answer(&mut self, verb: u8, option: u8) -> Vec<u8> {
        // ---- 3 asked -----------------------------------------------------
        let (name, no, ours) = match verb {
            DO => ("DO", WONT, "WONT"),
            WILL => ("WILL", DONT, "DONT"),
            DONT => ("DONT", 0, ""),
            _ => ("WONT", 0, ""),
        };
        self.printer.show("S: ", format!("IAC {name} {option}").as_bytes());
        if no == 0 {
            return Vec::new();
        }

        // ---- 4 refused ---------------------------------------------------
        self.answered += 1;
        self.printer.show("C: ", format!("IAC {ours} {option}").as_bytes());
        vec![IAC, no, option]
    }
}
