//! A mail client: hands one message to a mail server, and shows each word of
//! the dialogue. Handout W, task 4. The other half is sink.rs, Postfix, a
//! Google server, or any other mail server.                       [W-T4a]
//!
//! ```text
//! client (this file)              server
//!   |  1 socket                     |
//!   |  2 connect ---- handshake --->|  port 2525 (25, 587, 465)
//!   |  3 greeting <---- 220 --------|  the server speaks first
//!   |  4 ehlo ------- EHLO -------->|  250-… what it can do
//!   |  5 starttls --- STARTTLS ---->|  220, TLS; then EHLO again
//!   |  6 auth ------- AUTH -------->|  235
//!   |  7 mail ------- MAIL FROM --->|  250  }
//!   |  8 rcpt ------- RCPT TO ----->|  250  } the envelope
//!   |  9 data ------- DATA -------->|  354
//!   | 10 dot -------- message, . -->|  250: now the server has it
//!   | 11 quit ------- QUIT -------->|  221
//!   | 12 close ------- FIN -------->|
//! ```

use mail::message::Letter;
use mail::offer::Offer;
use mail::options::{Args, Plan};
use mail::pipeline::Group;
use mail::policy::Tls;
use mail::report::{Outcome, Stop};
use mail::smtp::Smtp;
use mail::{auth, data, options, policy, report, text};
use socketlab::args::{self, Program};
use socketlab::net::{self, TcpSocket};
use socketlab::{Error, Result, console, program};

const PROGRAM: Program = Program {
    lab: "mail",
    role: "client",
    port: 2525,
    steps: "socket connect greeting ehlo starttls auth mail rcpt data dot \
            quit close",
    example: "mail-client 127.0.0.1 2525 --from ada@example.com \
              --to bob@example.org --subject Hi < letter.txt",
};

fn main() -> Result<()> {
    let args: Args = args::parse(&PROGRAM);
    program::set_server("mail-sink"); // what to start when nobody listens
    // All that the user can get wrong is found before a server hears of us,
    // and most of it before somebody types a text in vain.
    let mut plan = options::plan(args);
    if plan.tls == Tls::Upgrade || plan.tls.comes_first(plan.port) {
        tls::check_cert_file()?;
    }
    let addresses = net::resolve(&plan.host, plan.port)?;
    plan.letter.body = text::read();
    let keep_text = |_: &Error| text::keep(&plan.letter.body);
    let connected = net::try_each(&addresses, |address| {
        // ---- 1 socket() --------------------------------------------------
        let socket = TcpSocket::new(address)?;

        // ---- 2 connect() -------------------------------------------------
        // The handout's "establish a TCP connection with a mail server".
        // Port 25 is for servers among themselves; most networks block it
        // for everybody else.                       (viva 11) [W-T4b]
        // SO_SNDTIMEO bounds connect() on Linux, too.
        socket.set_send_timeout(Some(net::CONNECT_TIMEOUT))?;
        socket.connect(address)?;
        // A server that does not read for 30 s is given up.
        socket.set_send_timeout(Some(net::SEND_TIMEOUT))?;
        socket.set_user_timeout(net::SEND_TIMEOUT)?;
        Ok(socket)
    });
    let socket = connected.inspect_err(keep_text)?;
    // Small commands wait for nobody's acknowledgement.
    socket.set_no_delay()?;
    let name = plan.name(socket.local_addr()?.ip());
    let mut smtp = Smtp::new(socket, plan.waits, plan.quiet);
    let outcome = converse(&mut smtp, &plan, &name);

    // ---- 11 quit() -------------------------------------------------------
    // Also after a refusal: the server need not wait for more. The message
    // is the server's since step 10; what comes back here changes nothing.
    if matches!(outcome, Ok(_) | Err(Stop::Refused(_))) {
        goodbye(&mut smtp);
    }

    // ---- 12 close() ------------------------------------------------------
    smtp.close();
    report::tell(&plan.letter, outcome).inspect_err(keep_text)
}

/// The dialogue. An error ends it; nothing has been delivered then, except
/// perhaps after `Stop::Unknown`.
fn converse(
    smtp: &mut Smtp,
    plan: &Plan,
    name: &str,
) -> std::result::Result<Outcome, Stop> {
    let first = plan.tls.comes_first(plan.port);
    if first {
        smtp.note("TLS before the first word");
        smtp.start_tls(&plan.host)?;
    }

    // ---- 3 greeting() ----------------------------------------------------
    // A client that speaks before the greeting is taken for a robot by many
    // servers, and turned away.
    smtp.banner("greeting", "the server speaks first");
    let reply = smtp.hear("the greeting")?;
    if reply.code != 220 {
        return Err(Stop::refused("the connection", &reply));
    }

    // ---- 4 ehlo() --------------------------------------------------------
    // Our name, and the question what the server can do.         (viva 12)
    smtp.banner("ehlo", "who we are; what can the server do?");
    let mut offer = ehlo(smtp, name)?;

    // ---- 5 starttls() ----------------------------------------------------
    // What was offered in the clear counts for nothing any more: somebody
    // on the way may have written it. So EHLO comes again.  (viva 10) (try 8)
    let loopback = smtp.is_loopback();
    let wanted = plan.tls.wants_starttls(offer.starttls, loopback);
    if !first && wanted.map_err(Stop::Refused)? {
        smtp.banner("starttls", "from here on encrypted");
        let reply = smtp.ask("STARTTLS")?;
        if reply.code != 220 {
            return Err(Stop::refused("STARTTLS", &reply));
        }
        smtp.start_tls(&plan.host)?;
        smtp.banner("ehlo", "again: the first answer came in the clear");
        offer = ehlo(smtp, name)?;
    }

    // ---- 6 auth() --------------------------------------------------------
    // Without it a server takes mail for its own users only; with it, for
    // any recipient.                                    (viva 6) [W-T4b]
    if let Some(login) = &plan.login {
        smtp.banner("auth", "who sends; the password is not shown");
        let secure = smtp.is_secure();
        policy::may_log_in(secure, loopback).map_err(Stop::Refused)?;
        let how = auth::choose(login.wanted, &offer.auth);
        auth::authenticate(smtp, login, how.map_err(Stop::Refused)?)?;
    }

    // ---- 7 mail() --------------------------------------------------------
    // The envelope's sender: where complaints go (bounces). Not what people
    // read as From.                                     (viva 9) (try 6)
    let letter = &plan.letter;
    let (wire, parameters) = prepare(letter, plan, &offer)?;
    smtp.banner("mail", "the envelope: from whom");
    let mut group = Group::new(offer.pipelining);
    group.tell(smtp, format!("MAIL FROM:<{}>{parameters}", plan.sender))?;

    // ---- 8 rcpt() --------------------------------------------------------
    // One command for each recipient, and one answer: some may be refused
    // while the rest is served.                             (viva 13) (try 3)
    smtp.banner("rcpt", "the envelope: to whom, one by one");
    for address in letter.recipients() {
        group.tell(smtp, format!("RCPT TO:<{}>", address.text()))?;
    }
    let replies = group.end(smtp)?;
    let mut outcome = Outcome::of(letter, replies.get(1..).unwrap_or_default());
    if outcome.accepted.is_empty() {
        return Err(Stop::Refused(outcome.all_refused()));
    }

    // ---- 9 data() --------------------------------------------------------
    smtp.banner("data", "may the message come?");
    let reply = smtp.ask("DATA")?;
    if reply.code != 354 {
        return Err(Stop::refused("DATA", &reply));
    }

    // ---- 10 dot() --------------------------------------------------------
    // Until the answer to the dot the message is ours, and after its 250
    // the server's. In between nobody can tell.    (viva 1) (viva 4) (try 4)
    smtp.banner("dot", "the message, and a line with a dot");
    report::on_the_way();
    smtp.send_message(&wire)?;
    let answer = smtp.hear("the dot");
    report::answered();
    let reply = match answer {
        Ok(reply) => reply,
        Err(silence) => return Err(Stop::Unknown(silence.why().to_string())),
    };
    match reply.code / 100 {
        2 => outcome.words = reply.text(),
        4 | 5 => return Err(Stop::refused("the message", &reply)),
        // The server is out of step, but it is there: it hears that we go.
        _ => {
            goodbye(smtp);
            return Err(Stop::Unknown(format!("answer: {}", reply.text())));
        }
    }
    Ok(outcome)
}

/// QUIT. Nothing depends on its reply.
fn goodbye(smtp: &mut Smtp) {
    smtp.banner("quit", "goodbye");
    if let Err(silence) = smtp.ask("QUIT") {
        smtp.note(&console::escape(silence.why().as_bytes()));
    }
}

/// EHLO; or HELO, for a server from before 1995, which then offers nothing.
fn ehlo(smtp: &mut Smtp, name: &str) -> std::result::Result<Offer, Stop> {
    let reply = smtp.ask(&format!("EHLO {name}"))?;
    if reply.code == 250 {
        return Ok(Offer::of(&reply));
    }
    if !reply.is_permanent() {
        return Err(Stop::refused("EHLO", &reply));
    }
    smtp.note("no EHLO here: the way of 1982, HELO");
    let reply = smtp.ask(&format!("HELO {name}"))?;
    match reply.code {
        250 => Ok(Offer::default()),
        _ => Err(Stop::refused("HELO", &reply)),
    }
}

/// The message for this server, and what stands behind MAIL FROM: what was
/// not offered may not be used.
fn prepare(
    letter: &Letter,
    plan: &Plan,
    offer: &Offer,
) -> std::result::Result<(Vec<u8>, String), Stop> {
    let message = letter.build(offer.eight_bit).map_err(Stop::Refused)?;
    let message = data::with_crlf(&message);
    let wire = data::stuffed(&message).map_err(Stop::Refused)?;
    let size = message.len();
    if let Some(most) = offer.refuses_size(size) {
        return Err(Stop::Refused(format!(
            "the message has {size} octets, this server takes {most} (SIZE)"
        )));
    }
    let mut parameters = String::new();
    if offer.size.is_some() {
        parameters.push_str(&format!(" SIZE={size}"));
    }
    if offer.eight_bit && !message.is_ascii() {
        parameters.push_str(" BODY=8BITMIME");
    }
    if plan.needs_utf8() {
        if !offer.utf8 {
            return Err(Stop::Refused(
                "an address has letters beyond ASCII before its @, and this \
                 server does not offer SMTPUTF8: no way to say it"
                    .to_string(),
            ));
        }
        parameters.push_str(" SMTPUTF8");
    }
    Ok((wire, parameters))
}
