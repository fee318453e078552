//! FTP: files, over TWO connections. RFC 959; EPSV is RFC 2428, SIZE RFC
//! 3659, TLS RFC 4217. `ftp://host/dir/` lists a folder, without the slash it
//! is a file. `--put FILE` stores one there (`ftp/upload.rs`).
//!
//! ```text
//! fetch             control, port 21                  server
//!   |<------ 1 220 ready ------------------------------|
//!   |------- 2 AUTH TLS ------------------------------>|   --starttls
//!   |------- 3 USER, PASS ---------------------------->|   331, 230
//!   |------- 4 PBSZ, PROT ---------------------------->|   with TLS
//!   |------- 5 TYPE, CWD or SIZE --------------------->|
//!   |------- 6 EPSV ---------------------------------->|   229 (|||4711|)
//!   |                  data, port 4711                 |
//!   |======= connect =================================>|
//!   |------- 7 RETR file or LIST --------------------->|   150
//!   |<====== 8 bytes, until FIN =======================|
//!   |<------ 9 226 all was sent -----------------------|
//!   |------- 10 QUIT --------------------------------->|
//! ```
//!
//! The table of handout T names port 20. In the active mode the server would
//! connect from this port to the client, which most firewalls do not allow. So
//! fetch uses the passive mode. (viva 13) [T-M]

pub mod data;
pub mod reply;
pub mod upload;

use socketlab::{Error, Result, args};

use crate::connection::{Connection, dial};
use crate::ftp::data::{passive, receive};
use crate::ftp::reply::{ask, expect, reply, size_of};
use crate::ftp::upload::Upload;
use crate::job::Job;
use crate::login::{Login, login};
use crate::output::Output;

/// How often a server may reply "120 ready in N minutes".
const MOST_DELAYS: usize = 10;

/// Lists a folder, or fetches or stores a file.
pub fn fetch(job: &Job) -> Result<()> {
    let (path, folder) = path(job);
    let upload = match &job.put {
        Some(file) => Some(Upload::open(file, &path, folder)?),
        None => None,
    };
    let mut out = Output::open(job.output.as_deref())?;
    let mut connection = Connection::open(job)?;
    begin(&mut connection)?;
    match upload {
        Some(upload) => upload.store(&mut connection)?,
        None => {
            download(&mut connection, &path, folder, &mut out)?;
            out.finish()?;
        }
    }

    // ---- 10 QUIT ---------------------------------------------------------
    job.step("10 QUIT");
    let _ = connection.send("QUIT").and_then(|()| reply(&mut connection));
    connection.close();
    Ok(())
}

/// The steps before the first file.
fn begin(connection: &mut Connection<'_>) -> Result<()> {
    let job = connection.job;

    // ---- 1 greeting ------------------------------------------------------
    // 120: the server is not ready yet; it sends 220 later.
    job.step("1 greeting");
    let (mut code, mut text) = reply(connection)?;
    for _ in 0..MOST_DELAYS {
        if code == 120 {
            (code, text) = reply(connection)?;
        }
    }
    if code / 100 != 2 {
        return Err(connection.refused(&text));
    }

    // ---- 2 AUTH TLS ------------------------------------------------------
    if job.starttls {
        job.step("2 AUTH TLS");
        ask(connection, "AUTH TLS", 2)?;
        connection.start_tls()?;
    }

    // ---- 3 USER, PASS ----------------------------------------------------
    // Anonymous servers expect an address as password, and do not check it.
    job.step("3 USER, PASS");
    log_in(connection)?;

    // ---- 4 PBSZ, PROT ----------------------------------------------------
    // P: the second connection uses TLS, too. Otherwise only the password would
    // be protected, but not the file.
    if connection.is_secure() {
        job.step("4 PBSZ, PROT");
        ask(connection, "PBSZ 0", 2)?;
        ask(connection, "PROT P", 2)?;
    }
    Ok(())
}

/// A folder's list, or a file.
fn download(
    connection: &mut Connection<'_>,
    path: &str,
    folder: bool,
    out: &mut Output,
) -> Result<()> {
    let job = connection.job;

    // ---- 5 TYPE ----------------------------------------------------------
    // I, image: unchanged bytes. A would translate the newlines.
    job.step("5 TYPE");
    ask(connection, if folder { "TYPE A" } else { "TYPE I" }, 2)?;
    let mut size = None;
    if folder && !path.is_empty() {
        ask(connection, &format!("CWD {path}"), 2)?;
    } else if !folder {
        size = size_of(connection, path)?;
    }

    // ---- 6 EPSV ----------------------------------------------------------
    job.step("6 EPSV");
    let place = passive(connection)?;
    let data = dial(&[place])?;

    // ---- 7 RETR, LIST ----------------------------------------------------
    // 150: the bytes come over the other connection. 550: no such file.
    job.step("7 RETR, LIST");
    match folder {
        true => ask(connection, "LIST", 1)?,
        false => ask(connection, &format!("RETR {path}"), 1)?,
    };
    out.announce(size);
    receive(connection, data, out)?;

    // ---- 9 226 -----------------------------------------------------------
    // FIN on the data connection is not enough, because the kernel also
    // sends it when the server's program dies.                 (viva 14)
    job.step("9 226");
    expect(connection, 2)?;
    let count = out.count();
    match size.is_some_and(|size| size != count) {
        true => {
            let what = format!("{count} bytes came, and SIZE said otherwise");
            Err(Error::other(what))
        }
        false => Ok(()),
    }
}

/// The user of the URL, or anonymous.
fn log_in(connection: &mut Connection<'_>) -> Result<()> {
    let Login { user, password } = match connection.job.url.user.as_deref() {
        None | Some("anonymous") => {
            Login { user: "anonymous".into(), password: "fetch@".into() }
        }
        Some(_) => login(connection)?,
    };
    connection.send(&format!("USER {user}"))?;
    let (code, text) = reply(connection)?;
    match code {
        331 => {
            connection.send_masked(&format!("PASS {password}"), "PASS ****")?;
            expect(connection, 2).map(drop)
        }
        200..300 => Ok(()),
        _ => Err(connection.refused(&text)),
    }
}

/// The path, and whether it is a folder.
fn path(job: &Job) -> (String, bool) {
    let path = job.path("%3f is the character");
    let (path, kind) = path.split_once(";type=").unwrap_or((&path, ""));
    if !matches!(kind, "" | "i" | "d") {
        args::usage("after ;type= use i (file) or d (folder)");
    }
    let folder = path.is_empty() || path.ends_with('/') || kind == "d";
    let short = path.trim_end_matches('/');
    let root = short.is_empty() && !path.is_empty(); // ftp://host/%2f
    (if root { "/" } else { short }.to_string(), folder)
}
