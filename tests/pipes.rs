//! The pipes lab, black box.

mod support;

use support::play_readme;

#[test]
fn t_x3_the_readmes_transcripts_hold() {
    play_readme("pipes");
}
