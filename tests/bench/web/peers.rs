//! How each server is started: with the same folder, no log, one worker.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::http::{self, Way};
use crate::kit::cpus::Cpus;
use crate::kit::server::{Peer, Server, configuration, if_root, start_all};

/// All servers that can be started here, ours first.
pub fn start(cpus: &Cpus, folder: &Path) -> Vec<Server> {
    let peers: [Peer<_>; 5] = [
        ("ours", "web-server", ours),
        ("nginx", "nginx", nginx),
        ("h2o", "h2o", h2o),
        ("lighttpd", "lighttpd", lighttpd),
        ("python", "python3", python),
    ];
    let answers = |address| http::ping(Way::direct(address));
    start_all(cpus, &peers, folder, answers)
}

fn ours(command: &mut Command, address: SocketAddr, folder: &Path) {
    let port = address.port().to_string();
    command.args(["127.0.0.1", &port, "--quiet", "--max-clients", "12000"]);
    command.args(["--idle", "600", "--root"]).arg(folder.join("www"));
}

fn nginx(command: &mut Command, address: SocketAddr, folder: &Path) {
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
    command.arg("-c").arg(configuration(folder, "nginx.conf", text));
}

fn h2o(command: &mut Command, address: SocketAddr, folder: &Path) {
    let (path, port) = (folder.display(), address.port());
    let user = if_root("user: nobody\n");
    let text = format!(
        "{user}num-threads: 1\nmax-connections: 12000\n\
         http1-request-timeout: 600\nerror-log: /dev/null\n\
         listen:\n  host: 127.0.0.1\n  port: {port}\n\
         hosts:\n  default:\n    paths:\n      \"/\":\n        \
         file.dir: {path}/www\n"
    );
    command.arg("-m").arg("worker");
    command.arg("-c").arg(configuration(folder, "h2o.conf", text));
}

fn lighttpd(command: &mut Command, address: SocketAddr, folder: &Path) {
    let (path, port) = (folder.display(), address.port());
    let text = format!(
        "server.document-root = \"{path}/www\"\n\
         server.port = {port}\nserver.bind = \"127.0.0.1\"\n\
         server.max-keep-alive-requests = 65535\n\
         server.max-keep-alive-idle = 600\n\
         server.max-connections = 12000\nserver.max-fds = 20000\n\
         server.listen-backlog = 1024\n"
    );
    let file = configuration(folder, "lighttpd.conf", text);
    command.arg("-D").arg("-f").arg(file);
}

fn python(command: &mut Command, address: SocketAddr, folder: &Path) {
    let port = address.port().to_string();
    command.args(["-m", "http.server", &port, "--bind", "127.0.0.1"]);
    command.args(["--protocol", "HTTP/1.1"]).arg("--directory");
    command.arg(folder.join("www"));
}
