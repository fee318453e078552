//! What an answer has to do with the file that is downloaded: it is all of
//! it, or the rest of it, or something else. The next try of a download that
//! broke off asks for the rest of the version that it has (its ETag, or its
//! date). If the file has changed meanwhile, the server sends all of the new
//! one. The file itself is written in src/http/download.rs.
//!
//! ```text
//! C: Range: bytes=4-, If-Range: "1"
//! S: 206, Content-Range: bytes 4-9/10     the rest
//! S: 200                                  it has changed: all of it
//! S: 416, Content-Range: bytes */4        it was complete already
//! ```
//!
//! Not every server reads If-Range. So an answer is joined to our part only
//! if it says itself that it is of the same version and begins where the part
//! ends (RFC 9110, 15.3.7.3). Otherwise the client asks once more, for all.

use http::download::{Destination, Download};
use http::{Body, Reader, Response};
use socketlab::{Error, Result, say, warn};

/// What an answer was to a download.
pub enum Answer {
    /// The file, which is saved now.
    Saved,
    /// An error page, or a redirect.
    NotTheFile,
    /// It does not fit what an earlier try has left. Ask again, for all.
    Unfit(Destination),
}

/// What an earlier try has left.
pub struct Rest {
    have: u64, // bytes
    version: Version,
}

impl Rest {
    /// Reads it, if there is something that a request can go on with.
    pub fn of(to: &Destination) -> Option<Rest> {
        let (have, version) = to.rest()?;
        let version = Version::read(&version);
        version.if_range()?;
        Some(Rest { have, version })
    }

    /// The values of `Range` and `If-Range`.
    pub fn fields(&self) -> (String, String) {
        let version = self.version.if_range().unwrap_or_default();
        (format!("bytes={}-", self.have), version.to_string())
    }

    /// How many bytes a 206 has, and how many the file, if it goes on where
    /// our part ends.
    fn part_of(&self, response: &Response) -> Option<(u64, u64)> {
        let range = content_range(response)?;
        let (span, total) = range.split_once('/')?;
        let (first, last) = span.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        let total = number(total)?;
        let count = last.checked_sub(first)?.checked_add(1)?;
        let length = response.fields.text("Content-Length").map(number);
        let fits = first == self.have
            && last < total
            && length.is_none_or(|length| length == Some(count))
            && self.version.is_of(response);
        fits.then_some((count, total))
    }

    /// `416`: nothing comes after our part, because it is all of the file.
    fn is_complete(&self, response: &Response) -> bool {
        let range = content_range(response);
        let total = range.and_then(|r| number(r.strip_prefix("*/")?));
        total == Some(self.have) && self.version.is_of(response)
    }
}

/// Saves the body. `rest` is what was asked for, if not all.   (viva 12)
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
            warn!("(204: there is no content, and nothing to save)");
            return Ok(Answer::Saved);
        }
        (206, Some(rest)) => match rest.part_of(response) {
            Some(part) => (rest.have, Some(part)),
            None => return Ok(Answer::Unfit(to)),
        },
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
        say!("going on after byte {start}");
    }
    let length = response.fields.text("Content-Length").and_then(number);
    download.announce(length.map(|rest| start.saturating_add(rest)));
    let download = receive(download, body, reader)?;
    if let Some((count, total)) = part {
        let size = download.size();
        if size != start + count {
            download.discard();
            let what = "the part is not as long as its Content-Range says";
            return Err(Error::other(what));
        }
        if size < total {
            return Err(Error::other(format!(
                "incomplete: {size} of {total} bytes are saved, because the \
                 server sent a shorter part. Run it again to go on"
            )));
        }
    }
    let saved = download.finish()?;
    say!("{saved}");
    Ok(Answer::Saved)
}

/// The body to its end. If it breaks off, the user learns what is kept.
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
                    warn!("{size} bytes are saved; run it again to go on");
                }
                return Err(fault.into());
            }
        }
    }
}

/// What tells one version of a file from another: `"1"` and a date.
#[derive(Default)]
struct Version {
    etag: Option<String>,
    date: Option<String>,
}

impl Version {
    fn of(response: &Response) -> Version {
        let field = |name| response.fields.text(name).map(str::to_string);
        Version { etag: field("ETag"), date: field("Last-Modified") }
    }

    /// From FILE.version: a line each.
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

    /// For FILE.version; `None` if a later request could not name it.
    fn text(&self) -> Option<String> {
        self.if_range()?;
        let lines = [&self.etag, &self.date].into_iter().flatten();
        Some(lines.map(|line| format!("{line}\n")).collect())
    }

    /// A weak ETag, `W/"1"`, does not promise equal bytes. A date must do
    /// then.
    fn if_range(&self) -> Option<&str> {
        self.strong().or(self.date.as_deref())
    }

    fn strong(&self) -> Option<&str> {
        self.etag.as_deref().filter(|etag| etag.starts_with('"'))
    }

    /// Does this answer say that it is of the same version? A 206 must have
    /// the ETag of the file, and may leave the date out then.
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

/// What stands after `bytes` in Content-Range: `100-199/200`.
fn content_range(response: &Response) -> Option<&str> {
    let (unit, range) =
        response.fields.text("Content-Range")?.split_once(' ')?;
    unit.eq_ignore_ascii_case("bytes").then_some(range.trim())
}

/// Digits, and nothing else.
fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
