//! The project's rules, as tests. Each failure says what is wrong and where.
//! Each rule is also tried on a small text that breaks it, so that a rule that
//! never fails is found.

mod code;
mod layers;
mod pages;
mod programs;
mod questions;
mod reading;
mod tags;
mod tree;
