//! The hops of a request: which proxies it has passed (Via), and how many more
//! it may pass (Max-Forwards). Both end forwarding loops.

use http::{Fields, Request, Version};

/// Has this request passed this proxy before? Each proxy adds its name to Via,
/// and no other proxy has the name of this one. (viva 5)
pub fn has_passed(fields: &Fields, via: &str) -> bool {
    fields.list("Via").any(|entry| {
        let mut words = entry.split(|byte| byte.is_ascii_whitespace());
        words.any(|word| word.eq_ignore_ascii_case(via.as_bytes()))
    })
}

/// The entry for Via: the version of the message that came, and the proxy's
/// name.
pub fn via_entry(version: Version, via: &str) -> String {
    let number = version.text().trim_start_matches("HTTP/");
    format!("{number} {via}")
}

/// How many proxies a TRACE or OPTIONS may still pass.
pub fn max_forwards(request: &Request) -> Option<u64> {
    let counts = matches!(request.method.as_str(), "TRACE" | "OPTIONS");
    let text = request.fields.text("Max-Forwards").filter(|_| counts)?;
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // A number above u64::MAX counts as u64::MAX.
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}
