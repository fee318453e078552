//! Times, shares, sizes and places as people write them: `50ms`, `10%`, `1k`,
//! `127.0.0.1:9000`.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use socketlab::args::Port;
use socketlab::net;

/// The longest time that an option or an order may name: an hour.
const LONGEST: Duration = Duration::from_secs(3600);

/// A time: `50ms`, `2s`, `1.5s`, `100us`. A number needs a unit, because 50
/// could be meant as milliseconds or as seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time(pub Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(word: &str) -> Result<Time, String> {
        let wrong = || format!("'{word}' is not a time such as 50ms or 2s");
        let at = word.find(|c: char| c.is_ascii_alphabetic());
        let (number, unit) = word.split_at(at.ok_or_else(wrong)?);
        let seconds = match unit {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "min" => 60.0,
            _ => return Err(wrong()),
        };
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let time = Duration::try_from_secs_f64(number * seconds);
        let time = time.map_err(|_| wrong())?;
        if time > LONGEST {
            return Err(format!("{word} is too long: an hour at most"));
        }
        Ok(Time(time))
    }
}

/// A share of the frames, which is also the chance of each: `10%`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl FromStr for Share {
    type Err = String;

    fn from_str(word: &str) -> Result<Share, String> {
        let percent = word.strip_suffix('%').and_then(|n| n.parse().ok());
        match percent {
            Some(percent) if (0.0..=100.0).contains(&percent) => {
                Ok(Share(percent / 100.0))
            }
            _ => Err(format!("'{word}' is not a share such as 10%")),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0 * 100.0)
    }
}

/// A number of bytes: `1000`, `1k` (1024), `2m`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(word: &str) -> Result<Size, String> {
        let small = word.to_ascii_lowercase();
        let (number, unit) = match small.strip_suffix(['k', 'm']) {
            Some(number) if small.ends_with('k') => (number, 1024),
            Some(number) => (number, 1024 * 1024),
            None => (small.as_str(), 1),
        };
        let number = number.parse::<u64>().ok();
        let size = number.and_then(|number| number.checked_mul(unit));
        size.map(Size).ok_or(format!("'{word}' is not a size such as 1k"))
    }
}

/// A host and a port: `127.0.0.1:12001`, `[::1]:12001`, `localhost:12001`.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    host: String,
    port: u16,
}

impl Place {
    /// The address of the host.
    pub fn resolve(&self) -> socketlab::Result<SocketAddr> {
        net::resolve_one(&self.host, self.port)
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(word: &str) -> Result<Place, String> {
        let parts = word.rsplit_once(':');
        let (host, port) = parts.ok_or(format!("'{word}' is not HOST:PORT"))?;
        let Port(port) = port.parse()?;
        Ok(Place { host: host.trim_matches(['[', ']']).into(), port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit() {
        let time = |word: &str| word.parse::<Time>().map(|Time(time)| time);
        assert_eq!(time("50ms"), Ok(Duration::from_millis(50)));
        assert_eq!(time("1.5s"), Ok(Duration::from_millis(1500)));
        for wrong in
            ["50", "ms", "-1s", "1h", "2days", "1e99s", "NaNs", "61min"]
        {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_at_most_everything() {
        assert_eq!("10%".parse(), Ok(Share(0.1)));
        for wrong in ["10", "101%", "-1%", "%", "NaN%"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_place_is_a_host_and_a_port() {
        let place = |host: &str, port| Place { host: host.into(), port };
        assert_eq!("[::1]:7".parse(), Ok(place("::1", 7)));
        assert_eq!("localhost:0".parse(), Ok(place("localhost", 0)));
        for wrong in ["localhost", "localhost:", "localhost:65536"] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_size_may_be_in_kibibytes() {
        assert_eq!("1k".parse(), Ok(Size(1024)));
        assert_eq!("7".parse(), Ok(Size(7)));
        for wrong in ["k", "-1", "1.5k", "99999999999999999999m"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }
}
