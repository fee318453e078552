//! TODO

pub mod auth;
pub mod clock;
pub mod door;
pub mod guess;
pub mod hear;
pub mod prove;
pub mod quota;
pub mod verdict;
pub mod verify;
