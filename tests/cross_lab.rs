//! Two packages that describe the same thing use the same words.

#[test]
fn explain_knows_each_status_by_the_words_that_http_sends() {
    for status in 100..600 {
        let words = http::reason(status);
        let name = format!("HTTP {status}");
        let known = explain::find(&name).first().map(|entry| entry.title);
        assert!(words.is_empty() || known == Some(words), "{name} {words}");
    }
}
