//! Where the orders to the cable come from: a thread for stdin, and one for a
//! FIFO.

use std::fs::File;
use std::io::{self, BufRead, BufReader};

use crossbeam_channel::Sender;
use socketlab::{Error, Result};

use crate::hub::{Event, start};

/// The longest line of orders.
const LONGEST_LINE: usize = 1000;

/// Threads that hand on one order a line: from stdin, and from a FIFO if one
/// is named. Without a FIFO the end of stdin ends the cable, so that it cannot
/// outlive the program that holds the other end of the pipe.
pub fn read_all_orders(
    fifo: Option<&str>,
    events: &Sender<Event>,
) -> Result<()> {
    let (sender, is_all) = (events.clone(), fifo.is_none());
    start("orders", move || {
        read_orders(io::stdin().lock(), &sender);
        if is_all {
            let _ = sender.send(Event::Stop);
        }
    })?;
    let Some(path) = fifo else { return Ok(()) };
    // Opened for reading and writing, so that the FIFO always has a writer.
    // Otherwise it would end each time that somebody writes an order and
    // closes it.
    let fifo = File::options().read(true).write(true).open(path);
    let fifo = fifo.map_err(|error| Error::new("open", path, error))?;
    let events = events.clone();
    start("more orders", move || read_orders(BufReader::new(fifo), &events))
}

fn read_orders(mut from: impl BufRead, events: &Sender<Event>) {
    let mut line = Vec::new();
    loop {
        line.clear();
        let most = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
        let mut limited = io::Read::take(&mut from, most);
        if !matches!(limited.read_until(b'\n', &mut line), Ok(1..)) {
            return;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if !text.is_empty() && events.send(Event::Line(text.into())).is_err() {
            return;
        }
    }
}
