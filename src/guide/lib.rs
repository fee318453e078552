//! What the program `socketlab` is made of.

pub mod viva;
