//! Faults of servers that were found by use: a dot that is not doubled, an
//! answer that is odd, a server that wants TLS first, an upload that fails.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Output;
use std::thread;

use harness::{installed, python_server};

use crate::parts::{
    Step, Then, command, failure, fetch, line, peer, peer_at, result, said,
    script, text,
};

/// Answers each command by its first words, in any order, until QUIT; what
/// is not named gets `otherwise`.
fn answering(
    greeting: &'static str,
    answers: Vec<(&'static str, &'static str)>,
    otherwise: &'static str,
) -> SocketAddr {
    peer(move |mut client| {
        let _ = client.write_all(greeting.as_bytes());
        loop {
            let command = line(&mut client);
            if command.is_empty() {
                return;
            }
            let found = answers.iter().find(|(c, _)| command.starts_with(c));
            let answer = found.map_or(otherwise, |(_, answer)| answer);
            let _ = client.write_all(answer.as_bytes());
        }
    })
}

/// A POP3 server with these answers to LIST 1 and RETR 1.
fn pop3(list: &'static str, retr: &'static str) -> Output {
    let answers = vec![("LIST", list), ("RETR", retr)];
    let address = answering("+OK ready\r\n", answers, "+OK\r\n");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    let name = file.to_str().expect("a name");
    let url = format!("pop3://ann@{address}/1");
    let output = fetch(&["--wait", "2", &url, "-o", name]);
    assert_eq!(file.exists(), output.status.success());
    output
}

#[test]
fn t_m_pop3_a_dot_that_is_not_doubled_is_an_error() {
    for rest in [
        "two\r\n.\r\n",
        "\r\n.\r\n",
        ".\r\n",
        "no end",
        "+OK that is text\r\n.\r\n",
        "-ERRor of mine\r\n.\r\n",
        "\u{1b}[2J\r\n.\r\n",
    ] {
        let retr = format!("+OK\r\nX: y\r\n\r\none\r\n.\r\n{rest}");
        let output = pop3("+OK 1 500\r\n", retr.leak());
        let text = failure(&output);
        assert!(text.contains("RETR 1: out of step"), "{rest:?}: {text}");
        assert!(text.contains("LIST said 500 bytes, and 13"), "{text}");
        assert!(!text.contains('\x1b'), "{text:?}");
    }
}

#[test]
fn t_m_pop3_the_rest_may_come_late_or_the_server_may_close() {
    // The rest of the message arrives instead of the reply to QUIT.
    let address = answering(
        "+OK\r\n",
        vec![
            ("RETR", "+OK\r\nX: y\r\n\r\none\r\n.\r\n"),
            ("QUIT", "two\r\n.\r\n+OK bye\r\n"),
        ],
        "+OK\r\n",
    );
    let text = failure(&fetch(&[&format!("pop3://ann@{address}/1")]));
    assert!(text.contains("the reply to QUIT is: two"), "{text}");
    // After no reply, or a refusal, the message is still complete and is kept.
    for (answer, then) in
        [(&b""[..], Then::Close), (b"-ERR no\r\n", Then::Hang)]
    {
        let steps: Vec<Step> = vec![
            ("", b"+OK\r\n"),
            ("USER ", b"+OK\r\n"),
            ("PASS ", b"+OK\r\n"),
            ("STAT", b"+OK\r\n"),
            ("LIST", b"+OK 1 5\r\n"),
            ("RETR", b"+OK\r\none\r\n.\r\n"),
            ("QUIT", answer),
        ];
        let (address, _) = script(steps, then);
        let output = fetch(&[&format!("pop3://ann@{address}/1")]);
        assert_eq!(result(&output), b"one\r\n");
        assert!(!said(&output).contains("LIST said"), "{}", said(&output));
    }
}

#[test]
fn t_m_pop3_an_odd_answer_to_list_does_not_stop_the_message() {
    for list in [
        "+OK 1 5\r\n",
        "+OK\r\n",
        "+OK 1\r\n",
        "+OK 1 octets\r\n",
        "+OK 2 5\r\n",
        "+OK 2 messages\r\n1 5\r\n2 9\r\n.\r\n",
        "+OK 1 5\r\n1 5\r\n.\r\n",
        "+OK scan listing follows\r\n.\r\n",
        "-ERR unknown command\r\n",
        "-ERR\r\n",
    ] {
        let output = pop3(list, "+OK\r\none\r\n.\r\n");
        result(&output);
    }
    let text = failure(&pop3("what?\r\n", "+OK\r\none\r\n.\r\n"));
    assert!(text.contains("after LIST 1: what?"), "{text}");
    let text = failure(&pop3("\r\n", "+OK\r\none\r\n.\r\n"));
    assert!(text.contains("after LIST 1: an empty line"), "{text}");
}

#[test]
fn t_m_news_and_gopher_out_of_step_are_errors_too() {
    for rest in ["two\r\n.\r\n", "20 more\r\n.\r\n", "no end"] {
        let article = format!("220 1 <a@b>\r\nX: y\r\n\r\none\r\n.\r\n{rest}");
        let answers =
            vec![("GROUP", "211 1 1 1 g\r\n"), ("ARTICLE", article.leak())];
        let address = answering("200\r\n", answers, "500 what?\r\n");
        let text = failure(&fetch(&[&format!("nntp://{address}/g/1")]));
        assert!(text.contains("ARTICLE 1: out of step"), "{text}");

        let page = format!("one\r\n.\r\n{rest}");
        for (kind, cut) in [("0", "one\r\n"), ("1", "ione\t\t\t\r\n")] {
            let page = page.replace("one\r\n", cut);
            let (address, _) =
                script(vec![("", page.leak().as_bytes())], Then::Close);
            let url = format!("gopher://{address}/{kind}/x");
            let text = failure(&fetch(&[&url]));
            assert!(text.contains("after the single dot: "), "{text}");
        }
    }
    // The server stays open after the dot. The text is complete all the same.
    let (address, _) = script(vec![("", b"one\r\n.\r\n")], Then::Hang);
    let page = fetch(&[&format!("gopher://{address}/0/x")]);
    assert_eq!(text(&page), "one\n");
}

#[test]
fn t_m_imap_login_is_not_sent_where_it_is_disabled() {
    let disabled =
        b"* capability imap4rev1 LoginDisabled STARTTLS\r\na1 OK\r\n";
    let asked: Vec<Step> =
        vec![("", b"* OK hi\r\n"), ("a1 CAPABILITY", disabled)];
    let greeted: Vec<Step> = vec![(
        "",
        b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n",
    )];
    let tagged: Vec<Step> = vec![
        ("", b"* OK [ALERT] closed tomorrow\r\n"),
        ("a1 CAPABILITY", b"a1 OK [CAPABILITY IMAP4 LOGINDISABLED] x\r\n"),
    ];
    for steps in [asked, greeted, tagged] {
        let commands = steps.len() - 1;
        let (address, heard) = script(steps, Then::Hang);
        let mut command = command(&[&format!("imap://ann@{address}/")]);
        // The client does not ask for the password.
        command.env_remove("FETCH_PASSWORD");
        let text = failure(&command.output().expect("fetch runs"));
        let wanted = "the server wants TLS first: --starttls";
        assert!(text.contains(wanted), "{text}");
        assert_eq!(heard.all().len(), commands, "{:?}", heard.all());
    }
    // A longer word with the same beginning is another code.
    let steps: Vec<Step> = vec![
        ("", b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLEDX] hi\r\n"),
        ("a1 LOGIN", b"a1 NO\r\n"),
    ];
    let (address, heard) = script(steps, Then::Hang);
    failure(&fetch(&[&format!("imap://ann@{address}/")]));
    assert_eq!(heard.all().len(), 1);
}

#[test]
fn t_m_imap_alerts_are_shown_wherever_they_come() {
    let run = |greeting: &'static [u8], answers: [&'static [u8]; 4]| {
        let [login, examine, fetched, logout] = answers;
        let steps: Vec<Step> = vec![
            ("", greeting),
            ("a1 LOGIN", login),
            ("a2 EXAMINE", examine),
            ("a3 UID FETCH", fetched),
            ("a4 LOGOUT", logout),
        ];
        let (address, _) = script(steps, Then::Close);
        said(&fetch(&["-q", &format!("imap://ann@{address}/INBOX;UID=1")]))
    };
    let hi = b"* OK [CAPABILITY IMAP4rev1] hi\r\n";
    let one = b"* 1 FETCH (UID 1 BODY[] {1}\r\nx)\r\na3 OK\r\n";
    let (ok1, ok2, ok4) = (b"a1 OK\r\n", b"a2 OK\r\n", b"a4 OK\r\n");
    let alert = "the server's alert: the disk is full";
    for text in [
        run(hi, [b"* NO [ALERT] the disk is full\r\na1 OK\r\n", ok2, one, ok4]),
        run(hi, [ok1, b"a2 OK [alert] the disk is full\r\n", one, ok4]),
        run(
            hi,
            [
                ok1,
                ok2,
                b"* OK [ALERT] the disk is full\r\n* 1 FETCH (UID 1 BODY[] \
                  {1}\r\nx)\r\na3 OK\r\n",
                ok4,
            ],
        ),
        run(hi, [ok1, ok2, b"a3 NO [ALERT] the disk is full\r\n", ok4]),
        run(
            hi,
            [ok1, ok2, one, b"* BYE [ALERT] the disk is full\r\na4 OK\r\n"],
        ),
        run(b"* BYE [ALERT] the disk is full\x1b[2J\r\n", [ok1, ok2, one, ok4]),
    ] {
        assert!(text.contains(alert), "{text}");
        assert!(!text.contains('\x1b'), "{text:?}");
    }
    let none = run(hi, [b"a1 OK [x] [ALERT] no\r\n", ok2, one, ok4]);
    assert_eq!(none, "");
}

#[test]
fn t_m_a_time_out_shows_what_had_come() {
    for (url, greeting, shown) in [
        ("pop3://ann@HERE/", &b"+OK ready\n"[..], "+OK ready\\n"),
        ("imap://ann@HERE/", b"* OK", "* OK"),
        ("nntp://HERE/", b"200 hi\n", "200 hi\\n"),
        ("ftp://HERE/", b"220 half", "220 half"),
    ] {
        let (address, _) = script(vec![("", greeting)], Then::Hang);
        let url = url.replace("HERE", &address.to_string());
        let text = failure(&fetch(&["--wait", "1", &url]));
        assert!(text.contains(&format!("This had come: {shown}")), "{text}");
        let lf = greeting.ends_with(b"\n");
        assert_eq!(text.contains("ends with LF alone"), lf, "{text}");
    }
    let (address, _) = script(vec![("", b"")], Then::Hang);
    let text = failure(&fetch(&["--wait", "1", &format!("ftp://{address}/")]));
    assert!(!text.contains("had come"), "{text}");
}

#[test]
fn t_m_http_a_success_is_one_whatever_its_number() {
    let run = |head: &'static str, file: bool| {
        let answer = format!("HTTP/1.1 {head}\r\n\r\n").leak().as_bytes();
        let (address, _) = script(vec![("GET ", answer)], Then::Close);
        let folder = tempfile::tempdir().expect("a folder");
        let name = folder.path().join("file");
        let name = name.to_str().expect("a name");
        let url = format!("http://{address}/");
        let options = ["-o", name];
        let options = if file { &options[..] } else { &[] };
        let output = fetch(&[options, &[&url]].concat());
        let count = folder.path().read_dir().expect("a folder").count();
        (output.status.code(), count)
    };
    assert_eq!(run("204 No Content", false), (Some(0), 0));
    assert_eq!(run("204 No Content", true), (Some(0), 0));
    assert_eq!(run("201 Created\r\nContent-Length: 0", false), (Some(0), 0));
    assert_eq!(run("202 Later\r\nContent-Length: 0", true), (Some(1), 0));
    assert_eq!(run("203 Near\r\nContent-Length: 0", true), (Some(0), 1));
    assert_eq!(run("206 Part\r\nContent-Length: 0", true), (Some(1), 0));
    assert_eq!(run("304 Same", false), (Some(1), 0));
}

/// An FTP server whose data wait behind this reply to EPSV, and that ends
/// with `end` on both connections.
fn ftp(
    greeting: &'static str,
    epsv: &'static str,
    end: fn(&mut TcpStream, TcpStream),
) -> SocketAddr {
    let data = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = data.local_addr().expect("it").port();
    peer(move |mut client| {
        let _ = client.write_all(greeting.as_bytes());
        loop {
            let command = line(&mut client);
            let answer = match command.split(' ').next().unwrap_or_default() {
                "" => return,
                "USER" => "230 in\r\n".to_string(),
                "TYPE" => "200 I\r\n".to_string(),
                "EPSV" => epsv.replace("PORT", &port.to_string()),
                "RETR" | "STOR" => {
                    let (second, _) = data.accept().expect("it comes");
                    end(&mut client, second);
                    continue;
                }
                _ => "500 what?\r\n".to_string(),
            };
            let _ = client.write_all(answer.as_bytes());
        }
    })
}

fn sends_all(client: &mut TcpStream, mut second: TcpStream) {
    let _ = client.write_all(b"150 soon\r\n");
    let _ = second.write_all(b"all of it");
    let _ = second.shutdown(Shutdown::Both);
    let _ = client.write_all(b"226 done\r\n");
}

#[test]
fn t_m_ftp_takes_any_delimiter_and_a_greeting_that_is_late() {
    let late = "120 in a minute\r\n120-soon\r\n120 now\r\n220 ready\r\n";
    for (greeting, epsv) in [
        (late, "229 here (!!!PORT!)\r\n"),
        ("220 ready\r\n", "229 (yes) here ($$$PORT$), in | order\r\n"),
        ("220 ready\r\n", "229 here |||PORT|\r\n"),
    ] {
        let address = ftp(greeting, epsv, sends_all);
        let output = fetch(&[&format!("ftp://{address}/f")]);
        assert_eq!(result(&output), b"all of it", "{epsv}");
    }
    let address = ftp("120 later\r\n421 never\r\n", "", sends_all);
    let text = failure(&fetch(&[&format!("ftp://{address}/f")]));
    assert!(text.contains("421 never"), "{text}");
}

#[test]
fn t_m_ftp_a_refused_epsv_over_ipv6_names_the_reason() {
    let address = peer_at("::1", |mut client| {
        for answer in ["220 hi", "230 in", "200 I", "500 x", "500 no EPSV"] {
            let _ = write!(client, "{answer}\r\n");
            line(&mut client);
        }
    });
    let text = failure(&fetch(&[&format!("ftp://{address}/f")]));
    assert!(text.contains("after EPSV: 500 no EPSV"), "{text}");
    assert!(text.contains("PASV, has no room for an IPv6 address"), "{text}");
}

#[test]
fn t_m_ftp_a_broken_data_connection_shows_the_servers_reason() {
    /// RST: a close with bytes that nobody has read, or with SO_LINGER 0.
    fn reset(second: &TcpStream) {
        let zero = Some(std::time::Duration::ZERO);
        let done = rustix::net::sockopt::set_socket_linger(second, zero);
        done.expect("SO_LINGER");
    }
    fn breaks(client: &mut TcpStream, mut second: TcpStream) {
        let _ = client.write_all(b"150 soon\r\n");
        let _ = second.write_all(b"half");
        reset(&second);
        drop(second);
        let _ = client.write_all(b"426 the disk broke\r\n");
    }
    fn no_start(client: &mut TcpStream, second: TcpStream) {
        drop(second);
        let _ = client.write_all(b"425 no data connection\r\n");
    }
    fn fin(client: &mut TcpStream, second: TcpStream) {
        let _ = client.write_all(b"150 soon\r\n");
        drop(second);
        let _ = client.write_all(b"451 an error of mine\r\n");
    }
    type End = fn(&mut TcpStream, TcpStream);
    let ends: [(End, &str); 3] = [
        (breaks, "426 the disk broke"),
        (no_start, "425 no data connection"),
        (fin, "451 an error of mine"),
    ];
    for (end, reason) in ends {
        let address = ftp("220 hi\r\n", "229 (|||PORT|)\r\n", end);
        let text = failure(&fetch(&["-q", &format!("ftp://{address}/f")]));
        assert!(text.contains(&format!("after RETR f: {reason}")), "{text}");
    }
}

#[test]
fn t_m2_an_upload_is_stored_or_an_error() {
    fn stored(client: &mut TcpStream, mut second: TcpStream) {
        let _ = client.write_all(b"150 send it\r\n");
        let mut all = Vec::new();
        let _ = second.read_to_end(&mut all);
        assert_eq!(all.len(), 300_000);
        let _ = client.write_all(b"226 done\r\n");
    }
    fn name(client: &mut TcpStream, _: TcpStream) {
        let _ = client.write_all(b"553 not this name\r\n");
    }
    fn room(client: &mut TcpStream, mut second: TcpStream) {
        let _ = client.write_all(b"150 send it\r\n");
        let _ = second.read(&mut [0; 1000]);
        drop(second);
        let _ = client.write_all(b"452 the disk is full\r\n");
    }
    fn broken(client: &mut TcpStream, mut second: TcpStream) {
        let _ = client.write_all(b"150 send it\r\n");
        let _ = second.read_to_end(&mut Vec::new());
        let _ = client.write_all(b"426 broken off\r\n");
    }
    fn gone(client: &mut TcpStream, mut second: TcpStream) {
        let _ = client.write_all(b"150 send it\r\n");
        let _ = second.read_to_end(&mut Vec::new());
        let _ = client.shutdown(Shutdown::Both);
    }
    type End = fn(&mut TcpStream, TcpStream);
    let ends: [(End, &str); 5] = [
        (stored, "stored d/f: 300000 bytes"),
        (name, "553 not this name"),
        (room, "452 the disk is full"),
        (broken, "426 broken off"),
        (gone, "the server closed"),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("f");
    fs::write(&file, vec![b'x'; 300_000]).expect("a file");
    let file = file.to_str().expect("a name");
    for (end, words) in ends {
        let address = ftp("220 hi\r\n", "229 (|||PORT|)\r\n", end);
        let output = fetch(&["--put", file, &format!("ftp://{address}/d/")]);
        let text = match words.starts_with("stored") {
            true => {
                result(&output);
                said(&output)
            }
            false => failure(&output),
        };
        assert!(text.contains(words), "{words}: {text}");
        assert_eq!(
            text.contains("is not stored"),
            words != ends[0].1,
            "{text}"
        );
    }
    // A wrong command line is reported before the client connects.
    for (arguments, status, words) in [
        (&["--put", file, "http://h/"][..], 2, "--put FILE is for ftp"),
        (&["--put", file, "-o", "x", "ftp://h/"], 2, "leave one out"),
        (&["--put", "/nowhere", "ftp://h/f"], 1, "open(/nowhere)"),
        (&["--put", "/", "ftp://h/f"], 1, "/ is a folder"),
    ] {
        let output = fetch(arguments);
        assert_eq!(output.status.code(), Some(status), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
    }
}

#[test]
fn t_m2_what_is_stored_can_be_fetched_again() {
    if !installed("python3", "python3") {
        return;
    }
    let Some(server) = python_server("internet/ftp_server.py", &[]) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    for (name, size) in [("empty", 0), ("one", 1), ("many", 1_000_003)] {
        let bytes: Vec<u8> = (0..=255).cycle().take(size).collect();
        let file = folder.path().join(name);
        fs::write(&file, &bytes).expect("a file");
        let file = file.to_str().expect("a name");
        let put = |user: &str| {
            let url = format!("ftp://{user}@{}/pub/", server.address);
            let mut command = command(&["--put", file, &url]);
            command.env("FETCH_PASSWORD", "lunch");
            command.output().expect("fetch runs")
        };
        let refused = failure(&put("anonymous"));
        assert!(refused.contains("553 only ann"), "{refused}");
        result(&put("ann"));
        let url = format!("ftp://{}/pub/{name}", server.address);
        assert!(result(&fetch(&[&url])) == bytes, "{name}");
    }
    // The file is larger than the space: 452, and the server keeps no part of
    // it.
    let large = folder.path().join("large");
    fs::write(&large, vec![0; 9 << 20]).expect("a file");
    let url = format!("ftp://ann@{}/large", server.address);
    let large = large.to_str().expect("a name");
    let mut put = command(&["--put", large, &url]);
    put.env("FETCH_PASSWORD", "lunch");
    let text = failure(&put.output().expect("fetch runs"));
    assert!(text.contains("452 no room"), "{text}");
    failure(&fetch(&[&format!("ftp://{}/large", server.address)]));
}

#[test]
fn t_m_downloads_into_one_file_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    let name = file.to_str().expect("a name");
    let bytes = |letter: u8| vec![letter; 100_200];
    let outputs: Vec<Output> = thread::scope(|scope| {
        let run = |letter: u8| {
            scope.spawn(move || {
                let page = bytes(letter).leak();
                let (address, _) = script(vec![("/x", page)], Then::Close);
                fetch(&[&format!("gopher://{address}/9/x"), "-o", name])
            })
        };
        let running = b"abcd".map(run);
        running.map(|run| run.join().expect("a run")).into()
    });
    let saved = outputs.iter().filter(|output| output.status.success());
    assert!(saved.count() > 0);
    for output in &outputs {
        let said = said(output);
        let busy = said.contains("another program writes");
        assert!(output.status.success() || busy, "{said}");
    }
    let content = fs::read(&file).expect("a file");
    assert!(content == bytes(content[0]), "of one server, complete");
    assert_eq!(folder.path().read_dir().expect("a folder").count(), 1);
}

#[test]
fn t_m_a_password_that_the_server_repeats_is_masked() {
    for (scheme, greeting, user, login) in [
        ("pop3", "+OK\r\n", "+OK\r\n", "-ERR PASSWORD is wrong\r\n"),
        ("ftp", "220\r\n", "331\r\n", "530 PASSWORD is wrong\r\n"),
        ("nntp", "200\r\n", "381\r\n", "481 PASSWORD is wrong\r\n"),
        (
            "imap",
            "* OK [CAPABILITY IMAP4rev1]\r\n",
            "* OK PASSWORD?\r\na1 NO [ALERT] \"lun\\\"ch \\\\ 7\" is wrong\r\n",
            "",
        ),
    ] {
        let login = login.replace("PASSWORD", crate::parts::PASSWORD).leak();
        let user = user.replace("PASSWORD", crate::parts::PASSWORD).leak();
        let address = peer(move |mut client| {
            for answer in [greeting, user, login] {
                let _ = client.write_all(answer.as_bytes());
                line(&mut client);
            }
        });
        let text = failure(&fetch(&[&format!("{scheme}://ann@{address}/")]));
        assert!(text.contains("******** is wrong"), "{scheme}: {text}");
        assert!(!text.contains("lun"), "{scheme}: {text}");
    }
}
