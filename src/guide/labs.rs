//! The labs that a command names.

use harness::source_tree;
use socketlab::{Result, args};

/// The labs that the user named, or all labs in reading order.
pub fn chosen(labs: &[&str]) -> Result<Vec<String>> {
    let all = source_tree::labs()?;
    for lab in labs {
        if !all.iter().any(|known| known == lab) {
            let known = all.join(" ");
            args::usage(&format!(
                "'{lab}' is not a lab. The labs are: {known}"
            ));
        }
    }
    match labs {
        [] => Ok(all),
        some => Ok(some.iter().map(ToString::to_string).collect()),
    }
}
