//! The rules of the house, as tests. Each failure says what to mend and where;
//! each rule has a small text that breaks it, so that it is seen to fail.

mod code;
mod layers;
mod pages;
mod programs;
mod questions;
mod reading;
mod tags;
mod tree;
