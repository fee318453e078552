//! What the client counts for its summary: requests, answers, round trips.

use std::fmt;
use std::time::Duration;

/// How many requests were answered, and how long the round trips took.
#[derive(Default)]
pub struct Tally {
    answered: u32,
    lost: u64,
    late: u64,
    last_was_lost: bool,
    least: Duration, // round trips
    most: Duration,
    sum: Duration,
}

impl Tally {
    /// An answer in time, after this round trip.
    pub fn answered(&mut self, took: Duration) {
        let first = self.answered == 0;
        self.least = if first { took } else { self.least.min(took) };
        self.most = self.most.max(took);
        self.sum = self.sum.saturating_add(took);
        self.answered = self.answered.saturating_add(1);
        self.last_was_lost = false;
    }

    /// No reply in time. The client cannot know whether the request or the
    /// reply was lost.
    pub fn lost(&mut self) {
        self.lost += 1;
        self.last_was_lost = true;
    }

    /// An answer that arrived after the wait, or a second time.
    pub fn late(&mut self) {
        self.late += 1;
    }

    /// May an answer to the last request still come?
    pub fn last_was_lost(&self) -> bool {
        self.last_was_lost
    }

    /// Have there been requests, but no reply at all?
    pub fn was_silent(&self) -> bool {
        self.answered == 0 && self.lost > 0
    }
}

/// `5 requests: 4 answered, 1 lost; round trip 0.112 to 0.340 ms, …`
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { answered, lost, late, .. } = self;
        let requests = u64::from(*answered) + lost;
        let plural = if requests == 1 { "" } else { "s" };
        write!(f, "{requests} request{plural}: ")?;
        write!(f, "{answered} answered, {lost} lost")?;
        if *late > 0 {
            write!(f, ", {late} too late or twice")?;
        }
        if let Some(mean) = self.sum.checked_div(*answered) {
            let (least, most) = (show(self.least), show(self.most));
            let mean = show(mean);
            write!(f, "; round trip {least} to {most}, mean {mean}")?;
        }
        Ok(())
    }
}

/// A time in milliseconds: `0.214 ms`.
pub fn show(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1e3)
}
