//! The time of a message, HH:MM:SS on this machine's clock.     [D-T1.2]

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Read once, by [`load`]: finding and reading the zone's file takes more
/// stack than a client's thread has, and that would end the whole server.
static ZONE: LazyLock<TimeZone> = LazyLock::new(TimeZone::system);

/// Loads the time zone; main() calls it, on its own large stack.
pub fn load() {
    LazyLock::force(&ZONE);
}

/// The local time, such as `14:03:07`.
pub fn time() -> String {
    let now = Timestamp::now().to_zoned(ZONE.clone());
    now.strftime("%H:%M:%S").to_string()
}
