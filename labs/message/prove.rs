//! The owner's end of a login: the answer to the server's greeting, by the
//! rungs of auth.rs. verify.rs is the server's end.               [D-T2.1]

use hmac::Mac;
use socketlab::{Error, Result, console};

use crate::auth::{Rung, Secret, mac, to_hex};

/// The client's answer to a challenge. The secret stays at home: what goes
/// over the wire is good for this nonce alone.       [D-T2.1] (viva 12)
fn prove(secret: &Secret, nonce: &str) -> String {
    let mac = mac(secret.bytes(), nonce.as_bytes());
    mac.map_or(String::new(), |mac| to_hex(&mac.finalize().into_bytes()))
}

/// What a client of this rung answers to the server's greeting. It does what
/// its user asked for and nothing less: a server that wants the bare password
/// of a challenge user may be a false one, and gets nothing.  (viva 12)
pub fn reply(rung: Rung, secret: &Secret, greeting: &[u8]) -> Result<Vec<u8>> {
    let text = String::from_utf8_lossy(greeting);
    let words: Vec<&str> = text.split(' ').collect();
    match (rung, words.as_slice()) {
        (Rung::Password, ["AUTH", "password"]) => Ok(secret.bytes().to_vec()),
        (Rung::Challenge, ["AUTH", "challenge", nonce]) => {
            Ok(prove(secret, nonce).into_bytes())
        }
        _ => Err(Error::other(format!(
            "the server asks for no {rung}, it says '{}': nothing was sent",
            console::escape(greeting)
        ))),
    }
}
