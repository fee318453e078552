//! Downloads that can be resumed. If a download breaks off, the next run asks
//! for the missing part of the same version (its ETag, or its date). If the
//! file has changed in the meantime, the server sends all of the new version.
//! This module decides what a response is: the complete file, the missing part,
//! or something else. src/http/download.rs writes the file.
//!
//! ```text
//! C: Range: bytes=4-, If-Range: "1"
//! S: 206, Content-Range: bytes 4-9/10     the missing part
//! S: 200                                  the file has changed: all of it
//! S: 416, Content-Range: bytes */4        our part is the complete file
//! ```
//!
//! Some servers ignore If-Range. So the client joins a response to its part
//! only if two things are true (RFC 9110, 15.3.7.3). The response must name the
//! same version, and it must begin where our part ends. Otherwise the client
//! sends a second request, for the complete file.

use http::download::{Destination, Download};
use http::{Body, Reader, Response};
use socketlab::{Error, Result, say, warn};

/// What a response means for the download.
pub enum Answer {
    /// It was the file, and the file is saved.
    Saved,
    /// It was an error page or a redirect.
    NotTheFile,
    /// It does not fit the part that an earlier run has saved. The client must
    /// ask for the complete file.
    Unfit(Destination),
}

/// The part that an earlier run has saved.
pub struct Rest {
    have: u64, // bytes
    version: Version,
}

impl Rest {
    /// Reads what an earlier run has saved. Returns `None` if there is nothing
    /// that a request can continue.
    pub fn of(to: &Destination) -> Option<Rest> {
        let (have, version) = to.rest()?;
        let version = Version::read(&version);
        version.if_range()?;
        Some(Rest { have, version })
    }

    /// The values of the fields `Range` and `If-Range`.
    pub fn fields(&self) -> (String, String) {
        let version = self.version.if_range().unwrap_or_default();
        (format!("bytes={}-", self.have), version.to_string())
    }

    /// For a 206 that begins where our part ends: its bytes, and the bytes of
    /// the complete file.
    fn part_of(&self, response: &Response) -> Option<(u64, u64)> {
        let range = content_range(response)?;
        let (span, total) = range.split_once('/')?;
        let (first, last) = span.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        let total = number(total)?;
        let count = last.checked_sub(first)?.checked_add(1)?;
        // Content-Length may be absent (chunks), but must not contradict.
        let length = response.fields.text("Content-Length").map(number);
        let fits = first == self.have
            && last < total
            && length.is_none_or(|length| length == Some(count))
            && self.version.is_of(response);
        fits.then_some((count, total))
    }

    /// For a 416: do we have the complete file already?
    fn is_complete(&self, response: &Response) -> bool {
        let range = content_range(response);
        let total = range.and_then(|r| number(r.strip_prefix("*/")?));
        total == Some(self.have) && self.version.is_of(response)
    }
}

/// Saves the body. `rest`: the request asked only for what is missing after
/// this part.                                                  (viva 12)
pub fn save(
    to: Destination,
    rest: Option<&Rest>,
    response: &Response,
    body: &mut Body,
    reader: &mut Reader,
) -> Result<Answer> {
    let (start, part) = match (response.status, rest) {
        (200 | 203, _) => (0, None),
        (204, _) => {
            warn!("(status 204: the response has no body to save)");
            return Ok(Answer::Saved);
        }
        // The server has sent a part: is it the one that is missing?
        (206, Some(rest)) => match rest.part_of(response) {
            Some(part) => (rest.have, Some(part)),
            None => return Ok(Answer::Unfit(to)),
        },
        // No byte is missing: only the rename to FILE has to be done.
        (416, Some(rest)) if rest.is_complete(response) => {
            let saved = to.begin(rest.have, Some(""))?.finish()?;
            say!("{saved}");
            return Ok(Answer::Saved);
        }
        (416, Some(_)) => return Ok(Answer::Unfit(to)),
        _ => return Ok(Answer::NotTheFile),
    };
    let version = Version::of(response).text();
    let mut download = to.begin(start, version.as_deref())?;
    if start > 0 {
        say!("resuming after {start} bytes");
    }
    let length = response.fields.text("Content-Length").and_then(number);
    download.announce(length.map(|rest| start.saturating_add(rest)));
    let download = receive(download, body, reader)?;
    // Check the length, because a chunked part may be shorter or longer.
    if let Some((count, total)) = part {
        let size = download.size();
        if size != start + count {
            download.discard();
            let what = "the body is not as long as its Content-Range says";
            return Err(Error::other(what));
        }
        if size < total {
            return Err(Error::other(format!(
                "incomplete: {size} of {total} bytes are saved, because the \
                 server sent a shorter part. Run the command again to resume"
            )));
        }
    }
    let saved = download.finish()?;
    say!("{saved}");
    Ok(Answer::Saved)
}

/// Writes the body to the file. If the connection breaks off, a message tells
/// the user how many bytes are saved.
fn receive(
    mut download: Download,
    body: &mut Body,
    reader: &mut Reader,
) -> Result<Download> {
    loop {
        match body.next(reader) {
            Ok(Some(piece)) => download.write(piece)?,
            Ok(None) => return Ok(download),
            Err(fault) => {
                let (size, kept) = (download.size(), download.is_kept());
                drop(download);
                if kept {
                    warn!("{size} bytes are saved; run it again to resume");
                }
                return Err(fault.into());
            }
        }
    }
}

/// The version of a file: its ETag, as `"1"`, and the date of its last change.
#[derive(Default)]
struct Version {
    etag: Option<String>,
    date: Option<String>,
}

impl Version {
    /// The version that a response names.
    fn of(response: &Response) -> Version {
        let field = |name| response.fields.text(name).map(str::to_string);
        Version { etag: field("ETag"), date: field("Last-Modified") }
    }

    /// Parses the content of FILE.version, which has a line for each of them.
    fn read(text: &str) -> Version {
        let mut version = Version::default();
        for line in text.lines().map(str::to_string) {
            match line.ends_with('"') {
                true => version.etag = Some(line),
                false => version.date = Some(line),
            }
        }
        version
    }

    /// The content of FILE.version. Returns `None` if a later request could
    /// not name this version.
    fn text(&self) -> Option<String> {
        self.if_range()?;
        let lines = [&self.etag, &self.date].into_iter().flatten();
        Some(lines.map(|line| format!("{line}\n")).collect())
    }

    /// The value of If-Range. A weak ETag, `W/"1"`, does not promise equal
    /// bytes, so the date replaces it.
    fn if_range(&self) -> Option<&str> {
        self.strong().or(self.date.as_deref())
    }

    /// The ETag, if it is not weak.
    fn strong(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| etag.starts_with('"'))
    }

    /// Does this response name the same version? A 206 must have the file's
    /// ETag. If it has, it may omit the date.
    fn is_of(&self, response: &Response) -> bool {
        let theirs = Version::of(response);
        let same_etag = self.etag.is_none() || self.etag == theirs.etag;
        let same_date = match (&self.date, &theirs.date) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (Some(_), None) => self.strong().is_some(),
            (None, _) => self.etag.is_some(),
        };
        same_etag && same_date
    }
}

/// The part of Content-Range after the word `bytes`: `100-199/200`.
fn content_range(response: &Response) -> Option<&str> {
    let (unit, range) =
        response.fields.text("Content-Range")?.split_once(' ')?;
    unit.eq_ignore_ascii_case("bytes").then_some(range.trim())
}

/// Parses a number that consists of digits only.
fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
