//! What is said when there is no answer: the resolver's own words, what they
//! mean for this host or service, and what to try.
//!
//! ```text
//! getaddrinfo('nosuch', 'http'): Name or service not known (EAI_NONAME).
//! | the call   | its arguments   | its words               | its number
//! No address belongs to this name. …
//! | the hint
//! ```
//!
//! EAI numbers are getaddrinfo()'s own; perror() and errno know nothing of
//! them, and C has gai_strerror() for them.                        (viva 5)

use std::io;

use socketlab::console::escape_short;
use socketlab::{Error, args};

use crate::resolver::Failure;
use crate::{files, hostname};

/// Characters of a word that an error line repeats.
pub const ECHOED: usize = 60;

/// Numbers that are no port end the program: the resolver of C would cut
/// them to 16 bits, and 65536 would silently be 0.                  [T-V5]
pub fn check_service(service: Option<&str>) {
    let Some(service) = service else { return };
    if service.is_empty() {
        args::usage("an empty SERVICE: leave it out, or give http or 80");
    }
    if let Ok(number) = service.parse::<i128>()
        && u16::try_from(number).is_err()
    {
        args::usage(&format!(
            "{number} is not a port: ports are 16 bits, 0 to 65535. C's \
             getaddrinfo() would cut it and say nothing: 65536 becomes 0"
        ));
    }
}

/// A failure with what it means here and what to try.
pub fn explained(
    host: &str,
    service: Option<&str>,
    failure: &Failure,
) -> Error {
    let host_shown = escape_short(host.as_bytes(), ECHOED);
    let on = match service {
        Some(service) => {
            let service = escape_short(service.as_bytes(), ECHOED);
            format!("'{host_shown}', '{service}'")
        }
        None => format!("'{host_shown}'"),
    };
    let hint = match (failure.name(), service, failure.entry) {
        ("EAI_SERVICE", Some(service), _)
            if files::services_lines_of(service).is_empty()
                && service.parse::<u16>().is_err() =>
        {
            no_service(service)
        }
        (_, _, Some(entry)) => hostname::hint(host).unwrap_or_else(|| {
            explain::hint("getaddrinfo", entry.number.unwrap_or_default())
        }),
        _ => String::new(),
    };
    let hint = hint.trim_end_matches('.');
    let text = match hint {
        "" => failure.text.clone(),
        hint => format!("{}. {hint}", failure.text),
    };
    Error::new("getaddrinfo", on, io::Error::other(text))
}

/// What to say of a service that nobody has heard of.
pub fn no_service(service: &str) -> String {
    let lower = service.to_lowercase();
    if !files::has_services() {
        return "This machine has no list of services (/etc/services): give \
                the number, such as 80"
            .into();
    }
    if lower != service && !files::services_lines_of(&lower).is_empty() {
        return format!("Names of services are small letters: {lower}");
    }
    let shown = escape_short(service.as_bytes(), ECHOED);
    format!(
        "/etc/services knows no '{shown}': give the number, or see \
         `getent services`"
    )
}
