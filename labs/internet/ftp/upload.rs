//! Storing a file: the same two connections, and the bytes go the other way.
//!
//! ```text
//! control   C: EPSV    S: 229     C: STOR    S: 150           … 226
//! data                 connect ---->         bytes ----> FIN
//! ```
//!
//! The sender says with FIN that the file has ended, and only the server knows
//! whether all of it is on its disk: 226. Before that, nothing is stored.
//! [T-M2]

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use socketlab::stream::Stream;
use socketlab::{Error, Result, args, warn};

use crate::connection::{Connection, dial};
use crate::ftp::data::{over_tls, passive, why};
use crate::ftp::reply::{ask, expect, size_of};

/// A file that is sent to the server.
pub struct Upload {
    file: File,
    name: PathBuf,
    path: String, // at the server
}

impl Upload {
    /// Opens the file before the client connects. In a folder the file keeps
    /// its name.
    pub fn open(name: &Path, path: &str, folder: bool) -> Result<Upload> {
        let fail = |error| Error::new("open", name.display(), error);
        let file = File::open(name).map_err(fail)?;
        if file.metadata().map_err(fail)?.is_dir() {
            let name = name.display();
            return Err(Error::other(format!(
                "{name} is a folder: --put FILE"
            )));
        }
        let path = match folder {
            false => path.to_string(),
            true => {
                let last = name.file_name().and_then(|name| name.to_str());
                let last = last.filter(|n| !n.contains(char::is_control));
                let Some(last) = last else {
                    args::usage("name the file in the URL: ftp://HOST/NAME");
                };
                match path {
                    "" => last.to_string(),
                    path => format!("{}/{last}", path.trim_end_matches('/')),
                }
            }
        };
        Ok(Upload { file, name: name.to_path_buf(), path })
    }

    /// Stores it. After an error the server may have a part of it.
    pub fn store(mut self, connection: &mut Connection<'_>) -> Result<()> {
        let path = self.path.clone();
        let size = self.send(connection).map_err(|error| {
            let error = error.to_string();
            let error = error.trim_end_matches('.');
            Error::other(format!(
                "{error}. {path} is not stored. If the server kept a part of \
                 it, the part has that name"
            ))
        })?;
        warn!("stored {path}: {size} bytes");
        Ok(())
    }

    fn send(&mut self, connection: &mut Connection<'_>) -> Result<u64> {
        let (job, path) = (connection.job, &self.path);

        // ---- 5 TYPE ------------------------------------------------------
        job.step("5 TYPE");
        ask(connection, "TYPE I", 2)?;

        // ---- 6 EPSV ------------------------------------------------------
        job.step("6 EPSV");
        let place = passive(connection)?;
        let data = dial(&[place])?;

        // ---- 7 STOR ------------------------------------------------------
        // 150: send it over the other connection. 553: the name is refused,
        // 452: the disk is full. A file of this name is replaced.
        job.step("7 STOR");
        ask(connection, &format!("STOR {path}"), 1)?;

        // ---- 8 data ------------------------------------------------------
        // FIN ends the file. If the server closes first, it sends the reason on
        // the control connection: 426, 452, 552.
        job.step("8 data");
        let mut data = over_tls(connection, data)?;
        let mut buffer = vec![0; 64 * 1024];
        let mut size = 0;
        loop {
            let count = self.file.read(&mut buffer);
            let count = count.map_err(|error| {
                Error::new("read", self.name.display(), error)
            })?;
            if count == 0 {
                break;
            }
            let bytes = buffer.get(..count).unwrap_or_default();
            if let Err(error) = data.send_all(bytes) {
                return Err(why(connection, error));
            }
            size += count as u64;
        }
        data.finish();

        // ---- 9 226 -------------------------------------------------------
        // A successful send() proves nothing. 226 is the proof, and SIZE checks
        // it if the server knows that command.
        job.step("9 226");
        expect(connection, 2)?;
        match size_of(connection, path)? {
            Some(stored) if stored != size => Err(Error::other(format!(
                "{size} bytes were sent, and SIZE says that {stored} are there"
            ))),
            _ => Ok(size),
        }
    }
}
