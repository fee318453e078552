//! What the servers share about a message: how long it may be, when it is
//! complete, and when it came. [D-T1.2]

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Longest message in bytes. A peer without newlines would fill the memory.
pub const LONGEST: usize = 128 * 1024;

/// Silence that ends a message without a newline: students' clients send
/// none. This is a guess: half a line from a slow sender becomes a message.
pub const PAUSE: Duration = Duration::from_millis(200);

/// A client that is silent for this long counts as gone.
pub const IDLE: Duration = Duration::from_secs(600);

/// Read once, by [`load_time_zone`].
static ZONE: LazyLock<TimeZone> = LazyLock::new(TimeZone::system);

/// Reads the time zone's file. `main` calls this on its own large stack: the
/// small stack of a client's thread would overflow and end the server.
pub fn load_time_zone() {
    LazyLock::force(&ZONE);
}

/// The local time, such as `14:03:07`.
pub fn time() -> String {
    let now = Timestamp::now().to_zoned(ZONE.clone());
    now.strftime("%H:%M:%S").to_string()
}
