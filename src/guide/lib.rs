//! The commands of the program `socketlab`, with one file for each.
//!
//! | module           | command                                              |
//! | ---------------- | ---------------------------------------------------- |
//! | [`demo`]         | `demo [LAB…]`: plays the READMEs' transcripts        |
//! | [`locate`]       | `where ID`: code, tests and pages for an id          |
//! | [`doctor`]       | `doctor`: what works on this machine                 |
//! | [`lookup`]       | `explain WORD`: an error, a state, a code            |
//! | [`viva`]         | `viva [LAB…]`: the questions of the oral exam        |
//! | [`side_by_side`] | `steps PROGRAM [PROGRAM]`: numbered steps            |
//! | [`ports`]        | `ports`: which of our programs listen                |

pub mod demo;
pub mod doctor;
mod labs;
pub mod locate;
pub mod lookup;
pub mod ports;
pub mod side_by_side;
pub mod viva;
