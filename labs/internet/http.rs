//! HTTP and HTTPS: one GET, and the response's body. RFC 9110 and RFC 9112; the
//! lab web shows them in detail. The reader and the framing are shared with it
//! (src/http). [T-M]
//!
//! ```text
//! fetch                            server
//!   |--- 1 GET /path, Host: ------->|   we speak first
//!   |<-- 2 200 OK, fields ----------|   a head tells what follows
//!   |<-- 3 body --------------------|   by length, in chunks, or to FIN
//! ```
//!
//! A redirect is printed and not followed, because it may lead to any server.

use http::{Body, Head, Reader, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use socketlab::{Error, Result, args, console, warn};
use tls::Channel;

use crate::connection::Connection;
use crate::job::Job;
use crate::output::Output;

/// Characters that must be percent-encoded in a request line.
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"');

/// Fetches a page or file.
pub fn fetch(job: &Job) -> Result<()> {
    let url = &job.url;
    if url.user.is_some() {
        args::usage("a user in an http URL is not sent: leave it out");
    }
    let path = utf8_percent_encode(&url.path, NOT_IN_A_PATH).to_string();
    let path = match path.starts_with('/') {
        true => path,
        false => format!("/{path}"),
    };
    let mut out = Output::open(job.output.as_deref())?;
    let mut connection = Connection::open(job)?;

    // ---- 1 GET -----------------------------------------------------------
    // Host, because one address may have many sites. With TLS the handshake has
    // already named the host (SNI), and the server's certificate has proved it.
    job.step("1 GET");
    let mut host = match url.host.contains(':') {
        true => format!("[{}]", url.host),
        false => url.host.clone(),
    };
    if url.port != url.scheme.port {
        host += &format!(":{}", url.port);
    }
    let head = Head::request("GET", &path)
        .field("Host", host)
        .field("User-Agent", "socketlab-fetch")
        .field("Connection", "close")
        .end();
    connection.send_head(&head)?;

    // ---- 2 head ----------------------------------------------------------
    // 1xx are interim: the final response follows them.
    job.step("2 head");
    let mut reader = Reader::new(connection.into_channel()?);
    reader.set_head_deadline(job.wait);
    reader.set_limits(job.wait, None);
    let response = read_head(&mut reader, job)?;
    let status = response.status;
    // 2xx is a success. But 206 is a part, which fetch has not requested, and
    // 204 has no content. So only 200 and 203 are saved in a file.
    let success = (200..300).contains(&status) && status != 206;
    if job.output.is_some() && !matches!(status, 200 | 203) {
        return match status {
            204 => {
                warn!("(204: the response has no content; nothing is saved)");
                Ok(())
            }
            _ => Err(answer(status, response.fields.text("Location"))),
        };
    }

    // ---- 3 body ----------------------------------------------------------
    // If fewer bytes arrive than announced, this is an error, and no file is
    // left.
    job.step("3 body");
    let mut body = Body::new(response.framing("GET")?);
    let size = response.fields.text("Content-Length");
    out.announce(size.and_then(|size| size.parse().ok()));
    while let Some(piece) = body.next(&mut reader)? {
        out.write(piece)?;
    }
    out.finish()?;
    match success {
        true => Ok(()),
        false => Err(answer(status, response.fields.text("Location"))),
    }
}

/// The final response, printed. At most ten interim ones may precede it.
fn read_head(reader: &mut Reader<Channel>, job: &Job) -> Result<Response> {
    let mut interim = 0;
    let response = loop {
        match reader.read_response(job.wait)? {
            Some(response) if response.status >= 200 => break response,
            Some(_) if interim < 10 => interim += 1,
            _ => {
                let what = "the server closed without an answer";
                return Err(Error::other(what));
            }
        }
    };
    let (version, status) = (response.version.text(), response.status);
    let line = format!("{version} {status} {}", response.reason);
    job.printer.show("S: ", line.as_bytes());
    for (name, value) in response.fields.iter() {
        let line = [name.as_bytes(), b": ", value].concat();
        job.printer.show("S: ", &line);
    }
    Ok(response)
}

/// The error for any other response.
fn answer(status: u16, elsewhere: Option<&str>) -> Error {
    let elsewhere = elsewhere.map(|place| console::escape(place.as_bytes()));
    let elsewhere = elsewhere.map(|place| format!(": it is at {place}"));
    let elsewhere = elsewhere.unwrap_or_default();
    Error::other(format!("the server's answer is {status}{elsewhere}"))
}
