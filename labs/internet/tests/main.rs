//! The internet lab, black box: `fetch` against real servers (Dovecot,
//! vsftpd, Gophernicus, sn, Python's own), which the tests start as an
//! ordinary user in folders of their own; beside Python's poplib, imaplib and
//! ftplib; and against servers that misbehave at every step.

mod bad;
mod faults;
mod files;
mod mail;
mod news;
mod parts;
mod peers;
mod person;
mod plain;
mod urls;

use harness::source_tree;
use harness::{installed, play_readme};

#[test]
fn t_m_the_readmes_transcripts_hold() {
    if installed("python3", "python3") {
        play_readme("internet");
    }
}

#[test]
fn t_m_the_steps_that_are_printed_are_the_banners_of_the_code() {
    let folder =
        source_tree::root().expect("the sources").join("labs/internet");
    for scheme in [
        "pop3",
        "imap",
        "ftp",
        "ftp/data",
        "ftp/upload",
        "nntp",
        "gopher",
        "http",
    ] {
        let file = folder.join(scheme).with_extension("rs");
        let text = source_tree::read(&file).expect("a file");
        let printed = text.split(".step(\"").skip(1);
        let printed = printed.filter_map(|rest| rest.split('"').next());
        let printed: Vec<&str> = printed.collect();
        assert!(!printed.is_empty(), "{scheme}");
        assert_eq!(
            printed,
            harness::steps::banners(&file).expect("a file"),
            "{scheme}"
        );
    }
}
