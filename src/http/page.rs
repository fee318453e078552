//! Pages that a program writes itself: what went wrong, what a folder holds.
//! They follow the reader's light or dark, and fit on a telephone.

/// System colours, light or dark; lines that end before the eye gets lost.
const STYLE: &str = ":root{color-scheme:light dark}\
    body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;\
    margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}";

/// A page with this title, which is text, and this content, which is HTML.
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

/// Text as HTML: `<` would begin a tag of the writer's choosing.
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
    fn a_title_cannot_bring_a_script() {
        let page = page("<script>", "<p>a</p>\n");
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("<h1>&lt;script&gt;</h1>\n<p>a</p>"));
    }
}
