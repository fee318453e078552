//! Proves that a FIFO joins strangers in any order, and harms no other file.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::mpsc;
use std::thread;

use harness::terminal::Terminal;
use rustix::process::{Signal, geteuid};

use super::{end, place, rest, start, wait};
use harness::{DEADLINE, make_fifo, python};

const READER: &str = "pipes-fifo-reader";
const WRITER: &str = "pipes-fifo-writer";

#[test]
fn t_x3_fifo_writer_and_reader_start_in_either_order() {
    for first_writes in [true, false] {
        let (_folder, path) = place("fifo");
        let programs = [WRITER, READER];
        let mut pair = programs.map(|_| None);
        for turn in 0..2 {
            let which = usize::from((turn == 1) == first_writes);
            let mut program = start(programs[which], &path, &[]);
            wait(&mut program, "open(…): waiting for a …");
            pair[which] = Some(program);
        }
        let [Some(mut writer), Some(mut reader)] = pair else { panic!() };
        wait(&mut writer, "open(…): a reader is there; type");
        writer.type_line("hello").expect("it reads");
        wait(&mut reader, "read() = 6: hello\\n");
        writer.end_input();
        wait(&mut reader, "read() = 0, end of file: …");
        assert_eq!((end(&mut writer), end(&mut reader)), (Some(0), Some(0)));
        let left = fs::metadata(&path).expect("the name is still there");
        assert_eq!(left.len(), 0, "and never had any bytes");
        assert_eq!(left.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn t_x3_fifo_talks_with_python_in_both_directions() {
    let (_folder, path) = place("fifo");
    let mut reader = start(READER, &path, &["--remove"]);
    let Some(mut command) = python("pipes/fifo_writer.py") else { return };
    command.arg(&path).args(["eins", "zwei"]);
    let mut peer = Terminal::run(&mut command).expect("it starts");
    wait(&mut peer, "open");
    let printed = rest(&mut reader);
    assert!(printed.contains("eins\\n") && printed.contains("zwei\\n"));
    assert!(!path.exists(), "--remove: {printed}");

    let mut writer = start(WRITER, &path, &[]);
    let Some(mut command) = python("pipes/fifo_reader.py") else { return };
    let mut peer = Terminal::run(command.arg(&path)).expect("it starts");
    writer.type_line("trois").expect("it reads");
    wait(&mut peer, "read b'trois\\n'");
    writer.end_input();
    wait(&mut peer, "end of file");
}

#[test]
fn t_x3_fifo_writer_learns_at_its_next_write_that_the_reader_left() {
    let (_folder, path) = place("fifo");
    let mut writer = start(WRITER, &path, &[]);
    wait(&mut writer, "open(…): waiting for a reader");
    let mut reader = File::open(&path).expect("the FIFO");
    writer.type_line("one").expect("it reads");
    let mut bytes = [0; 4];
    reader.read_exact(&mut bytes).expect("its line");
    drop(reader);
    writer.type_line("two").expect("it reads");
    wait(&mut writer, "Error: write(…): Broken pipe (EPIPE). Nobody …");
    assert_eq!(end(&mut writer), Some(1));
}

#[test]
fn t_x3_fifo_is_not_waited_for_when_asked_not_to() {
    let (_folder, path) = place("fifo");
    let mut writer = start(WRITER, &path, &["--no-wait"]);
    wait(&mut writer, "Error: open(…): No such device or address (ENXIO). …");
    assert_eq!(end(&mut writer), Some(1));
    for program in [WRITER, READER] {
        let mut program = start(program, &path, &["--wait", "1"]);
        wait(&mut program, "Error: open(…): timed out: no other process …");
        assert_eq!(end(&mut program), Some(1));
    }
}

#[test]
fn t_x3_fifo_reader_stays_for_many_writers_and_keeps_lines_whole() {
    let (_folder, path) = place("fifo");
    let mut reader = start(READER, &path, &["--stay", "--remove"]);
    wait(&mut reader, "open(…): open for reading");
    let writers: Vec<_> = (0..20)
        .map(|number| {
            let path = path.clone();
            thread::spawn(move || {
                let mut fifo = OpenOptions::new().write(true).open(path)?;
                fifo.write_all(format!("line {number}\n").as_bytes())
            })
        })
        .collect();
    for writer in writers {
        writer.join().expect("a writer").expect("it writes");
    }
    let mut lines: Vec<String> = Vec::new();
    while lines.len() < 20 {
        let line = wait(&mut reader, "read() = …: …");
        let (_, text) = line.split_once(": ").expect("text");
        let whole = text.strip_suffix("\\n").expect("whole lines");
        lines.extend(whole.split("\\n").map(str::to_string));
    }
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 20, "each of them once: {lines:?}");
    reader.signal(Signal::INT).expect("a signal");
    wait(&mut reader, "unlink(…): removed");
    wait(&mut reader, "bye");
    assert_eq!(end(&mut reader), Some(0));
    assert!(!path.exists());
}

#[test]
fn t_x3_fifo_that_was_replaced_is_not_removed() {
    let (_folder, path) = place("fifo");
    let mut reader = start(READER, &path, &["--stay", "--remove"]);
    wait(&mut reader, "open(…): open for reading");
    fs::remove_file(&path).expect("the name goes");
    fs::write(&path, "thesis").expect("a file takes it");
    reader.signal(Signal::TERM).expect("a signal");
    wait(&mut reader, "… is another file by now; it stays as it is");
    assert_eq!(end(&mut reader), Some(0));
    assert_eq!(fs::read(&path).expect("the file"), b"thesis");
}

#[test]
fn t_x3_fifo_of_somebody_else_is_not_removed() {
    let (_folder, path) = place("fifo");
    let mut reader = start(READER, &path, &["--stay", "--remove"]);
    wait(&mut reader, "open(…): open for reading");
    fs::remove_file(&path).expect("the name goes");
    make_fifo(&path);
    reader.signal(Signal::TERM).expect("a signal");
    wait(&mut reader, "… is another file by now; it stays as it is");
    assert_eq!(end(&mut reader), Some(0));
    assert!(path.exists());
}

#[test]
fn t_x3_fifo_behind_a_link_stays_and_one_that_is_gone_is_said() {
    let (folder, path) = place("fifo");
    make_fifo(&path);
    let link = folder.path().join("link");
    symlink(&path, &link).expect("a link");
    let mut reader = start(READER, &link, &["--stay", "--remove"]);
    wait(&mut reader, "open(…): open for reading");
    reader.signal(Signal::TERM).expect("a signal");
    wait(&mut reader, "… is a symbolic link; it stays as it is");
    assert_eq!(end(&mut reader), Some(0));
    assert!(path.exists() && link.is_symlink());

    let mut reader = start(READER, &path, &["--stay", "--remove"]);
    wait(&mut reader, "open(…): open for reading");
    fs::remove_file(&path).expect("the name goes");
    reader.signal(Signal::TERM).expect("a signal");
    wait(&mut reader, "… is gone already");
    assert_eq!(end(&mut reader), Some(0));
}

#[test]
fn t_x3_fifo_is_removed_when_nobody_comes_and_when_the_terminal_goes() {
    let (_folder, path) = place("fifo");
    let mut reader = start(READER, &path, &["--remove", "--wait", "1"]);
    wait(&mut reader, "unlink(…): removed");
    assert_eq!(end(&mut reader), Some(1));
    assert!(!path.exists());
    let mut reader = start(READER, &path, &["--remove"]);
    wait(&mut reader, "open(…): waiting for a writer");
    reader.signal(Signal::HUP).expect("a signal");
    wait(&mut reader, "unlink(…): removed");
    assert_eq!(end(&mut reader), Some(0));
    assert!(!path.exists());
}

#[test]
fn t_x3_capacity_of_a_fifo_that_is_read_cannot_be_seen() {
    let (_folder, path) = place("fifo");
    let mut reader = start(READER, &path, &["--stay"]);
    wait(&mut reader, "open(…): open for reading");
    let mut filling = start("pipes-capacity", &path, &[]);
    wait(&mut filling, "Error: … is open for reading somewhere …");
    assert_eq!(end(&mut filling), Some(1));
}

#[test]
fn t_x3_fifo_name_that_is_something_else_is_refused_untouched() {
    let (folder, path) = place("something");
    let programs = [WRITER, READER, "pipes-fifo-talk", "pipes-capacity"];
    let refuse = |expected: &str| {
        for program in programs {
            let mut program = start(program, &path, &[]);
            wait(&mut program, &format!("Error: …{expected}…"));
            assert_eq!(end(&mut program), Some(1));
        }
    };
    fs::write(&path, "thesis").expect("a file");
    refuse("is a regular file, not a FIFO. It stays as it is");
    assert_eq!(fs::read(&path).expect("the file"), b"thesis");
    fs::remove_file(&path).expect("it goes");
    fs::create_dir(&path).expect("a folder");
    refuse("is a folder, not a FIFO");
    fs::remove_dir(&path).expect("it goes");
    let _socket = std::os::unix::net::UnixListener::bind(&path);
    refuse("is a socket, not a FIFO");
    fs::remove_file(&path).expect("it goes");
    symlink("nowhere", &path).expect("a link");
    refuse("is a symbolic link to nothing");

    let missing = folder.path().join("no").join("fifo");
    let mut program = start(READER, &missing, &[]);
    wait(&mut program, "Error: mkfifo(…): … (ENOENT). A folder in this …");
    let long = folder.path().join("x".repeat(300));
    let mut program = start(READER, &long, &[]);
    wait(&mut program, "Error: mkfifo(…): File name too long …");
}

#[test]
fn t_x3_fifo_that_exists_is_used_and_its_owner_told() {
    let (_folder, path) = place("fifo");
    make_fifo(&path);
    let inode = fs::metadata(&path).expect("the FIFO").ino();
    let mut reader = start(READER, &path, &["--wait", "1"]);
    wait(&mut reader, "mkfifo(…): it exists, so I use it");
    end(&mut reader);
    assert_eq!(fs::metadata(&path).expect("the FIFO").ino(), inode);
    if !geteuid().is_root() {
        return; // only root can give a file away
    }
    std::os::unix::fs::chown(&path, Some(4242), None).expect("root may");
    let mut reader = start(READER, &path, &["--wait", "1"]);
    wait(&mut reader, "warning: … belongs to user 4242, …");
}

#[test]
fn t_x3_talk_over_one_fifo_gives_each_line_to_one_reader() {
    let (_folder, path) = place("fifo");
    let (seen, lines) = mpsc::channel();
    let mut writer = None;
    for name in ["anna", "ben"] {
        let mut talker = start("pipes-fifo-talk", &path, &["--name", name]);
        wait(&mut talker, "open; type, and I print what I read");
        writer = writer.or_else(|| talker.take_input());
        let seen = seen.clone();
        thread::spawn(move || {
            while let Ok(Some(line)) = talker.read_line() {
                if seen.send((name, line)).is_err() {
                    break; // the test is over: the talker is ended
                }
            }
        });
    }
    let mut anna = writer.expect("anna's input");
    for number in 0..20 {
        let line = format!("line {number}\n");
        anna.write_all(line.as_bytes()).expect("it reads");
        let (who, read) = lines.recv_timeout(DEADLINE).expect("a reader");
        let own = if who == "anna" { "I read my own words" } else { "I read" };
        assert_eq!(read, format!("{own}: anna: line {number}"));
    }
}

#[test]
fn t_x3_talk_over_two_fifos_is_a_conversation() {
    let (folder, one) = place("one");
    let two = folder.path().join("two");
    let talk = |out: &std::path::Path, back: &std::path::Path, name: &str| {
        let words = [out.as_os_str(), back.as_os_str()].into_iter();
        let words = words.chain(["--name", name].map(AsRef::as_ref));
        Terminal::start("pipes-fifo-talk", words).expect("it starts")
    };
    let mut anna = talk(&one, &two, "anna");
    let mut ben = talk(&two, &one, "ben");
    wait(&mut anna, "open; type, and I print what I read");
    wait(&mut ben, "open; type, and I print what I read");
    for number in 0..5 {
        anna.type_line(&format!("to ben {number}")).expect("it reads");
        ben.type_line(&format!("to anna {number}")).expect("it reads");
        wait(&mut ben, &format!("I read: anna: to ben {number}"));
        wait(&mut anna, &format!("I read: ben: to anna {number}"));
    }
    anna.end_input();
    wait(&mut ben, "read() = 0: the other side has closed");
    assert_eq!(end(&mut ben), Some(0));
    wait(&mut anna, "read() = 0: the other side has closed");

    // Two names of one FIFO would be one FIFO.
    let mut fool = talk(&one, &one, "fool");
    wait(&mut fool, "Error: these are two names of one FIFO");
}

#[test]
fn t_x3_fifo_talk_reads_its_last_line_before_it_ends() {
    let (_folder, path) = place("fifo");
    let mut talker = start("pipes-fifo-talk", &path, &["--name", "anna"]);
    talker.type_line("hi").expect("it reads");
    talker.end_input();
    wait(&mut talker, "I read my own words: anna: hi");
    assert_eq!(end(&mut talker), Some(0));
}

#[test]
fn t_x3_fifo_talk_says_what_the_other_side_must_type() {
    let (folder, path) = place("x");
    let other = folder.path().join("y");
    let other = other.to_str().expect("UTF-8");
    let mut talker = start("pipes-fifo-talk", &path, &[other]);
    wait(&mut talker, "waiting for the other side: pipes-fifo-talk …/y …/x");
}
