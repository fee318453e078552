//! TODO

pub mod child;
pub mod crowd;
pub mod ends;
pub mod fifo;
pub mod kind;
pub mod orphan;
pub mod own_name;
pub mod peer;
pub mod reading;
pub mod socket_file;
pub mod unix_path;
pub mod writing;
