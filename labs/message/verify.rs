//! The server's end of a login: a nonce for each connection, and whether the
//! answer is the one that the holder of the secret gives. The rungs are in
//! auth.rs; prove.rs is the owner's end.                          [D-T2.1]

use hmac::Mac;
use rand::TryRng;
use rand::rngs::SysRng;
use socketlab::{Error, Result};

use crate::auth::{Rung, Secret, mac, to_hex};

/// A number used once: 32 fresh random bytes from the operating system, in
/// hexadecimal. If it ever repeated, so could an answer.       (viva 12)
pub fn nonce() -> Result<String> {
    let mut bytes = [0; 32];
    SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|error| Error::other(format!("getrandom(): {error}")))?;
    Ok(to_hex(&bytes))
}

/// Is `answer` what the holder of the secret sends on this rung?
///
/// `==` on bytes stops at the first difference, and the time it took tells
/// an attacker how far he got. verify_slice looks at all bytes, always. A
/// password is run through an HMAC of its own, whose key is new each time,
/// so that this one comparison serves both rungs.    [D-T2.1] (viva 13)
pub fn check(rung: Rung, secret: &Secret, nonce: &str, answer: &[u8]) -> bool {
    let key = nonce.as_bytes();
    let verified = match rung {
        Rung::None | Rung::AllowList => return false, // no answer is asked
        Rung::Challenge => mac(secret.bytes(), key)
            .zip(from_hex(answer))
            .map(|(mac, proof)| mac.verify_slice(&proof)),
        Rung::Password => mac(key, secret.bytes())
            .zip(mac(key, answer))
            .map(|(mac, given)| mac.verify(&given.finalize().into_bytes())),
    };
    matches!(verified, Some(Ok(())))
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes = pairs
        .iter()
        .map(|&[high, low]| u8::try_from(digit(high)? * 16 + digit(low)?).ok());
    if rest.is_empty() { bytes.collect() } else { None }
}
