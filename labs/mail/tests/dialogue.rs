//! Proves what the client sends if the server makes no mistake. Each test has
//! two transcripts, the server's lines and the client's.

use crate::script::{
    EHLO, ENVELOPE, GREETING, MESSAGE, QUIT, identity_of_nobody, play,
    play_with,
};

#[test]
fn w_t4a_the_dialogue_of_the_textbook() {
    let script = [GREETING, EHLO, ENVELOPE, MESSAGE, QUIT].concat();
    let done = play(&script, &["--subject", "Hi"]);
    let message = done.followed();
    assert!(message.contains("Subject: Hi\n"), "{message}");
    assert!(message.ends_with("\n\nhello\n"), "{message}");
    done.ended(0, &["sent to 1 of 1: bob@example.org", "250 2.0.0 queued"]);
    // Each step is printed with its number, each line with its side (C or S).
    for line in [
        "-- 3 GREETING: ",
        "S: 220 mail.test ESMTP\n",
        "-- 4 EHLO: ",
        "C: EHLO [127.0.0.1]\n",
        "-- 7 MAIL: ",
        "C: MAIL FROM:<ada@example.com>\n",
        "-- 8 RCPT: ",
        "-- 9 DATA: ",
        "-- 10 DOT: ",
        "C: hello\nC: .\nS: 250 2.0.0 queued\n",
        "-- 11 QUIT: ",
    ] {
        assert!(done.screen.contains(line), "{line:?}\n{}", done.screen);
    }
}

#[test]
fn w_t4a_replies_of_many_lines_are_one_reply() {
    let script = [
        "S: 220-mail.test\nS: 220-no spam\nS: 220 please\n",
        "C: EHLO …\nS: 250-mail.test\nS: 250-X\nS: 250 Y\n",
        "C: MAIL FROM:<…>\nS: 250-2.1.0 ok\nS: 250 2.1.0 really\n",
        "C: RCPT TO:<…>\nS: 250 ok\n",
        "C: DATA\nS: 354-go\nS: 354 on\nM:\nS: 250-2.0.0 a\nS: 250 2.0.0 b\n",
        "C: QUIT\nS: 221-bye\nS: 221 bye\n",
    ];
    let done = play(&script.concat(), &[]);
    done.followed();
    done.ended(0, &["250 2.0.0 a / 2.0.0 b"]);
}

#[test]
fn w_t4a_a_reply_may_come_byte_by_byte_or_without_words() {
    let drip: String = "220 mail.test\\r\\n"
        .replace("\\r\\n", "~")
        .chars()
        .map(|c| match c {
            '~' => "raw \\r\nraw \\n\n".to_string(),
            c => format!("raw {c}\n"),
        })
        .collect();
    let rest = [EHLO, ENVELOPE, "C: DATA\nraw 354\\r\\n\nM:\nraw 250\\n\n"];
    let done = play(&[&drip, &rest.concat(), QUIT].concat(), &[]);
    done.followed();
    done.ended(0, &["sent to 1 of 1"]);
}

#[test]
fn w_t4a_helo_where_ehlo_is_refused() {
    for refusal in ["500 what?", "502 5.5.1 no", "550 never"] {
        let ehlo = format!(
            "C: EHLO [127.0.0.1]\nS: {refusal}\n\
             C: HELO …\nS: 250 mail.test\n"
        );
        let script = [GREETING, &ehlo, ENVELOPE, MESSAGE, QUIT].concat();
        let done = play(&script, &[]);
        done.followed();
        done.ended(0, &["HELO", "sent to 1 of 1"]);
    }
    // The message for an old server, which does not know 8BITMIME.
    let ehlo = "C: EHLO …\nS: 500 ?\nC: HELO …\nS: 250 mail.test\n";
    let script = [GREETING, ehlo, ENVELOPE, MESSAGE, QUIT].concat();
    let nobody = identity_of_nobody();
    let body = "é\n".as_bytes();
    let done = play_with(&script, "127.0.0.1", &[], body, &nobody);
    assert!(done.followed().is_ascii());
    assert!(done.followed().contains("Content-Transfer-Encoding: "));
    done.ended(0, &[]);
}

#[test]
fn w_t4a_only_what_is_offered_is_used() {
    let ehlo = "C: EHLO [127.0.0.1]\nS: 250-mail.test\nS: 250-size 100000\n\
                S: 250-8BITMIME\nS: 250 SMTPUTF8\n";
    let envelope = "C: MAIL FROM:<ada@example.com> SIZE=… BODY=8BITMIME\n\
                    S: 250 ok\nC: RCPT TO:<bob@example.org>\nS: 250 ok\n";
    let script = [GREETING, ehlo, envelope, MESSAGE, QUIT].concat();
    let nobody = identity_of_nobody();
    let body = "Grüße\n".as_bytes();
    let done = play_with(&script, "127.0.0.1", &[], body, &nobody);
    assert!(done.followed().ends_with("\n\nGrüße\n"));
    done.ended(0, &["C: Grüße\n"]);
}

#[test]
fn w_t4a_size_is_the_size_of_the_message() {
    let ehlo = "C: EHLO …\nS: 250-mail.test\nS: 250 SIZE 100000\n";
    let envelope = "C: MAIL FROM:<…> SIZE=…\nS: 250 ok\nC: RCPT …\nS: 250 ok\n";
    let script = [GREETING, ehlo, envelope, MESSAGE, QUIT].concat();
    let nobody = identity_of_nobody();
    let body = b"two\n.dots\n..\n";
    let done = play_with(&script, "127.0.0.1", &[], body, &nobody);
    let message = done.followed();
    let stuffing = 2; // the doubled dots are not part of the message
    let octets = message.len() + message.lines().count() - stuffing;
    assert!(done.screen.contains(&format!(" SIZE={octets}\n")), "{octets}");
}

#[test]
fn w_t4a_a_message_beyond_the_servers_size_is_not_begun() {
    let ehlo = "C: EHLO …\nS: 250-mail.test\nS: 250 SIZE 100\n";
    let done = play(&[GREETING, ehlo, QUIT].concat(), &[]);
    done.followed();
    done.not_sent(&["this server accepts at most 100 (SIZE)"]);
}

#[test]
fn w_t4a_an_address_beyond_ascii_needs_smtputf8() {
    let to = ["--to", "ümit@example.org"];
    let ehlo = "C: EHLO …\nS: 250-mail.test\nS: 250 8BITMIME\n";
    let done = play(&[GREETING, ehlo, QUIT].concat(), &to);
    done.followed();
    done.not_sent(&["does not offer SMTPUTF8"]);
    let ehlo = "C: EHLO …\nS: 250-mail.test\nS: 250-8BITMIME\n\
                S: 250 SMTPUTF8\n";
    let envelope = "C: MAIL FROM:<ada@example.com> BODY=8BITMIME SMTPUTF8\n\
                    S: 250 ok\nC: RCPT TO:<ümit@example.org>\nS: 250 ok\n";
    let script = [GREETING, ehlo, envelope, MESSAGE, QUIT].concat();
    let done = play(&script, &to);
    assert!(done.followed().contains("To: <ümit@example.org>\n"));
    done.ended(0, &[]);
    // A domain has an ASCII form, so it needs no extension.
    let envelope = "C: MAIL FROM:<ada@example.com>\nS: 250 ok\n\
                    C: RCPT TO:<bob@xn--bcher-kva.example>\nS: 250 ok\n";
    let script = [GREETING, EHLO, envelope, MESSAGE, QUIT].concat();
    let done = play(&script, &["--to", "bob@bücher.example"]);
    done.followed();
    done.ended(0, &[]);
}

const THREE: [&str; 6] = [
    "--to",
    "bob@example.org,eve@example.org",
    "--cc",
    "Cy <cy@example.org>",
    "--bcc",
    "bob@EXAMPLE.org", // an address gets it once
];

#[test]
fn w_t4a_one_of_three_is_refused_and_two_get_the_message() {
    let envelope = "C: MAIL FROM:<ada@example.com>\nS: 250 ok\n\
                    C: RCPT TO:<bob@example.org>\nS: 250 ok\n\
                    C: RCPT TO:<eve@example.org>\nS: 550 5.1.1 unknown\n\
                    C: RCPT TO:<cy@example.org>\nS: 251 will be passed on\n";
    let script = [GREETING, EHLO, envelope, MESSAGE, QUIT].concat();
    let done = play(&script, &THREE);
    done.followed();
    done.ended(
        1,
        &[
            "sent to 2 of 3: bob@example.org, cy@example.org\n",
            "NOT sent to eve@example.org: 550 5.1.1 unknown\n",
            "no such mailbox",
            "permanent",
            "1 of 3 recipients were refused",
        ],
    );
}

#[test]
fn w_t4a_pipelined_replies_belong_to_their_commands() {
    let ehlo = "C: EHLO …\nS: 250-mail.test\nS: 250 PIPELINING\n";
    // All four commands come before the first reply.
    let envelope = "C: MAIL FROM:<ada@example.com>\n\
                    C: RCPT TO:<bob@example.org>\n\
                    C: RCPT TO:<eve@example.org>\n\
                    C: RCPT TO:<cy@example.org>\n\
                    raw 250 ok\\r\\n250 ok\\r\\n450 4.2.1 later\\r\\n250 ok\\r\\n\n";
    let script = [GREETING, ehlo, envelope, MESSAGE, QUIT].concat();
    let options = [&THREE[..], &["--pipeline"]].concat();
    let done = play(&script, &options);
    done.followed();
    done.ended(1, &["sent to 2 of 3", "NOT sent to eve@example.org: 450"]);
    // MAIL is refused. The client must still read the replies to RCPT.
    let envelope = "C: MAIL FROM:<…>\nC: RCPT TO:<…>\nC: RCPT TO:<…>\n\
                    C: RCPT TO:<…>\n\
                    raw 550 no\\r\\n250 ok\\r\\n503 no\\r\\n503 no\\r\\n\n";
    let done = play(&[GREETING, ehlo, envelope, QUIT].concat(), &options);
    done.followed();
    done.not_sent(&["the reply to MAIL was 550"]);
}

#[test]
fn w_t4a_one_command_one_reply_unless_pipeline_is_asked_for_and_offered() {
    let ehlo = "C: EHLO …\nS: 250-mail.test\nS: 250 PIPELINING\n";
    // The script sends each reply only after its command.
    let script = [GREETING, ehlo, ENVELOPE, MESSAGE, QUIT].concat();
    let done = play(&script, &[]);
    done.followed();
    done.ended(0, &["com>\nS: 250 ok\n-- 8 RCPT", "org>\nS: 250 ok\n-- 9"]);
    let script = [GREETING, EHLO, ENVELOPE, MESSAGE, QUIT].concat();
    let done = play(&script, &["--pipeline"]);
    done.followed();
    done.ended(0, &["does not offer PIPELINING: one by one"]);
    // The reply to HELO offers no extension.
    let helo = "C: EHLO …\nS: 502 no\nC: HELO …\nS: 250 PIPELINING\n";
    let script = [GREETING, helo, ENVELOPE, MESSAGE, QUIT].concat();
    let done = play(&script, &["--pipeline"]);
    done.followed();
    done.ended(0, &["does not offer PIPELINING"]);
}

#[test]
fn w_t4a_helo_has_a_domain() {
    for (option, wanted) in [
        (&["--helo", "lab.example.org"][..], Some("lab.example.org")),
        (&["--helo", "localhost"], Some("localhost")),
        (&["--helo", "[192.0.2.1]"], None),
        (&["--helo", "[IPv6:2001:db8::1]"], None),
        (&["--helo", "my_laptop"], None), // not a domain
        (&[], None),
    ] {
        let ehlo = format!(
            "C: EHLO …\nS: 500 ?\nC: HELO {}\nS: 250 mail.test\n",
            wanted.unwrap_or("…")
        );
        let script = [GREETING, &ehlo, ENVELOPE, MESSAGE, QUIT].concat();
        let done = play(&script, option);
        done.followed();
        let line = done.screen.lines().find(|l| l.starts_with("C: HELO "));
        let name = line.and_then(|line| line.get(8..)).expect("a name");
        let fine = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        assert!(!name.is_empty() && name.chars().all(fine), "{name}");
    }
}

#[test]
fn w_t4a_two_hundred_recipients_go_in_groups() {
    let to: Vec<String> =
        (0..200).map(|number| format!("r{number}@example.org")).collect();
    let ehlo = "C: EHLO …\nS: 250-mail.test\nS: 250 PIPELINING\n";
    let mut script = [GREETING, ehlo].concat();
    let mut commands = vec!["C: MAIL FROM:<…>".to_string()];
    commands.extend(to.iter().map(|to| format!("C: RCPT TO:<{to}>")));
    for group in commands.chunks(50) {
        script.push_str(&format!("{}\n", group.join("\n")));
        script.push_str(&"S: 250 ok\n".repeat(group.len()));
    }
    script.push_str(&[MESSAGE, QUIT].concat());
    let done = play(&script, &["--pipeline", "--to", &to.join(",")]);
    done.followed();
    done.ended(0, &["sent to 200 of 200"]);
}

#[test]
fn w_t4b_the_envelope_is_not_the_header() {
    let envelope = "C: MAIL FROM:<bounces@example.net>\nS: 250 ok\n\
                    C: RCPT TO:<bob@example.org>\nS: 250 ok\n";
    let script = [GREETING, EHLO, envelope, MESSAGE, QUIT].concat();
    let forged = [
        "--from",
        "The Dean <dean@example.com>",
        "--envelope-from",
        "bounces@example.net",
    ];
    let done = play(&script, &forged);
    assert!(done.followed().contains("From: \"The Dean\" <dean@example.com>"));
    let nobody = "C: MAIL FROM:<>\nS: 250 ok\nC: RCPT …\nS: 250 ok\n";
    let script = [GREETING, EHLO, nobody, MESSAGE, QUIT].concat();
    play(&script, &["--envelope-from", ""]).followed();
    let helo = "C: EHLO lab.example.org\nS: 250 mail.test\n";
    let script = [GREETING, helo, ENVELOPE, MESSAGE, QUIT].concat();
    play(&script, &["--helo", "lab.example.org"]).followed();
}

#[test]
fn w_t4a_quit_changes_nothing_any_more() {
    let sent = [GREETING, EHLO, ENVELOPE, MESSAGE].concat();
    for end in ["C: QUIT\nclose", "close", "C: QUIT\nS: 500 what?", "reset"] {
        let done = play(&format!("{sent}{end}\n"), &[]);
        done.ended(0, &["sent to 1 of 1"]);
    }
}

#[test]
fn w_t4a_quiet_prints_the_outcome() {
    let script = [GREETING, EHLO, ENVELOPE, MESSAGE, QUIT].concat();
    let done = play(&script, &["-q"]);
    let lines: Vec<&str> = done.screen.lines().collect();
    assert_eq!(lines.len(), 2, "{}", done.screen);
    assert_eq!(lines[0], "sent to 1 of 1: bob@example.org");
}
