//! `socketlab demo [LAB…]`: plays the transcripts of the READMEs.

use harness::{source_tree, transcript};
use socketlab::{Error, Result, say};

use crate::labs::chosen;

/// Plays each lab's transcripts.
pub fn demo(labs: &[&str]) -> Result<()> {
    say!(
        "Each line is printed as it happens. Ports are mapped to free ones, \
         files in /tmp to a folder of their own."
    );
    let mut played = 0;
    for lab in chosen(labs)? {
        let page =
            source_tree::root()?.join("labs").join(&lab).join("README.md");
        let blocks = transcript::blocks(&source_tree::read(&page)?);
        for (index, (line, block)) in blocks.iter().enumerate() {
            let (number, count) = (index + 1, blocks.len());
            say!("\n==== {lab}, {number} of {count} (README, line {line})");
            transcript::play(block, &mut |text| say!("{text}")).map_err(
                |error| {
                    Error::other(format!(
                        "labs/{lab}/README.md, transcript at line {line}: \
                         {error}"
                    ))
                },
            )?;
            played += 1;
        }
    }
    say!("\nall of it held; transcripts played: {played}");
    Ok(())
}
