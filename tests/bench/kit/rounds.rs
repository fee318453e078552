//! The order of the turns: A B C, A B C, …

use std::io;

/// All turns of one server, or why one of them failed.
pub struct Record<T> {
    pub server: &'static str,
    pub turns: io::Result<Vec<T>>,
}

/// Lets each player run once in each round. A player that has failed, or could
/// not start, is skipped.
pub fn interleave<P, T>(
    players: Vec<(&'static str, io::Result<P>)>,
    rounds: usize,
    turn: impl Fn(&mut P) -> io::Result<T>,
) -> Vec<Record<T>> {
    let seat = |(server, player)| (server, player, Vec::new());
    let mut seats: Vec<_> = players.into_iter().map(seat).collect();
    for _ in 0..rounds {
        for (_, player, turns) in &mut seats {
            let Ok(playing) = player else { continue };
            match turn(playing) {
                Ok(turn) => turns.push(turn),
                Err(e) => *player = Err(e),
            }
        }
    }
    let record = |(server, player, turns): (_, io::Result<P>, _)| Record {
        server,
        turns: player.map(|_| turns),
    };
    seats.into_iter().map(record).collect()
}
