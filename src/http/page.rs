//! Pages that a program composes itself: errors, and lists of folders. They use
//! the browser's light or dark colours, and fit on a telephone.

/// System colours, and lines of limited length, which are easier to read.
const STYLE: &str = ":root{color-scheme:light dark}\
    body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;\
    margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}";

/// A page with this title and content. The title is text; the content is HTML.
pub fn page(title: &str, content: &str) -> String {
    let title = escape(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <title>{title}</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <style>{STYLE}</style>\n\
         <h1>{title}</h1>\n{content}</html>\n"
    )
}

/// Text as HTML. Without this, `<` in a text from the client would begin a
/// tag, and the browser would run the client's script.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_cannot_contain_a_script() {
        let page = page("<script>", "<p>a</p>\n");
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("<h1>&lt;script&gt;</h1>\n<p>a</p>"));
    }
}
