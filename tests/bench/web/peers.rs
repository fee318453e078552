//! How each server is started: the same folder, no log, one worker.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::load;
use crate::servers::{Cpus, Server, free_address};

/// A folder with the files, and with the servers' configurations.
pub fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let www = folder.path().join("www");
    fs::create_dir(&www).expect("a folder");
    fs::write(www.join("1k.bin"), vec![b'x'; 1024]).expect("a file");
    let large = fs::File::create(www.join("100m.bin")).expect("a file");
    large.set_len(100 << 20).expect("a size");
    // nginx and lighttpd drop root's rights, and must still get in.
    for path in [folder.path(), &www] {
        use std::os::unix::fs::PermissionsExt;
        let all = fs::Permissions::from_mode(0o755);
        fs::set_permissions(path, all).expect("permissions");
    }
    folder
}

/// All servers that can be started here, ours first.
pub fn start_all(cpus: &Cpus, folder: &Path) -> Vec<Server> {
    type Start = fn(SocketAddr, &Path) -> Command;
    let peers: [(&'static str, Start); 5] = [
        ("ours", ours),
        ("nginx", nginx),
        ("h2o", h2o),
        ("lighttpd", lighttpd),
        ("python", python),
    ];
    let started = peers.into_iter().map(|(name, command)| {
        let address = free_address();
        let command = command(address, folder);
        Server::start(name, address, cpus, command, load::ping)
    });
    started.flatten().collect()
}

fn ours(address: SocketAddr, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_web-server"));
    let port = address.port().to_string();
    command.args(["127.0.0.1", &port, "--quiet", "--max-clients", "12000"]);
    command.args(["--idle", "600", "--root"]).arg(folder.join("www"));
    command
}

fn write(folder: &Path, name: &str, text: String) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, text).expect("a configuration");
    file
}

fn nginx(address: SocketAddr, folder: &Path) -> Command {
    let path = folder.display();
    let text = format!(
        "daemon off; worker_processes 1; worker_rlimit_nofile 20000;\n\
         pid {path}/nginx.pid; error_log /dev/null;\n\
         events {{ worker_connections 12000; }}\n\
         http {{ access_log off; sendfile on; tcp_nopush on;\n\
         client_body_temp_path {path}/body; proxy_temp_path {path}/proxy;\n\
         fastcgi_temp_path {path}/fcgi; uwsgi_temp_path {path}/uwsgi;\n\
         scgi_temp_path {path}/scgi; keepalive_requests 100000000;\n\
         keepalive_timeout 600; open_file_cache max=1000;\n\
         server {{ listen {address} backlog=1024; root {path}/www; }} }}\n"
    );
    let mut command = Command::new("nginx");
    command.arg("-c").arg(write(folder, "nginx.conf", text));
    command
}

fn h2o(address: SocketAddr, folder: &Path) -> Command {
    let (path, port) = (folder.display(), address.port());
    let user = match rustix::process::geteuid().is_root() {
        true => "user: nobody\n",
        false => "",
    };
    let text = format!(
        "{user}num-threads: 1\nmax-connections: 12000\n\
         http1-request-timeout: 600\nerror-log: /dev/null\n\
         listen:\n  host: 127.0.0.1\n  port: {port}\n\
         hosts:\n  default:\n    paths:\n      \"/\":\n        \
         file.dir: {path}/www\n"
    );
    let mut command = Command::new("h2o");
    command.arg("-m").arg("worker");
    command.arg("-c").arg(write(folder, "h2o.conf", text));
    command
}

fn lighttpd(address: SocketAddr, folder: &Path) -> Command {
    let (path, port) = (folder.display(), address.port());
    let text = format!(
        "server.document-root = \"{path}/www\"\n\
         server.port = {port}\nserver.bind = \"127.0.0.1\"\n\
         server.max-keep-alive-requests = 65535\n\
         server.max-keep-alive-idle = 600\n\
         server.max-connections = 12000\nserver.max-fds = 20000\n\
         server.listen-backlog = 1024\n"
    );
    let mut command = Command::new("lighttpd");
    command.arg("-D").arg("-f").arg(write(folder, "lighttpd.conf", text));
    command
}

fn python(address: SocketAddr, folder: &Path) -> Command {
    let port = address.port().to_string();
    let mut command = Command::new("python3");
    command.args(["-m", "http.server", &port, "--bind", "127.0.0.1"]);
    command.args(["--protocol", "HTTP/1.1"]).arg("--directory");
    command.arg(folder.join("www"));
    command
}
