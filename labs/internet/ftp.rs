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
//! The table of handout T gives port 20: from there the server would connect
//! to US in the active mode, which hardly a firewall lets in.
//!                                                     (viva 13) [T-M]

use socketlab::{Error, Result, args};

use crate::dialogue::{Dialogue, dial};
use crate::ftp_data::{ask, expect, passive, reply, transfer};
use crate::job::Job;
use crate::login::login;
use crate::output::Output;

/// Lists a folder, or fetches a file.
pub fn fetch(job: &Job) -> Result<()> {
    let (path, folder) = path(job);
    let mut out = Output::open(job.output.as_deref())?;
    let mut talk = Dialogue::open(job)?;

    // ---- 1 greeting ------------------------------------------------------
    job.step("1 greeting");
    expect(&mut talk, 2)?;

    // ---- 2 AUTH TLS ------------------------------------------------------
    if job.starttls {
        job.step("2 AUTH TLS");
        ask(&mut talk, "AUTH TLS", 2)?;
        talk = talk.start_tls()?;
    }

    // ---- 3 USER, PASS ----------------------------------------------------
    // Anonymous servers want an address for a password, and check nothing.
    job.step("3 USER, PASS");
    let (user, password) = match job.url.user.as_deref() {
        None | Some("anonymous") => ("anonymous".into(), "fetch@".into()),
        Some(_) => {
            login(&mut talk).map(|login| (login.user, login.password))?
        }
    };
    talk.send(&format!("USER {user}"))?;
    let (code, text) = reply(&mut talk)?;
    match code {
        331 => {
            talk.send_as("PASS ****", &format!("PASS {password}"))?;
            expect(&mut talk, 2)?;
        }
        200..300 => {}
        _ => return Err(talk.refused(&text)),
    }

    // ---- 4 PBSZ, PROT ----------------------------------------------------
    // P: the second connection has TLS, too. Without it, only the password
    // would be safe, and the file not.
    if talk.is_secure() {
        job.step("4 PBSZ, PROT");
        ask(&mut talk, "PBSZ 0", 2)?;
        ask(&mut talk, "PROT P", 2)?;
    }

    // ---- 5 TYPE ----------------------------------------------------------
    // I, image: the bytes as they are. A would translate line ends.
    job.step("5 TYPE");
    ask(&mut talk, if folder { "TYPE A" } else { "TYPE I" }, 2)?;
    let mut size = None;
    if folder && !path.is_empty() {
        ask(&mut talk, &format!("CWD {path}"), 2)?;
    } else if !folder {
        talk.send(&format!("SIZE {path}"))?;
        let (code, text) = reply(&mut talk)?;
        let number = text.get(4..).and_then(|size| size.trim().parse().ok());
        size = number.filter(|_| code == 213); // an old server has no SIZE
    }

    // ---- 6 EPSV ----------------------------------------------------------
    job.step("6 EPSV");
    let place = passive(&mut talk)?;
    let data = dial(&[place])?;

    // ---- 7 RETR, LIST ----------------------------------------------------
    // 150: it goes over the other connection. 550: there is none.
    job.step("7 RETR, LIST");
    match folder {
        true => ask(&mut talk, "LIST", 1)?,
        false => ask(&mut talk, &format!("RETR {path}"), 1)?,
    };
    out.announce(size);
    transfer(&mut talk, data, &mut out)?;

    // ---- 9 226 -----------------------------------------------------------
    // FIN is not enough: a server that dies sends it, too.     (viva 14)
    job.step("9 226");
    expect(&mut talk, 2)?;
    let count: u64 = out.count();
    if size.is_some_and(|size: u64| size != count) {
        let what = format!("{count} bytes came, and SIZE said otherwise");
        return Err(Error::other(what));
    }
    out.finish()?;

    // ---- 10 QUIT ---------------------------------------------------------
    job.step("10 QUIT");
    let _ = talk.send("QUIT").and_then(|()| reply(&mut talk));
    talk.close();
    Ok(())
}

/// The path, and whether it is a folder.
fn path(job: &Job) -> (String, bool) {
    let path = crate::job::path_of(job, "%3f is the character");
    let (path, kind) = path.split_once(";type=").unwrap_or((&path, ""));
    if !matches!(kind, "" | "i" | "d") {
        args::usage("of ;type= there are i (file) and d (folder)");
    }
    let folder = path.is_empty() || path.ends_with('/') || kind == "d";
    let short = path.trim_end_matches('/');
    let root = short.is_empty() && !path.is_empty(); // ftp://host/%2f
    (if root { "/" } else { short }.to_string(), folder)
}
