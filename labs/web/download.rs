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

use http::download::Destination;
use http::{Body, Reader, Response};
use socketlab::{Result, say, warn};

/// Saves the body; false if the answer is not the file.       (viva 12)
pub fn save(
    to: Destination,
    response: &Response,
    body: &mut Body,
    reader: &mut Reader,
) -> Result<bool> {
    let (have, old_version) = to.rest().unwrap_or_default();
    let start = match response.status {
        200 => 0,
        // The rest, if it begins where our part ends.
        206 if first_byte(response) == Some(have) && have > 0 => have,
        416 if complete_size(response) == Some(have) && have > 0 => {
            let saved = to.begin(have, Some(&old_version))?.finish()?;
            say!("{saved}");
            return Ok(true);
        }
        _ => return Ok(false),
    };
    // A weak ETag does not promise equal bytes; a date must do then.
    let etag = response.fields.text("ETag");
    let etag = etag.filter(|etag| etag.starts_with('"'));
    let version = etag.or(response.fields.text("Last-Modified"));
    let mut download = to.begin(start, Some(version.unwrap_or_default()))?;
    if start > 0 {
        say!("going on behind byte {start}");
    }
    let rest = response.fields.text("Content-Length");
    let rest = rest.and_then(|rest| rest.parse::<u64>().ok());
    download.announce(rest.map(|rest| start.saturating_add(rest)));
    loop {
        match body.next(reader) {
            Ok(Some(piece)) => download.write(piece)?,
            Ok(None) => break,
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
    let saved = download.finish()?;
    say!("{saved}");
    Ok(true)
}

/// `Content-Range: bytes 100-199/200`: where the part begins.
fn first_byte(response: &Response) -> Option<u64> {
    let range = response.fields.text("Content-Range")?;
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

/// `Content-Range: bytes */200`, of an answer 416.
fn complete_size(response: &Response) -> Option<u64> {
    let range = response.fields.text("Content-Range")?;
    range.strip_prefix("bytes */")?.parse().ok()
}
