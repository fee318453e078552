//! The client's side of the protocol that answer.rs describes: its requests,
//! and the replies that it accepts.

/// What can be asked. [G-3a]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// SEND_DATE: which day is it?
    Date,
    /// SEND_TIME: which hour, minute and second?
    Time,
}

impl Request {
    /// The request as it is sent.
    pub fn text(self) -> &'static str {
        match self {
            Request::Date => "SEND_DATE",
            Request::Time => "SEND_TIME",
        }
    }

    /// Is this the reply to the other request? A time differs from a date, also
    /// without a number in the messages. The client checks nothing else,
    /// because the handout leaves the form of a date open.
    pub fn is_contradicted_by(self, answer: &[u8]) -> bool {
        let other = match self {
            Request::Date => b"00:00:00".as_slice(),
            Request::Time => b"0000-00-00",
        };
        answer.len() == other.len()
            && other.iter().zip(answer).all(|(form, byte)| match form {
                b'0' => byte.is_ascii_digit(),
                mark => mark == byte,
            })
    }
}
