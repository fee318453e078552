//! `socketlab demo [LAB…]`: plays the transcripts of the labs' pages.

use std::path::Path;

use harness::{source_tree, transcript};
use socketlab::{Error, Result, say};

use crate::labs::chosen;

/// Plays each lab's transcripts.
pub fn demo(labs: &[&str]) -> Result<()> {
    say!(
        "The programs run now, and each line appears when it is printed. Free \
         ports and a temporary folder replace those of the page."
    );
    let mut played = 0;
    for lab in chosen(labs)? {
        for page in source_tree::pages(&lab)? {
            played += play(&lab, &page)?;
        }
    }
    say!("\nAll {played} transcripts matched.");
    Ok(())
}

/// Plays a page; returns how many transcripts it has.
fn play(lab: &str, page: &Path) -> Result<usize> {
    let name = page.file_name().unwrap_or_default().to_string_lossy();
    let blocks = transcript::blocks(&source_tree::read(page)?);
    let count = blocks.len();
    for (index, (line, block)) in blocks.iter().enumerate() {
        let number = index + 1;
        say!("\n==== {lab}, {number} of {count} ({name}, line {line})");
        transcript::play(block, &mut |text| say!("{text}")).map_err(
            |error| {
                Error::other(format!(
                    "labs/{lab}/{name}, transcript at line {line}: {error}"
                ))
            },
        )?;
    }
    Ok(count)
}
