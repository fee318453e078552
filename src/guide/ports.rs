//! `socketlab ports`: which of our programs listen.

use harness::programs;
use socketlab::{Result, say, socket_table, warn};

/// Prints which of our programs listen now.
pub fn ports() -> Result<()> {
    let holders = socket_table::holders();
    let folder = programs::folder();
    let mut found = 0;
    for entry in socket_table::all() {
        let waits = entry.name == "LISTEN"
            || (entry.protocol == "udp" && entry.peer.port() == 0);
        let Some((pid, name)) = holders.get(&entry.inode) else { continue };
        if waits && folder.join(name).is_file() {
            let (protocol, local) = (entry.protocol, entry.local);
            say!("{protocol}  {local:22}  {name}  (pid {pid}: kill {pid})");
            found += 1;
        }
    }
    if found == 0 {
        warn!(
            "none of our programs listens, or this user may not see it (for \
             all programs: ss -tulnp)"
        );
    }
    Ok(())
}
