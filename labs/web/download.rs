//! A body into a file, with a progress bar, so that a download that broke
//! off can go on. The bytes gather in FILE.part, and FILE.version notes which
//! version of the file they are from (its ETag, or its date). The next try
//! asks for the rest of THAT version: if the file has changed meanwhile, the
//! server sends all of the new one. FILE itself is always whole. A device or
//! FIFO is written to and stays what it is.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use http::{Body, Reader, Response};
use indicatif::{ProgressBar, ProgressStyle};
use rustix::fs::OFlags;
use socketlab::{Error, Result, args, say, warn};

/// A download into a file.
pub struct Download {
    file: PathBuf,
    part: PathBuf,
    version: PathBuf,
    special: bool, // a device, FIFO or such: written to, never replaced
}

impl Download {
    /// Into this file, which is there only when it is whole. What cannot be
    /// a file is told before anything is asked of the network.
    pub fn new(file: PathBuf) -> Result<Download> {
        if file.as_os_str().is_empty() {
            args::usage("-o needs the name of a file");
        }
        if file.is_dir() {
            let name = file.display();
            return Err(Error::other(format!("{name} is a folder: -o FILE")));
        }
        // A rename onto /dev/null would be the end of it; /dev/stdout is a
        // link, and may lead to a plain file.
        let special = file.parent() == Some(Path::new("/dev"))
            || file.metadata().is_ok_and(|about| !about.is_file());
        let beside = |ending: &str| {
            let mut name = file.clone().into_os_string();
            name.push(ending);
            PathBuf::from(name)
        };
        let (part, version) = (beside(".part"), beside(".version"));
        Ok(Download { file, part, version, special })
    }

    /// What an earlier try left: how many bytes, of which version.
    pub fn rest(&self) -> Option<(u64, String)> {
        if self.special {
            return None;
        }
        // A link of that name is somebody else's, and no part of ours.
        let about = fs::symlink_metadata(&self.part).ok()?;
        let have = about.is_file().then_some(about.len())?;
        let version = fs::read_to_string(&self.version).ok()?;
        (have > 0 && !version.is_empty()).then_some((have, version))
    }

    /// Saves the body; false if the answer is not the file.  (viva 12)
    pub fn save(
        &mut self,
        response: &Response,
        body: &mut Body,
        reader: &mut Reader,
    ) -> Result<bool> {
        let have = self.rest().map_or(0, |(have, _)| have);
        let start = match response.status {
            200 => 0,
            // The rest, if it begins where our part ends.
            206 if first_byte(response) == Some(have) && have > 0 => have,
            416 if whole_size(response) == Some(have) && have > 0 => {
                self.finish(have)?; // all of it was there already
                return Ok(true);
            }
            _ => return Ok(false),
        };
        let mut file = self.open(response, start)?;
        let bar = progress(response, start);
        let mut saved = start;
        loop {
            match body.next(reader) {
                Ok(Some(piece)) => {
                    file.write_all(piece)
                        .map_err(|error| failed("write", &self.part, error))?;
                    saved += piece.len() as u64;
                    bar.set_position(saved);
                }
                Ok(None) => break,
                Err(fault) => {
                    bar.abandon();
                    if !self.special {
                        let saved = format!("{saved} bytes are saved");
                        warn!("{saved}; run it again to go on");
                    }
                    return Err(fault.into());
                }
            }
        }
        bar.finish_and_clear();
        self.finish(saved)?;
        Ok(true)
    }

    /// The part, to write behind `start`; everything else in it is cut off.
    fn open(&self, response: &Response, start: u64) -> Result<File> {
        if self.special {
            let file = OpenOptions::new().write(true).open(&self.file);
            return file.map_err(|e| failed("open", &self.file, e));
        }
        let mut part = OpenOptions::new();
        if start == 0 {
            // A weak ETag does not promise equal bytes; a date must do then.
            let etag = response.fields.text("ETag");
            let etag = etag.filter(|etag| etag.starts_with('"'));
            let version = etag.or(response.fields.text("Last-Modified"));
            // New files, wherever links of these names may point.
            let _ = fs::remove_file(&self.version);
            let _ = fs::remove_file(&self.part);
            part.create_new(true);
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&self.version)
                .and_then(|mut file| {
                    file.write_all(version.unwrap_or_default().as_bytes())
                })
                .map_err(|error| failed("write", &self.version, error))?;
        } else {
            say!("going on behind byte {start}");
        }
        part.append(true)
            .custom_flags(OFlags::NOFOLLOW.bits() as i32)
            .open(&self.part)
            .and_then(|file| file.set_len(start).map(|()| file))
            .map_err(|error| failed("open", &self.part, error))
    }

    fn finish(&self, size: u64) -> Result<()> {
        if !self.special {
            fs::rename(&self.part, &self.file)
                .map_err(|error| failed("rename", &self.part, error))?;
            let _ = fs::remove_file(&self.version);
        }
        say!("saved {}: {size} bytes", self.file.display());
        Ok(())
    }
}

/// `Content-Range: bytes 100-199/200`: where the part begins.
fn first_byte(response: &Response) -> Option<u64> {
    let range = response.fields.text("Content-Range")?;
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

/// `Content-Range: bytes */200`, of an answer 416.
fn whole_size(response: &Response) -> Option<u64> {
    let range = response.fields.text("Content-Range")?;
    range.strip_prefix("bytes */")?.parse().ok()
}

/// Shown on a terminal only.
fn progress(response: &Response, start: u64) -> ProgressBar {
    let rest = response.fields.text("Content-Length");
    let rest: Option<u64> = rest.and_then(|rest| rest.parse().ok());
    let bar = match rest {
        Some(rest) => ProgressBar::new(start.saturating_add(rest)),
        None => ProgressBar::no_length(),
    };
    let form = "{bytes} of {total_bytes} {wide_bar} {bytes_per_sec} {eta}";
    let style = ProgressStyle::with_template(form);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_position(start);
    bar
}

fn failed(call: &'static str, file: &Path, error: std::io::Error) -> Error {
    Error::new(call, file.display(), error)
}
