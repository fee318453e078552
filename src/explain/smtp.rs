//! The replies of mail servers: the codes of RFC 5321 and 4954, and the
//! enhanced codes of RFC 3463, such as 5.1.1, which many servers put after
//! them.

use super::{Entry, reply};

/// How to see a reply.
const SEE: &[&str] =
    &["mail-client HOST PORT --from A --to B  # shows the dialogue"];

/// How to see what a server offers.
const OFFER: &[&str] =
    &["mail-client HOST PORT --from A --to B  # see the reply to EHLO"];

pub(super) const ENTRIES: &[Entry] = &[
    reply(
        "SMTP 220",
        &["220"],
        "the server is ready",
        "the greeting; the answer to STARTTLS",
        "As the first line: the server is ready, begin with EHLO. After \
         STARTTLS: begin the TLS handshake now. FTP uses the same greeting.",
        &["a server that works"],
        SEE,
    ),
    reply(
        "SMTP 221",
        &["221"],
        "the server says goodbye",
        "the answer to QUIT",
        "The server closes the connection next. A message that it accepted \
         with 250 after the dot stays accepted.",
        &["QUIT was sent"],
        SEE,
    ),
    reply(
        "SMTP 235",
        &["235"],
        "the log-in is accepted",
        "the answer to AUTH",
        "From now on the server accepts mail for other domains as well.",
        &["user name and password are right"],
        SEE,
    ),
    reply(
        "SMTP 250",
        &["250"],
        "done",
        "the answer to EHLO, MAIL, RCPT, RSET, and to the dot",
        "The command is done. Only the 250 after the final dot means that \
         the server has the message and is responsible for it; the earlier \
         ones are for the envelope.",
        &["the command was right"],
        SEE,
    ),
    reply(
        "SMTP 251",
        &["251"],
        "not a local user, but it will be forwarded",
        "the answer to RCPT",
        "The recipient has moved; this server sends the message after them.",
        &["the mailbox has moved to another server"],
        SEE,
    ),
    reply(
        "SMTP 252",
        &["252"],
        "it will be tried, whether or not there is such a user",
        "the answer to VRFY",
        "The server does not tell strangers who has a mailbox: address \
         collectors would ask for every name.",
        &["the usual answer to VRFY today"],
        SEE,
    ),
    reply(
        "SMTP 334",
        &["334"],
        "continue the log-in",
        "inside AUTH",
        "The text after it is base64: VXNlcm5hbWU6 is \"Username:\". The \
         next line that is sent is not a command, but the answer, in base64 \
         as well. Base64 hides nothing.",
        &["AUTH LOGIN asks for name and password one by one"],
        &["echo VXNlcm5hbWU6 | base64 -d"],
    ),
    reply(
        "SMTP 354",
        &["354"],
        "send the message, a line with a dot ends it",
        "the answer to DATA",
        "From here on every line is message, until a line that is a single \
         dot. A line of the message that begins with a dot gets a second one.",
        &["DATA was sent, and there is at least one recipient"],
        SEE,
    ),
    reply(
        "SMTP 421",
        &["421"],
        "the server stops and closes",
        "any command, or the greeting",
        "The server ends the connection; nothing that was not accepted yet \
         will be delivered. Try again later.",
        &[
            "it restarts, or is overloaded",
            "too many connections, or too many errors, from this address",
            "we were silent for too long",
        ],
        SEE,
    ),
    reply(
        "SMTP 450",
        &["450"],
        "the mailbox is not available now",
        "RCPT, or MAIL",
        "A temporary refusal of this recipient. The same may be accepted in \
         some minutes.",
        &[
            "greylisting: every stranger's first try is refused",
            "the mailbox is locked, or the server is busy",
            "the domain's name server did not answer",
        ],
        SEE,
    ),
    reply(
        "SMTP 451",
        &["451"],
        "an error at the server, try later",
        "any command, often DATA or the dot",
        "The server could not do it, and it is not our fault. Repeat it \
         later, as it is.",
        &["a filter or disk of the server is in trouble", "greylisting"],
        SEE,
    ),
    reply(
        "SMTP 452",
        &["452"],
        "no room now, or too many recipients",
        "MAIL, RCPT, the dot",
        "The server has no space at the moment. After RCPT it usually means \
         that one message cannot have more recipients: send another message \
         to the others.",
        &["its disk or the mailbox is full", "more than about 100 recipients"],
        SEE,
    ),
    reply(
        "SMTP 454",
        &["454"],
        "TLS or the log-in does not work now",
        "STARTTLS, AUTH",
        "A temporary refusal. Never continue without encryption because of \
         it: an attacker on the path may have sent this reply.",
        &["the server's certificate or its user list is out of order"],
        SEE,
    ),
    reply(
        "SMTP 455",
        &["455"],
        "the server cannot take this parameter now",
        "MAIL, RCPT",
        "A parameter after the address, such as SIZE=, is not possible now.",
        &["rare"],
        OFFER,
    ),
    reply(
        "SMTP 500",
        &["500"],
        "no such command, or a line too long",
        "any command",
        "The server does not know the command. A server from before 1995 \
         sends it for EHLO: use HELO then.",
        &["a spelling mistake", "part of the message was taken for a command"],
        SEE,
    ),
    reply(
        "SMTP 501",
        &["501"],
        "a parameter is wrong",
        "any command",
        "The command is known, but the text after it is not understood.",
        &["MAIL FROM:ada instead of MAIL FROM:<ada@example.com>"],
        SEE,
    ),
    reply(
        "SMTP 502",
        &["502"],
        "the command is switched off",
        "any command",
        "The server knows the command but does not support it.",
        &["VRFY and EXPN are switched off nearly everywhere"],
        OFFER,
    ),
    reply(
        "SMTP 503",
        &["503"],
        "the commands come in the wrong order",
        "any command",
        "An earlier command is missing, or was refused: RCPT comes after \
         MAIL, DATA after at least one accepted RCPT, AUTH once.",
        &["MAIL or all of RCPT were refused", "EHLO is missing"],
        SEE,
    ),
    reply(
        "SMTP 504",
        &["504"],
        "this parameter is not implemented",
        "AUTH, EHLO",
        "After AUTH: the server does not support this way to log in.",
        &["AUTH LOGIN where only PLAIN is offered"],
        OFFER,
    ),
    reply(
        "SMTP 521",
        &["521"],
        "this host accepts no mail",
        "the greeting",
        "The machine is not a mail server. It replies at once, so that the \
         client need not wait for a timeout.",
        &["the wrong host: the domain's mail server has another name"],
        &["dig MX example.com  # who takes mail for that domain"],
    ),
    reply(
        "SMTP 530",
        &["530"],
        "log in, or begin TLS, first",
        "MAIL, AUTH",
        "The server accepts nothing on this port before a log-in: first \
         STARTTLS, then AUTH. Google sends this reply to the skeleton of the \
         textbook.",
        &[
            "no STARTTLS before MAIL or AUTH",
            "no AUTH on a submission port (587, 465)",
        ],
        OFFER,
    ),
    reply(
        "SMTP 534",
        &["534"],
        "this way to log in is too weak here",
        "AUTH",
        "The password was right, or not even looked at: the account asks \
         for another way.",
        &["Google wants an app password or a token (XOAUTH2)"],
        OFFER,
    ),
    reply(
        "SMTP 535",
        &["535"],
        "the user name or password is wrong",
        "AUTH",
        "The log-in was refused. Servers do not say which of both is wrong.",
        &[
            "the user name is mostly the whole address",
            "an account with two-step log-in needs an app password",
            "a token has expired, mostly after an hour",
        ],
        SEE,
    ),
    reply(
        "SMTP 538",
        &["538"],
        "this log-in needs encryption",
        "AUTH",
        "Everybody on the path could read the password: begin TLS first.",
        &["AUTH on a connection without encryption"],
        OFFER,
    ),
    reply(
        "SMTP 550",
        &["550"],
        "refused: no such mailbox, or not for you",
        "RCPT, MAIL, the dot",
        "The most frequent permanent refusal. The text and the enhanced code \
         say which kind: 5.1.1 no such user, 5.7.1 forbidden, 5.7.26 the \
         sender's domain does not authorise this machine.",
        &[
            "the name before the @ is wrong",
            "the server takes mail for other domains only after a log-in",
            "SPF, DKIM or DMARC of the sender's domain fail",
            "this address is on a block list (home networks mostly are)",
        ],
        SEE,
    ),
    reply(
        "SMTP 551",
        &["551"],
        "the user is not local",
        "RCPT",
        "The mailbox is elsewhere, and this server does not forward mail.",
        &["the wrong server for this domain"],
        &["dig MX example.com  # who takes mail for that domain"],
    ),
    reply(
        "SMTP 552",
        &["552"],
        "too large, or over the quota",
        "MAIL with SIZE=, the dot",
        "The message is larger than the server or the mailbox accepts. With \
         SIZE= after MAIL the server can refuse it before it is sent.",
        &["attachments grow by a third in base64", "the mailbox is full"],
        OFFER,
    ),
    reply(
        "SMTP 553",
        &["553"],
        "the mailbox name is not allowed",
        "MAIL, RCPT",
        "The address cannot be one here: its form is wrong, or it needs \
         SMTPUTF8, or this user may not send under that name.",
        &["From is not the address of the account that logged in"],
        SEE,
    ),
    reply(
        "SMTP 554",
        &["554"],
        "it failed, and that is final",
        "the greeting, RCPT, DATA, the dot",
        "In the greeting: no service for this address. After RCPT: usually \
         \"relay access denied\". After the dot: a filter took the message \
         for spam, or something in it is forbidden.",
        &[
            "no log-in, and the recipient is not of this server",
            "the server's filter refused the content",
            "a block list",
        ],
        SEE,
    ),
    reply(
        "SMTP 555",
        &["555"],
        "a parameter of MAIL or RCPT is unknown",
        "MAIL, RCPT",
        "The server does not know a parameter after the address. A client may \
         use only those that the reply to EHLO offers.",
        &["SIZE=, BODY= or SMTPUTF8 sent to a server that does not offer it"],
        OFFER,
    ),
    reply(
        "SMTP 556",
        &["556"],
        "the domain takes no mail",
        "RCPT",
        "The recipient's domain says in DNS that it takes no mail at all: an \
         MX record of a single dot (RFC 7505).",
        &["a spelling mistake in the domain", "a domain for web pages only"],
        &["dig DOMAIN MX"],
    ),
];

/// The middle and last numbers of an enhanced code, and what they say.
const DETAILS: &[(&str, &str)] = &[
    ("1.1", "no such mailbox: the part before the @ is wrong"),
    ("1.2", "no such domain: the part after the @ is wrong"),
    ("1.3", "the recipient's address is malformed"),
    ("1.4", "the recipient's address is ambiguous"),
    ("1.5", "the recipient's address is valid"),
    ("1.6", "the mailbox has moved and left no address"),
    ("1.7", "the sender's address is malformed"),
    ("1.8", "the sender's domain does not exist"),
    ("1.10", "the recipient's domain takes no mail at all"),
    ("2.0", "something is wrong with the mailbox"),
    ("2.1", "the mailbox is disabled"),
    ("2.2", "the mailbox is full"),
    ("2.3", "the message is too long for this mailbox"),
    ("2.4", "the mailing list cannot be expanded"),
    ("3.0", "something is wrong with the mail system"),
    ("3.1", "the mail system is full"),
    ("3.2", "the host takes no mail now"),
    ("3.4", "the message is too big for the server"),
    ("4.1", "the next host does not answer"),
    ("4.2", "the connection to the next host is bad"),
    ("4.4", "no route to the domain: its MX record does not help"),
    ("4.6", "the message is in a loop between servers"),
    ("4.7", "it could not be delivered in time"),
    ("5.0", "the dialogue broke a rule"),
    ("5.1", "the command is not valid here"),
    ("5.2", "the command's syntax is wrong"),
    ("5.3", "too many recipients"),
    ("5.4", "a parameter of the command is wrong"),
    ("5.6", "the line of the log-in is too long"),
    ("6.1", "the kind of content is not supported"),
    ("6.3", "the content would have to be converted, and cannot be"),
    ("6.7", "the address needs SMTPUTF8, and the server lacks it"),
    ("7.0", "about security, without a more exact reason (530: log in first)"),
    ("7.1", "forbidden: this server does not take this mail from you"),
    (
        "7.3",
        "a secure form of the message cannot be converted; from Exchange: \
             the log-in failed",
    ),
    ("7.8", "user name or password is wrong"),
    ("7.9", "this mechanism is too weak; or an app password is needed"),
    ("7.11", "the mechanism needs encryption"),
    ("7.13", "the account is disabled"),
    ("7.20", "no passing DKIM signature"),
    ("7.23", "SPF: this machine may not send for the sender's domain"),
    ("7.25", "this machine's address has no name (reverse DNS)"),
    ("7.26", "neither SPF nor DKIM vouches for the sender"),
    ("7.28", "too much mail of this sender"),
];

/// What the middle number means.
const SUBJECTS: &[&str] = &[
    "something that has no class of its own",
    "the address",
    "the mailbox",
    "the mail system",
    "the network or the way to the mailbox",
    "the dialogue",
    "the content",
    "security or a policy",
];

/// What `5.1.1` says, in a few words; `None` if it is not an enhanced code.
pub fn enhanced(code: &str) -> Option<String> {
    let (class, rest) = code.split_once('.')?;
    let (subject, detail) = rest.split_once('.')?;
    let number = |text: &str| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let subject = usize::from(number(subject)?);
    if !["2", "4", "5"].contains(&class) || number(detail)? > 999 {
        return None;
    }
    let about = SUBJECTS.get(subject)?;
    if class == "2" {
        return Some(format!("done; it is about {about}"));
    }
    let exact = DETAILS.iter().find(|(known, _)| *known == rest);
    Some(match exact {
        Some((_, text)) => (*text).to_string(),
        None => format!("it is about {about}"),
    })
}
