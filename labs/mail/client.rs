//! A mail client: sends one message to a mail server, and shows each line of
//! the dialogue. Handout W, task 4. The server is sink.rs, Postfix, a Google
//! server, or any other mail server.                              [W-T4a]
//!
//! ```text
//! client (this file)              server
//!   |  1 socket  2 connect ------>|  port 2525 (25, 587, 465)
//!   |  3 greeting <---- 220 ------|  the server speaks first
//!   |  4 ehlo ------ EHLO ------->|  250-… its extensions
//!   |  5 starttls    6 auth ----->|  220, TLS, EHLO again; 235
//!   |  7 mail        8 rcpt ----->|  250, 250: the envelope
//!   |  9 data ------ DATA ------->|  354
//!   | 10 dot ------ message, . -->|  250: now the server has it
//!   | 11 quit       12 close ---->|  221
//! ```

use mail::client::extensions::Extensions;
use mail::client::options::{self, Args, Plan};
use mail::client::outcome::{self, Delivery, Failure, Step};
use mail::client::{auth, body, pipeline::Group, tls_policy, wire::Wire};
use mail::smtp::{address::Address, dot_stuffing, verb::Verb};
use socketlab::args::{self, Program, Role};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    // The client finds the user's mistakes before it connects.
    let mut plan = options::plan(args)?;
    let addresses = net::resolve(&plan.args.host, plan.args.port.0)?;
    if plan.letter.ready.is_none() {
        plan.letter.body = body::read();
    }
    let keep_text = |_: &Error| body::keep(&plan.letter.body);
    let connected = net::try_each(&addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        // Python: socket.socket()  C: socket()
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // The handout's "establish a TCP connection with a mail server".
        // Servers use port 25 among themselves; most networks block it for
        // all other machines.                       (viva 11) [W-T4b]
        // On Linux SO_SNDTIMEO limits connect(), too.
        // Python: s.connect()  C: connect()
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        // If the server reads nothing for 30 s, send() fails; otherwise the
        // client would wait without end.
        socket.set_send_timeout(Some(net::SEND_TIMEOUT))?;
        socket.set_user_timeout(net::SEND_TIMEOUT)?;
        Ok(socket)
    });
    let socket = connected.inspect_err(keep_text)?;
    // TCP_NODELAY: the kernel sends a short command at once. It does not wait
    // until the server has acknowledged the previous one.
    socket.set_no_delay()?;
    let name = plan.name(socket.local_addr()?.ip());
    let mut wire = Wire::new(socket, plan.timeout, plan.args.quiet);
    let result = converse(&mut wire, &plan, &name);

    // ---- 11 quit() -------------------------------------------------------
    // Also after a refusal, so that the server does not wait for the next
    // command. The 221 changes nothing: the server has had the message since
    // step 10.
    if matches!(result, Ok(_) | Err(Failure::Refused(_))) {
        goodbye(&mut wire);
    }

    // ---- 12 close() ------------------------------------------------------
    // The kernel sends FIN; the server closes its side with a FIN, too.
    // Python: s.close()  C: close()
    wire.close();
    outcome::report(&plan.letter, result).inspect_err(keep_text)
}

/// The dialogue. An error ends it. Then no message has been delivered, except
/// perhaps after `Failure::Unknown`.
fn converse(wire: &mut Wire, plan: &Plan, name: &str) -> Step<Delivery> {
    let extensions = introduce(wire, plan, name)?;
    let (text, parameters) = prepare(plan, &extensions)?;

    // ---- 7 mail() --------------------------------------------------------
    // The envelope's sender. A server that cannot deliver the message sends
    // an error message (a bounce) to this address. People do not see it:
    // they see the header's From.                       (viva 9) (try 5)
    wire.banner(Verb::Mail, "the envelope: from whom");
    let at_once = plan.args.pipeline && extensions.pipelining;
    if plan.args.pipeline && !at_once {
        wire.note("the server does not offer PIPELINING: one by one");
    }
    let mut group = Group::new(at_once);
    let sender = plan.sender.as_ref().map(Address::text).unwrap_or_default();
    let mail = format!("MAIL FROM:<{sender}>{parameters}");
    group.add(wire, Verb::Mail, mail)?;

    // ---- 8 rcpt() --------------------------------------------------------
    // One command for each recipient, and one reply. The server may refuse
    // some recipients; the others get the message.          (viva 13) (try 3)
    wire.banner(Verb::Rcpt, "the envelope: to whom, one by one");
    for address in plan.letter.recipients() {
        let rcpt = format!("RCPT TO:<{}>", address.text());
        group.add(wire, Verb::Rcpt, rcpt)?;
    }
    let replies = group.end(wire)?;
    let replies = replies.get(1..).unwrap_or_default(); // [0] is MAIL's
    let mut delivery = Delivery::of(&plan.letter, replies);
    if delivery.accepted.is_empty() {
        return Err(delivery.all_refused().into());
    }

    // ---- 9 data() --------------------------------------------------------
    // The client asks whether it may send the message; 354 means yes.
    wire.banner(Verb::Data, "may the message come?");
    let reply = wire.command(Verb::Data, "")?;
    if reply.code != 354 {
        return Err(Failure::refused("DATA", &reply));
    }

    // ---- 10 dot() --------------------------------------------------------
    // The client is responsible for the message until the reply to the dot.
    // After a 250 the server is responsible. If no reply comes, the client
    // cannot know whether the message was delivered.
    //                                              (viva 1) (viva 4) (try 4)
    wire.banner(Verb::Dot, "the message, and a line with a dot");
    outcome::set_on_the_way(true);
    wire.send_message(&text)?;
    let reply = wire.read_reply(Verb::Dot);
    outcome::set_on_the_way(false);
    let reply = reply.map_err(|lost| Failure::Unknown(lost.why().into()))?;
    match reply.code / 100 {
        2 => delivery.words = reply.text(),
        4 | 5 => return Err(Failure::refused("the message", &reply)),
        // Not a reply to the dot, but the server still answers, so the
        // client says QUIT.
        _ => {
            goodbye(wire);
            let reply = reply.text();
            let why = format!("the server replied to the dot with {reply}");
            return Err(Failure::Unknown(why));
        }
    }
    Ok(delivery)
}

/// Everything before the message: greeting, EHLO, TLS and log-in.
fn introduce(wire: &mut Wire, plan: &Plan, name: &str) -> Step<Extensions> {
    let tls_first = plan.args.tls.comes_first(plan.args.port.0);
    if tls_first {
        wire.note("TLS starts before the greeting");
        wire.start_tls(&plan.args.host)?;
    }

    // ---- 3 greeting() ----------------------------------------------------
    // The client waits for it. Many servers disconnect a client that sends
    // first, because programs of spammers do so.
    wire.banner(Verb::Greeting, "the server speaks first");
    let reply = wire.read_reply(Verb::Greeting)?;
    if reply.code != 220 {
        return Err(Failure::refused("the connection", &reply));
    }

    // ---- 4 ehlo() --------------------------------------------------------
    // The client gives its name and asks for the server's extensions. A line
    // of the reply names each of them.                           (viva 12)
    wire.banner(Verb::Ehlo, "who we are; what can the server do?");
    let mut extensions = ehlo(wire, plan, name)?;

    // ---- 5 starttls() ----------------------------------------------------
    // The first reply to EHLO came in the clear, so an attacker on the way
    // may have changed it. After the TLS handshake the client sends EHLO
    // again, and uses only the second reply.             (viva 10) (try 2)
    let loopback = wire.is_loopback();
    let wanted = plan.args.tls.wants_starttls(extensions.starttls, loopback);
    if !tls_first && wanted? {
        wire.banner(Verb::StartTls, "encrypted from here on");
        let reply = wire.command(Verb::StartTls, "")?;
        if reply.code != 220 {
            return Err(Failure::refused("STARTTLS", &reply));
        }
        wire.start_tls(&plan.args.host)?;
        wire.banner(Verb::Ehlo, "again: the first reply came in the clear");
        extensions = ehlo(wire, plan, name)?;
    }

    // ---- 6 auth() --------------------------------------------------------
    // Without a log-in a server accepts mail only for its own users. After a
    // log-in it accepts mail for any recipient.         (viva 6) [W-T4b]
    if let Some(login) = &plan.login {
        wire.banner(Verb::Auth, "the log-in; the password is not shown");
        tls_policy::may_log_in(wire.is_secure(), loopback)?;
        let mechanism = auth::choose(login.wanted, &extensions.auth)?;
        auth::authenticate(wire, login, mechanism)?;
    }
    Ok(extensions)
}

/// Sends EHLO. If the server refuses it with 5xx, sends HELO: a server from
/// before 1993 has no extensions.
fn ehlo(wire: &mut Wire, plan: &Plan, name: &str) -> Step<Extensions> {
    let reply = wire.command(Verb::Ehlo, name)?;
    if reply.code == 250 {
        return Ok(Extensions::of(&reply));
    }
    if reply.code / 100 != 5 {
        return Err(Failure::refused("EHLO", &reply));
    }
    wire.note("the server refuses EHLO, so HELO and a domain, as in 1982");
    let reply = wire.command(Verb::Helo, &plan.domain())?;
    match reply.code {
        250 => Ok(Extensions::default()),
        _ => Err(Failure::refused("HELO", &reply)),
    }
}

/// Says QUIT. Nothing depends on the reply.
fn goodbye(wire: &mut Wire) {
    wire.banner(Verb::Quit, "goodbye");
    if let Err(lost) = wire.command(Verb::Quit, "") {
        wire.note(&console::escape(lost.why().as_bytes()));
    }
}

/// Builds the message for this server, and the parameters of MAIL FROM. The
/// client uses only extensions that the server has offered.
fn prepare(plan: &Plan, extensions: &Extensions) -> Step<(Vec<u8>, String)> {
    let message = plan.letter.build(extensions.eight_bit)?;
    let message = dot_stuffing::with_crlf(&message);
    let stuffed = dot_stuffing::stuffed(&message)?;
    let size = message.len();
    if let Some(most) = extensions.refuses_size(size) {
        Err(format!(
            "the message has {size} bytes, but this server accepts at most \
             {most} (SIZE)"
        ))?;
    }
    let mut parameters = String::new();
    if extensions.size.is_some() {
        parameters.push_str(&format!(" SIZE={size}"));
    }
    if extensions.eight_bit && !message.is_ascii() {
        parameters.push_str(" BODY=8BITMIME");
    }
    if plan.needs_utf8() {
        if !extensions.utf8 {
            Err("an address has non-ASCII letters before its @, or the \
                 file's header has some, but this server does not offer \
                 SMTPUTF8"
                .to_string())?;
        }
        parameters.push_str(" SMTPUTF8");
    }
    Ok((stuffed, parameters))
}

const PROGRAM: Program = Program {
    lab: "mail",
    role: Role::Client { server: Some("mail-sink") },
    port: 2525,
    steps: "socket connect greeting ehlo starttls auth mail rcpt data dot \
            quit close",
    example: "mail-client 127.0.0.1 2525 --from ada@example.com \
              --to bob@example.org --subject Hi < letter.txt",
};
