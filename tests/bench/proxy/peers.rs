//! How each proxy is started: without cache and log, with one process or few.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::http::{self, Way};
use crate::kit::cpus::Cpus;
use crate::kit::server::{
    Peer, Server, configuration, free_address, if_root, installed, start_all,
};

/// Where the configurations are, and to which port tunnels may go.
type More<'a> = (&'a Path, u16);

/// Our web server, on the load generator's CPUs.
pub fn start_origin(folder: &Path) -> Server {
    let program = "web-server";
    let mut command = installed(program).expect("cargo has built this program");
    let address = free_address();
    let port = address.port().to_string();
    command.args(["127.0.0.1", &port, "--quiet", "--idle", "600", "--root"]);
    command.arg(folder.join("www"));
    let answers = |address| http::ping(Way::direct(address));
    let cpus = Cpus::WITH_GENERATOR;
    Server::start("origin", address, &cpus, command, answers)
}

/// All proxies that can be started here, ours first.
pub fn start(cpus: &Cpus, folder: &Path, origin: SocketAddr) -> Vec<Server> {
    let peers: [Peer<More>; 4] = [
        ("ours", "proxy-server", ours),
        ("apache", "apache2", apache),
        ("squid", "squid", squid),
        ("tinyproxy", "tinyproxy", tinyproxy),
    ];
    let answers = |to| http::ping(Way { to, origin });
    start_all(cpus, &peers, (folder, origin.port()), answers)
}

fn ours(command: &mut Command, address: SocketAddr, (_, tunnel): More) {
    let (port, tunnel) = (address.port().to_string(), tunnel.to_string());
    command.args(["127.0.0.1", &port, "--quiet", "--no-cache"]);
    command.args(["--connect-port", &tunnel]);
}

fn apache(command: &mut Command, address: SocketAddr, more: More) {
    let (folder, tunnel) = more;
    let path = folder.display();
    let modules = ["mpm_worker", "authz_core", "proxy", "proxy_http"];
    let modules = modules.iter().chain(&["proxy_connect"]);
    let load: String = modules
        .map(|name| {
            let file = format!("/usr/lib/apache2/modules/mod_{name}.so");
            format!("LoadModule {name}_module {file}\n")
        })
        .collect();
    let user = if_root("User nobody\nGroup nogroup\n");
    let text = format!(
        "ServerRoot {path}\nServerName bench\nPidFile {path}/apache.pid\n\
         Listen {address}\n{load}{user}ErrorLog /dev/null\n\
         DefaultRuntimeDir {path}\nMutex pthread\nServerLimit 8\n\
         ThreadsPerChild 64\nMaxRequestWorkers 512\n\
         KeepAlive On\nMaxKeepAliveRequests 0\nKeepAliveTimeout 600\n\
         ProxyRequests On\nAllowCONNECT {tunnel}\n\
         <Proxy *>\nRequire all granted\n</Proxy>\n"
    );
    command.arg("-DFOREGROUND");
    command.arg("-f").arg(configuration(folder, "apache.conf", text));
}

fn squid(command: &mut Command, address: SocketAddr, (folder, _): More) {
    let path = folder.display();
    let text = format!(
        "http_port {address}\nhttp_access allow all\ncache deny all\n\
         access_log none\ncache_log /dev/null\ncache_store_log none\n\
         pid_filename {path}/squid.pid\ncoredump_dir {path}\n\
         visible_hostname bench\npinger_enable off\nnetdb_filename none\n\
         shutdown_lifetime 0 seconds\nmax_filedescriptors 4096\n"
    );
    command.args(["-N", "-f"]).arg(configuration(folder, "squid.conf", text));
}

fn tinyproxy(command: &mut Command, address: SocketAddr, more: More) {
    let ((folder, tunnel), port) = (more, address.port());
    let text = format!(
        "Port {port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 1024\n\
         LogLevel Critical\nLogFile \"/dev/null\"\nConnectPort {tunnel}\n"
    );
    let file = configuration(folder, "tinyproxy.conf", text);
    command.args(["-d", "-c"]).arg(file);
}
