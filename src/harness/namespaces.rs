//! May this user create network namespaces? Linux lets an ordinary user create
//! a user namespace, in which the user is root and may create networks that no
//! other user sees. Some systems forbid this, each with its own setting.

use std::fs;
use std::process::{Command, Stdio};

/// The settings that can forbid it: the file below /proc/sys, the value that
/// forbids, and the command that allows it.
const SETTINGS: [(&str, &str, &str); 4] = [
    ("user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
    ("user/max_net_namespaces", "0", "user.max_net_namespaces=10000"),
    (
        "kernel/unprivileged_userns_clone",
        "0",
        "kernel.unprivileged_userns_clone=1",
    ),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "kernel.apparmor_restrict_unprivileged_userns=0",
    ),
];

/// Why this system does not allow a user and a network namespace, and which
/// setting to change. Returns `None` if it allows them.
pub fn why_not() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return Some("only Linux has user namespaces".into());
    }
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--net", "true"]);
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(_) => {
            return Some(
                "the program unshare is missing: install util-linux".into(),
            );
        }
    };
    if output.status.success() {
        return None;
    }
    let forbidding = SETTINGS.iter().find(|(file, forbids, _)| {
        let value = fs::read_to_string(format!("/proc/sys/{file}"));
        value.is_ok_and(|value| value.trim() == *forbids)
    });
    Some(match forbidding {
        Some((file, value, allow)) => {
            let setting = file.replace('/', ".");
            format!("{setting} is {value}; to allow: sudo sysctl {allow}")
        }
        None => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().next().unwrap_or("unshare fails");
            format!("{said} (a container may forbid it, by seccomp)")
        }
    })
}
