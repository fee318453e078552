//! Chance with a seed: which frame or datagram is lost, doubled or overtaken.
//! The same seed gives the same run, as long as the peers send the same.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::units::Share;

/// What chance does with one packet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lot {
    /// It passes like all others.
    Passes,
    /// It is lost.
    Lost,
    /// It arrives twice.
    Twice,
    /// The next one overtakes it.
    Overtaken,
}

/// The shares, and the dice.
pub struct Chance {
    /// The share that is lost.
    pub loss: Share,
    /// The share that arrives twice.
    pub duplicate: Share,
    /// The share that is overtaken.
    pub reorder: Share,
    dice: StdRng,
}

impl Chance {
    /// Nothing happens by chance, until a share is set.
    pub fn new(seed: u64) -> Chance {
        Chance {
            loss: Share(0.0),
            duplicate: Share(0.0),
            reorder: Share(0.0),
            dice: StdRng::seed_from_u64(seed),
        }
    }

    /// Draws the lot of the next packet.
    pub fn draw(&mut self) -> Lot {
        if self.falls(self.loss) {
            Lot::Lost
        } else if self.falls(self.duplicate) {
            Lot::Twice
        } else if self.falls(self.reorder) {
            Lot::Overtaken
        } else {
            Lot::Passes
        }
    }

    /// A number from 0 to 1, for a jitter.
    pub fn part(&mut self) -> f64 {
        self.dice.random()
    }

    /// A share of zero rolls no dice, so that the other shares draw the same.
    fn falls(&mut self, Share(share): Share) -> bool {
        share > 0.0 && self.dice.random::<f64>() < share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_lots() {
        let lots = |seed| {
            let mut chance = Chance::new(seed);
            chance.loss = Share(0.3);
            (0..100).map(|_| chance.draw()).collect::<Vec<Lot>>()
        };
        assert_eq!(lots(1), lots(1));
        assert_ne!(lots(1), lots(2));
        let lost = lots(1).iter().filter(|lot| **lot == Lot::Lost).count();
        assert!((10..50).contains(&lost), "{lost} of 100 at 30%");
    }

    #[test]
    fn all_or_nothing_is_certain() {
        let mut chance = Chance::new(1);
        assert!((0..100).all(|_| chance.draw() == Lot::Passes));
        chance.reorder = Share(1.0);
        assert!((0..100).all(|_| chance.draw() == Lot::Overtaken));
    }
}
