//! Servers that misbehave: at every step of every dialogue they close, stay
//! silent, or send nonsense. `fetch` ends with status 1 in time, prints after
//! which command it was, and leaves no incomplete file.

use std::io::Write;
use std::net::{Shutdown, TcpListener};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Instant;

use harness::terminal;

use crate::parts::{
    PASSWORD, Step, Then, command, failure, fetch, line, peer, result, said,
    script, text,
};
use harness::DEADLINE;

const POP3: [Step; 7] = [
    ("", b"+OK ready\r\n"),
    ("USER ann", b"+OK\r\n"),
    ("PASS ", b"+OK\r\n"),
    ("STAT", b"+OK 1 9\r\n"),
    ("LIST 1", b"+OK 1 9\r\n"),
    ("RETR 1", b"+OK\r\nX: y\r\n\r\n"),
    ("", b"text\r\n.\r\n"),
];

const IMAP: [Step; 5] = [
    ("", b"* OK [CAPABILITY IMAP4rev1] ready\r\n"),
    ("a1 LOGIN ", b"a1 OK\r\n"),
    ("a2 EXAMINE \"INBOX\"", b"* 1 EXISTS\r\na2 OK\r\n"),
    ("a3 UID FETCH 1 ", b"* 1 FETCH (UID 1 BODY[] {14}\r\nX: y\r\n\r\n"),
    ("", b"text\r\n)\r\na3 OK\r\n"),
];

const NNTP: [Step; 4] = [
    ("", b"200 ready\r\n"),
    ("GROUP g", b"211 1 1 1 g\r\n"),
    ("ARTICLE 1", b"220 1 <a@b>\r\nX: y\r\n\r\n"),
    ("", b"text\r\n.\r\n"),
];

/// The control connection; the client never opens the second one.
const FTP: [Step; 7] = [
    ("", b"220 ready\r\n"),
    ("USER anonymous", b"331 password\r\n"),
    ("PASS fetch@", b"230 welcome\r\n"),
    ("TYPE I", b"200 I\r\n"),
    ("SIZE f", b"213 9\r\n"),
    ("EPSV", b"500 what?\r\n"),
    ("PASV", b"227 here: (127,0,0,1,0,0)\r\n"),
];

const HTTP: [Step; 2] = [
    ("GET / HTTP/1.1", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
    ("", b"123456789"),
];

fn dialogues() -> [(&'static str, &'static str, &'static [Step]); 5] {
    [
        ("pop3://ann@", "/1", &POP3),
        ("imap://ann@", "/INBOX;UID=1", &IMAP),
        ("nntp://", "/g/1", &NNTP),
        ("ftp://", "/f", &FTP),
        ("http://", "/", &HTTP),
    ]
}

/// All of these at once; each with an empty folder for its file.
fn all_at_once(cases: Vec<(String, Vec<Step>, Then)>) -> Vec<Output> {
    thread::scope(|scope| {
        let run = |(url, steps, then): (String, Vec<Step>, Then)| {
            scope.spawn(move || {
                let (address, _) = script(steps, then);
                let folder = tempfile::tempdir().expect("a folder");
                let file = folder.path().join("file");
                let name = file.to_str().expect("a name");
                let url = url.replace("HERE", &address.to_string());
                let output = fetch(&[&url, "--wait", "1", "-o", name]);
                let left = folder.path().read_dir().expect("a folder").count();
                assert_eq!(left, 0, "{url}: {}", said(&output));
                output
            })
        };
        let running: Vec<_> = cases.into_iter().map(run).collect();
        let done = running.into_iter().map(|run| run.join().expect("a case"));
        done.collect()
    })
}

#[test]
fn t_m_a_server_that_closes_or_hangs_at_any_step() {
    for then in [Then::Close, Then::Hang] {
        let mut cases = Vec::new();
        for (before, behind, steps) in dialogues() {
            for count in 0..steps.len() {
                let url = format!("{before}HERE{behind}");
                cases.push((url, steps[..count].to_vec(), then));
            }
        }
        let count = cases.len();
        let outputs = all_at_once(cases);
        assert_eq!(outputs.len(), count);
        for output in outputs {
            let text = failure(&output);
            assert!(text.contains("Error: "), "{text}");
            assert!(!text.contains(PASSWORD), "{text}");
        }
    }
}

#[test]
fn t_m_silence_inside_a_line_is_silence() {
    let cases =
        dialogues().into_iter().take(3).map(|(before, after, steps)| {
            let mut steps = steps.to_vec();
            steps.last_mut().expect("a step").1 = b"half a line";
            (format!("{before}HERE{after}"), steps, Then::Hang)
        });
    for output in all_at_once(cases.collect()) {
        let text = failure(&output);
        assert!(text.contains("timed out: no whole line within 1 s"), "{text}");
    }
}

#[test]
fn t_m_a_group_of_nonsense_is_not_an_empty_one() {
    for (reply, good) in [
        (&b"211 0 0 0 g\r\n"[..], true),
        (b"211 99999999999999999999 1 2 g\r\n", false),
        (b"211 3 1\r\n", false),
    ] {
        let steps = vec![NNTP[0], ("GROUP g", reply), ("QUIT", b"205\r\n")];
        let (address, _) = script(steps, Then::Close);
        let output = fetch(&[&format!("nntp://{address}/g")]);
        match good {
            true => assert_eq!(result(&output), b""),
            false => assert!(failure(&output).contains("GROUP g")),
        }
    }
}

#[test]
fn t_m_nonsense_at_any_step() {
    let nonsense: [&[u8]; 3] = [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x16\x03\x01\0\x05hello\xff\xfe\r\n",
        b"+OKAY 2200 a1OK \x1b[2J\r\n",
    ];
    let mut cases = Vec::new();
    for (before, behind, steps) in dialogues() {
        for count in 0..steps.len() {
            // Inside a message all bytes are text.
            if steps[count].0.is_empty() && count > 0 {
                continue;
            }
            let mut steps = steps[..=count].to_vec();
            steps[count].1 = nonsense[count % 3];
            cases.push((format!("{before}HERE{behind}"), steps, Then::Close));
        }
    }
    for output in all_at_once(cases) {
        let text = failure(&output);
        assert!(text.contains("Error: "), "{text}");
        assert!(!text.contains('\x1b'), "the terminal is not driven: {text:?}");
    }
}

/// The result of a dialogue without a fault; otherwise the tests above would
/// prove little.
#[test]
fn t_m_the_same_dialogues_without_a_fault() {
    for (before, behind, steps) in dialogues() {
        if before == "ftp://" {
            continue; // files.rs has it with its second connection
        }
        let (address, _) = script(steps.to_vec(), Then::Close);
        let url = format!("{before}{address}{behind}");
        let text = text(&fetch(&[&url]));
        let wanted = ["X: y\r\n\r\ntext\r\n", "123456789"];
        assert!(wanted.contains(&text.as_str()), "{url}: {text}");
    }
}

#[test]
fn t_m_a_greeting_byte_by_byte_or_without_end_has_a_deadline() {
    let long =
        peer(|mut client| while client.write_all(&[b'x'; 4096]).is_ok() {});
    let many =
        peer(
            |mut client| {
                while client.write_all(&b"220-more\r\n".repeat(100)).is_ok() {}
            },
        );
    let drips = harness::dripping_server().address;
    let urls = [
        format!("pop3://ann@{long}/"),
        format!("ftp://{many}/"),
        format!("imap://ann@{drips}/"),
        format!("nntp://{drips}/"),
    ];
    thread::scope(|scope| {
        for url in &urls {
            scope.spawn(move || {
                let begun = Instant::now();
                let text = failure(&fetch(&["-q", "--wait", "1", url]));
                assert!(begun.elapsed() < 2 * DEADLINE, "{url}");
                let known = ["timed out", "over 1000 lines"];
                assert!(known.iter().any(|k| text.contains(k)), "{text}");
            });
        }
    });
}

#[test]
fn t_m_a_list_without_an_end_is_printed_as_it_comes() {
    let address = peer(|mut client| {
        let _ = client.write_all(b"200 ready\r\n");
        line(&mut client);
        let _ = client.write_all(b"215 groups\r\n");
        while client.write_all(&b"a.group 9 1 y\r\n".repeat(1000)).is_ok() {}
    });
    // Not stored: 100 MB would be all the memory.
    let program = terminal::program_folder().join("fetch");
    let pipe =
        "ulimit -v 100000; \"$0\" -q \"$1\" | head -n 200000 | tail -n 1";
    let output = Command::new("sh")
        .args(["-c", pipe])
        .arg(program)
        .arg(format!("nntp://{address}/"))
        .output()
        .expect("sh runs");
    assert_eq!(result(&output), b"a.group 9 1 y\n");
}

#[test]
fn t_m_two_gigabytes_announced_are_not_kept_in_memory() {
    const SENT: usize = 120_000_000;
    let address = peer(|mut client| {
        for (wanted, answer) in &IMAP[..3] {
            if !wanted.is_empty() {
                line(&mut client);
            }
            let _ = client.write_all(answer);
        }
        line(&mut client);
        let head = b"* 1 FETCH (UID 1 BODY[] {2147483648}\r\n";
        let _ = client.write_all(head);
        for _ in 0..SENT / 100_000 {
            let _ = client.write_all(&[b'x'; 100_000]);
        }
    });
    let program = terminal::program_folder().join("fetch");
    let pipe = "ulimit -v 100000; exec \"$0\" \"$1\" > /dev/null";
    let output = Command::new("sh")
        .args(["-c", pipe])
        .arg(program)
        .arg(format!("imap://ann@{address}/INBOX;UID=1"))
        .env("FETCH_PASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .output()
        .expect("sh runs");
    let text = failure(&output);
    let wanted = format!("{SENT} of 2147483648 bytes, then the end");
    assert!(text.contains(&wanted), "{text}");
    // Where a subject is expected, it is refused at once.
    let mut steps = IMAP[..3].to_vec();
    let answer = b"* 1 FETCH (UID 1 RFC822.SIZE 9 BODY[] {2147483648}\r\n";
    steps.push(("a3 UID FETCH 1:*", answer));
    let (address, _) = script(steps, Then::Hang);
    let text = failure(&fetch(&[&format!("imap://ann@{address}/INBOX")]));
    assert!(text.contains("a literal of 2147483648 bytes"), "{text}");
}

#[test]
fn t_m_an_imap_message_may_be_quoted_or_nothing_and_must_be_one() {
    let run = |answer: &'static [u8]| {
        let mut steps = IMAP[..3].to_vec();
        steps.push(("a3 UID FETCH 1 ", answer));
        let (address, _) = script(steps, Then::Close);
        fetch(&[&format!("imap://ann@{address}/INBOX;UID=1")])
    };
    let flags = b"* 1 FETCH (FLAGS ())\r\n* 1 FETCH (BODY[] \"a\\\"b\" UID 1)\
                  \r\na3 OK\r\n";
    assert_eq!(result(&run(flags)), b"a\"b");
    let small = b"* 1 fetch (uid 1 body[] {1}\r\na)\r\na3 ok\r\n";
    assert_eq!(result(&run(small)), b"a", "small letters are the same");
    let none = failure(&run(b"a3 OK\r\n"));
    assert!(none.contains("no message has the UID 1"), "{none}");
    for nil in [
        &b"* 1 FETCH (BODY[] NIL)\r\na3 OK\r\n"[..],
        b"* 1 FETCH (UID 1 body[] nil)\r\na3 OK\r\n",
    ] {
        let none = failure(&run(nil));
        assert!(none.contains("is there, but not its text"), "{none}");
    }
    let empty = b"* 1 FETCH (BODY[] {0}\r\n)\r\na3 OK\r\n";
    assert_eq!(result(&run(empty)), b"", "no text is a text, too");
    let short = b"* 1 FETCH (BODY[] {1}\r\nall of it)\r\na3 OK\r\n";
    assert!(failure(&run(short)).contains("ll of it)"), "a wrong count");
    let other = b"* 1 FETCH (UID 2 BODY[] {1}\r\na)\r\na3 OK\r\n";
    assert!(failure(&run(other)).contains("the UID 2 came instead"));
    let bye = failure(&run(b"* BYE shutting down\r\n"));
    assert!(bye.contains("(BODY.PEEK[]): * BYE shutting down"), "{bye}");
    let two = b"* 1 FETCH (BODY[] {1}\r\na)\r\n* 2 FETCH (BODY[] {1}\r\nb)\r\n\
                a3 OK\r\n";
    assert!(failure(&run(two)).contains("two have the UID 1"));
    let others = b"* 1 FETCH (X {3}\r\nabc BODY[] {1}\r\nz BODY[] {1}\r\ny)\
                   \r\na3 OK\r\n";
    assert_eq!(result(&run(others)), b"z", "the text, once, and no more");
    let more = failure(&run(b"* 1 EXISTS\r\n".repeat(2000).leak()));
    assert!(more.contains("over 1000 lines, and no end"), "{more}");
    let no = failure(&run(b"a3 NO gone\r\n"));
    assert!(no.contains("after a3 UID FETCH 1 (BODY.PEEK[]): a3 NO gone"));
}

#[test]
fn t_m_a_mailbox_may_be_named_by_a_literal() {
    let list =
        b"* LIST () \"/\" {7}\r\nR&-D \"x\r\n* LIST () NIL \"a \\\"b\"\r\n\
                 * LIST () \"/\" plain\r\na2 OK\r\n";
    let mut steps = IMAP[..2].to_vec();
    steps.push(("a2 LIST ", list));
    let (address, _) = script(steps, Then::Close);
    let names = text(&fetch(&[&format!("imap://ann@{address}/")]));
    assert_eq!(names, "R&D \"x\na \"b\nplain\n");
}

#[test]
fn t_m_an_old_news_server_knows_over_as_xover() {
    let list = b"224 these\r\n1\tHello\tAnn\tdate\r\n.\r\n";
    let steps: Vec<Step> = vec![
        NNTP[0],
        NNTP[1],
        ("OVER 1-1", b"500 what?\r\n"),
        ("XOVER 1-1", list),
    ];
    let (address, _) = script(steps, Then::Close);
    let list = text(&fetch(&[&format!("nntp://{address}/g")]));
    assert_eq!(list, "1\tHello\tAnn\n");
}

#[test]
fn t_m_a_password_that_is_not_ascii_is_a_literal() {
    let steps: Vec<Step> = vec![
        ("", b"* OK [CAPABILITY IMAP4rev1] ready\r\n"),
        ("a1 LOGIN {5}", b"+ go on\r\n"),
        ("jos\u{e9} {10}", b"+ go on\r\n"),
        ("p\u{e4}ssw\u{f6}rd", b"a1 NO\r\n"),
    ];
    let (address, heard) = script(steps, Then::Hang);
    let mut command = command(&[&format!("imap://jos%C3%A9@{address}/")]);
    command.env("FETCH_PASSWORD", "p\u{e4}ssw\u{f6}rd");
    let text = failure(&command.output().expect("fetch runs"));
    assert!(text.contains("C: ****\nS: a1 NO\n"), "{text}");
    assert!(text.contains("{**}") && !text.contains("{10}"), "{text}");
    assert!(!text.contains("ssw"), "{text}");
    assert_eq!(heard.all().len(), 3);
}

#[test]
fn t_m_what_follows_the_answer_to_starttls_is_not_believed() {
    let cases: [(&str, &str, Vec<Step>); 4] = [
        (
            "pop3://ann@",
            "STLS",
            vec![("", b"+OK\r\n"), ("STLS", b"+OK\r\n+OK injected\r\n")],
        ),
        (
            "imap://ann@",
            "a1 STARTTLS",
            vec![
                ("", b"* OK\r\n"),
                ("a1 STARTTLS", b"a1 OK\r\n* OK injected\r\n"),
            ],
        ),
        (
            "ftp://",
            "AUTH TLS",
            vec![
                ("", b"220 ready\r\n"),
                ("AUTH TLS", b"234 go\r\n331 injected\r\n"),
            ],
        ),
        (
            "nntp://ann@",
            "STARTTLS",
            vec![
                ("", b"200 ready\r\n"),
                ("STARTTLS", b"382 go\r\n200 injected\r\n"),
            ],
        ),
    ];
    for (before, command, steps) in cases {
        let greeting = steps[0];
        let (address, heard) = script(steps, Then::Hang);
        let url = format!("{before}{address}/");
        let text = failure(&fetch(&["--starttls", &url]));
        let wanted = format!("after {command}: ");
        assert!(text.contains(&wanted), "{text}");
        assert!(text.contains("in the clear, before TLS"), "{text}");
        assert_eq!(heard.all(), [command], "and no name was sent");
        // Refused: the end, and nothing in the clear.
        let refusals: [&'static [u8]; 2] =
            [b"-ERR 500 no\r\n", b"a1 BAD 500 no\r\n"];
        for refusal in refusals {
            let (address, heard) = script(
                vec![greeting, ("", b""), (leak(command), refusal)],
                Then::Hang,
            );
            let url = format!("{before}{address}/");
            let text = failure(&fetch(&["--starttls", &url]));
            assert!(text.contains(&wanted), "{text}");
            assert_eq!(heard.all(), [command], "and no name was sent");
        }
    }
    // PREAUTH would make STARTTLS impossible: refused, too.
    let (address, heard) = script(vec![("", b"* PREAUTH hi\r\n")], Then::Hang);
    failure(&fetch(&["--starttls", &format!("imap://ann@{address}/")]));
    assert!(heard.all().is_empty());
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_string().into_boxed_str())
}

#[test]
fn t_m_ftp_never_connects_to_a_third_machine() {
    // The data wait on another address; the port is right at the peer's own.
    let data = TcpListener::bind("127.0.0.1:0").expect("a port");
    let [high, low] = data.local_addr().expect("it").port().to_be_bytes();
    let address = peer(move |mut client| {
        let replies = ["220 hi", "230 in", "200 I", "500 no", "500 no"];
        for (index, reply) in replies.iter().enumerate() {
            if index > 0 {
                line(&mut client);
            }
            let _ = write!(client, "{reply}\r\n");
        }
        line(&mut client);
        // Without parentheses, as some servers send it.
        let _ = write!(client, "227 there 10,9,8,7,{high},{low}.\r\n");
        line(&mut client);
        let _ = write!(client, "150 soon\r\n");
        let (mut second, _) = data.accept().expect("it comes here");
        let _ = second.write_all(b"all of it");
        let _ = second.shutdown(Shutdown::Both);
        let _ = write!(client, "226 done\r\n");
        line(&mut client);
    });
    let output = fetch(&[&format!("ftp://{address}/f")]);
    assert_eq!(result(&output), b"all of it");
    let said = said(&output);
    assert!(said.contains("(it names 10.9.8.7: not followed)"), "{said}");
}

#[test]
fn t_m_an_ftp_transfer_is_complete_or_an_error() {
    let run = |sent: &'static [u8], size: &'static str, end: &'static str| {
        let data = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = data.local_addr().expect("it").port();
        let address = peer(move |mut client| {
            let _ = write!(client, "220 hi\r\n");
            let epsv = format!("229 here (|||{port}|)");
            for reply in ["230 in", "200 I", size, &epsv, "150 soon"] {
                line(&mut client);
                let _ = write!(client, "{reply}\r\n");
            }
            let (mut second, _) = data.accept().expect("it comes");
            let _ = second.write_all(sent);
            let _ = second.shutdown(Shutdown::Both);
            let _ = client.write_all(end.as_bytes());
            if !end.is_empty() {
                line(&mut client);
            }
        });
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        let name = file.to_str().expect("a name");
        let output = fetch(&[&format!("ftp://{address}/f"), "-o", name]);
        let saved = output.status.success();
        assert_eq!(file.exists(), saved);
        let left = folder.path().read_dir().expect("a folder").count();
        assert_eq!(left, usize::from(saved));
        output
    };
    result(&run(b"123456789", "213 9", "226 done\r\n"));
    result(&run(b"123456789", "500 what?", "226 done\r\n"));
    let text = failure(&run(b"12345", "213 9", "226 done\r\n"));
    assert!(text.contains("5 bytes came, and SIZE said otherwise"), "{text}");
    let text = failure(&run(b"123456789", "213 9", "426 broken\r\n"));
    assert!(text.contains("426 broken"), "{text}");
    let text = failure(&run(b"123456789", "213 9", ""));
    assert!(text.contains("the server closed"), "{text}");
}

#[test]
fn t_m_dots_and_bare_line_feeds_are_bytes_of_the_message() {
    let mut steps = POP3.to_vec();
    steps[5].1 = b"+OK\r\na\n.\n+OK injected\nb\r\n..\r\n...c\r\n";
    steps[6].1 = b".\r\n";
    let (address, _) = script(steps, Then::Close);
    let message = result(&fetch(&[&format!("pop3://ann@{address}/1")]));
    assert_eq!(message, b"a\n.\n+OK injected\nb\r\n.\r\n..c\r\n");
}

#[test]
fn t_m_a_dot_without_its_line_end_ends_nothing() {
    for (scheme, path, steps) in
        [("pop3://ann@", "/1", &POP3[..]), ("nntp://", "/g/1", &NNTP)]
    {
        let mut steps = steps.to_vec();
        steps.last_mut().expect("steps").1 = b"hello\r\n.";
        let (address, _) = script(steps, Then::Close);
        let url = format!("{scheme}{address}{path}");
        let text = failure(&fetch(&[&url]));
        assert!(text.contains("the server closed. It is not"), "{text}");
    }
}

#[test]
fn t_m_http_bodies_are_complete_or_an_error() {
    let run = |answer: &'static [u8]| {
        let (address, _) = script(vec![("GET ", answer)], Then::Close);
        fetch(&[&format!("http://{address}/")])
    };
    let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                   3\r\nabc\r\n0\r\n\r\n";
    assert_eq!(result(&run(chunks)), b"abc");
    failure(&run(&chunks[..chunks.len() - 4]));
    failure(&run(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n12345678"));
    failure(&run(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\
                   Content-Length: 2\r\n\r\n12"));
    // A part that was not requested is not the file.
    let text = failure(&run(b"HTTP/1.1 206 Partial Content\r\n\
                              Content-Length: 3\r\n\r\nabc"));
    assert!(text.contains("the server's answer is 206"), "{text}");
    failure(&run(&b"HTTP/1.1 100 Continue\r\n\r\n".repeat(20).leak()[..]));
}
