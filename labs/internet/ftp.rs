//! FTP: files, over TWO connections. RFC 959; EPSV is RFC 2428, SIZE RFC
//! 3659, TLS RFC 4217. `ftp://host/dir/` lists a folder, without the slash it
//! is a file.
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
//! connect from there to US, and most firewalls do not let it in. So fetch
//! uses the passive mode.                              (viva 13) [T-M]

pub mod data;
pub mod reply;

use socketlab::{Error, Result, args};

use crate::connection::{Connection, dial};
use crate::ftp::data::{passive, transfer};
use crate::ftp::reply::{ask, expect, reply};
use crate::job::Job;
use crate::login::{Login, login};
use crate::output::Output;

/// Lists a folder, or fetches a file.
pub fn fetch(job: &Job) -> Result<()> {
    let (path, folder) = path(job);
    let mut out = Output::open(job.output.as_deref())?;
    let mut connection = Connection::open(job)?;

    // ---- 1 greeting ------------------------------------------------------
    job.step("1 greeting");
    expect(&mut connection, 2)?;

    // ---- 2 AUTH TLS ------------------------------------------------------
    if job.starttls {
        job.step("2 AUTH TLS");
        ask(&mut connection, "AUTH TLS", 2)?;
        connection.start_tls()?;
    }

    // ---- 3 USER, PASS ----------------------------------------------------
    // Anonymous servers want an address for a password, and check nothing.
    job.step("3 USER, PASS");
    log_in(&mut connection)?;

    // ---- 4 PBSZ, PROT ----------------------------------------------------
    // P: the second connection has TLS, too. Otherwise only the password
    // would be safe, but not the file.
    if connection.is_secure() {
        job.step("4 PBSZ, PROT");
        ask(&mut connection, "PBSZ 0", 2)?;
        ask(&mut connection, "PROT P", 2)?;
    }

    // ---- 5 TYPE ----------------------------------------------------------
    // I, image: the bytes as they are. A would translate the newlines.
    job.step("5 TYPE");
    ask(&mut connection, if folder { "TYPE A" } else { "TYPE I" }, 2)?;
    let mut size = None;
    if folder && !path.is_empty() {
        ask(&mut connection, &format!("CWD {path}"), 2)?;
    } else if !folder {
        size = size_of(&mut connection, &path)?;
    }

    // ---- 6 EPSV ----------------------------------------------------------
    job.step("6 EPSV");
    let place = passive(&mut connection)?;
    let data = dial(&[place])?;

    // ---- 7 RETR, LIST ----------------------------------------------------
    // 150: the bytes come over the other connection. 550: no such file.
    job.step("7 RETR, LIST");
    match folder {
        true => ask(&mut connection, "LIST", 1)?,
        false => ask(&mut connection, &format!("RETR {path}"), 1)?,
    };
    out.announce(size);
    transfer(&mut connection, data, &mut out)?;

    // ---- 9 226 -----------------------------------------------------------
    // FIN on the data connection is not enough, because the kernel also
    // sends it when the server's program dies.                 (viva 14)
    job.step("9 226");
    expect(&mut connection, 2)?;
    let count = out.count();
    if size.is_some_and(|size| size != count) {
        let what = format!("{count} bytes came, and SIZE said otherwise");
        return Err(Error::other(what));
    }
    out.finish()?;

    // ---- 10 QUIT ---------------------------------------------------------
    job.step("10 QUIT");
    let _ = connection.send("QUIT").and_then(|()| reply(&mut connection));
    connection.close();
    Ok(())
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

/// How many bytes a file has. An old server has no SIZE.
fn size_of(connection: &mut Connection<'_>, path: &str) -> Result<Option<u64>> {
    connection.send(&format!("SIZE {path}"))?;
    let (code, text) = reply(connection)?;
    let size = text.get(4..).and_then(|size| size.trim().parse().ok());
    Ok(size.filter(|_| code == 213))
}

/// The path, and whether it is a folder.
fn path(job: &Job) -> (String, bool) {
    let path = job.path("%3f is the character");
    let (path, kind) = path.split_once(";type=").unwrap_or((&path, ""));
    if !matches!(kind, "" | "i" | "d") {
        args::usage("of ;type= there are i (file) and d (folder)");
    }
    let folder = path.is_empty() || path.ends_with('/') || kind == "d";
    let short = path.trim_end_matches('/');
    let root = short.is_empty() && !path.is_empty(); // ftp://host/%2f
    (if root { "/" } else { short }.to_string(), folder)
}
