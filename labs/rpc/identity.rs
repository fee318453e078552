//! Who calls, and which of its calls this is: ids such as `ada/7`. By them a
//! server knows a call again, on whatever connection it comes.     (viva 8)
//!
//! ```text
//! "ada/7"     ada's seventh call
//! "ada/b/7"   the seventh of "ada/b": the last slash counts
//! 1 "x" null  good ids of JSON-RPC, which name nobody
//! ```
//!
//! stub.rs makes such ids, replies.rs remembers them.

use crate::wire::quote;

/// Longest id in bytes, as it stands in the text.
pub const LONGEST_ID: usize = 128;

/// The parts of an id such as `ada/7`: whose call, and which of theirs. Any
/// other id names no client, and a server cannot know it again.  (viva 8)
pub fn identity(id: &str) -> Option<(&str, u64)> {
    let (client, digits) = id.rsplit_once('/')?;
    let counts = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.parse().ok().filter(|&number| number > 0)?;
    let fits = quote(id).len() <= LONGEST_ID;
    (counts && fits && !client.is_empty()).then_some((client, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_a_client_and_a_number() {
        assert_eq!(identity("ada/1"), Some(("ada", 1)));
        let most = "a/b/18446744073709551615";
        assert_eq!(identity(most), Some(("a/b", u64::MAX)));
        for nobody in ["ada/18446744073709551616", "ada/0", "/1", "ada", "1"] {
            assert_eq!(identity(nobody), None, "{nobody}");
        }
        assert_eq!(identity(&format!("{}/1", "a".repeat(LONGEST_ID))), None);
    }
}
