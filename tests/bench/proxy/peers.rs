//! How each proxy is started: no cache, no log, one process or few.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::load::{self, Way};
use crate::servers::{Cpus, Server, free_address};

/// A folder with the origin's files, and with configurations.
pub fn folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let www = folder.path().join("www");
    fs::create_dir(&www).expect("a folder");
    fs::write(www.join("1k.bin"), vec![b'x'; 1024]).expect("a file");
    let large = fs::File::create(www.join("100m.bin")).expect("a file");
    large.set_len(100 << 20).expect("a size");
    // squid and apache drop root's rights, and must still get in.
    let all = fs::Permissions::from_mode(0o777);
    fs::set_permissions(folder.path(), all).expect("permissions");
    folder
}

/// The origin, on the load generator's CPU; killed when dropped.
pub struct Origin {
    pub address: SocketAddr,
    child: Child,
}

impl Origin {
    pub fn start(folder: &Path) -> Origin {
        let address = free_address();
        let port = address.port().to_string();
        let child = Command::new(env!("CARGO_BIN_EXE_web-server"))
            .args(["127.0.0.1", &port, "--quiet", "--idle", "600", "--root"])
            .arg(folder.join("www"))
            .stdout(Stdio::null())
            .spawn()
            .expect("our web server");
        Origin { address, child }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All proxies that can be started here, ours first.
pub fn start_all(
    cpus: &Cpus,
    folder: &Path,
    origin: SocketAddr,
) -> Vec<Server> {
    type Start = fn(SocketAddr, &Path, u16) -> Command;
    let peers: [(&'static str, Start); 4] = [
        ("ours", ours),
        ("apache", apache),
        ("squid", squid),
        ("tinyproxy", tinyproxy),
    ];
    let started = peers.into_iter().map(|(name, command)| {
        let address = free_address();
        let command = command(address, folder, origin.port());
        let ping = |proxy| load::ping(Way { proxy, origin });
        Server::start(name, address, cpus, command, ping)
    });
    started.flatten().collect()
}

fn ours(address: SocketAddr, _: &Path, tunnel: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_proxy-server"));
    let (port, tunnel) = (address.port().to_string(), tunnel.to_string());
    command.args(["127.0.0.1", &port, "--quiet", "--no-cache"]);
    command.args(["--connect-port", &tunnel]);
    command
}

fn write(folder: &Path, name: &str, text: String) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, text).expect("a configuration");
    file
}

fn apache(address: SocketAddr, folder: &Path, tunnel: u16) -> Command {
    let path = folder.display();
    let modules = ["mpm_worker", "authz_core", "proxy", "proxy_http"];
    let modules = modules.iter().chain(&["proxy_connect"]);
    let load: String = modules
        .map(|name| {
            let file = format!("/usr/lib/apache2/modules/mod_{name}.so");
            format!("LoadModule {name}_module {file}\n")
        })
        .collect();
    let user = match rustix::process::geteuid().is_root() {
        true => "User nobody\nGroup nogroup\n",
        false => "",
    };
    let text = format!(
        "ServerRoot {path}\nServerName bench\nPidFile {path}/apache.pid\n\
         Listen {address}\n{load}{user}ErrorLog /dev/null\n\
         DefaultRuntimeDir {path}\nMutex pthread\nServerLimit 8\n\
         ThreadsPerChild 64\nMaxRequestWorkers 512\n\
         KeepAlive On\nMaxKeepAliveRequests 0\nKeepAliveTimeout 600\n\
         ProxyRequests On\nAllowCONNECT {tunnel}\n\
         <Proxy *>\nRequire all granted\n</Proxy>\n"
    );
    let mut command = Command::new("apache2");
    command.arg("-DFOREGROUND");
    command.arg("-f").arg(write(folder, "apache.conf", text));
    command
}

fn squid(address: SocketAddr, folder: &Path, _: u16) -> Command {
    let path = folder.display();
    let text = format!(
        "http_port {address}\nhttp_access allow all\ncache deny all\n\
         access_log none\ncache_log /dev/null\ncache_store_log none\n\
         pid_filename {path}/squid.pid\ncoredump_dir {path}\n\
         visible_hostname bench\npinger_enable off\nnetdb_filename none\n\
         shutdown_lifetime 0 seconds\nmax_filedescriptors 4096\n"
    );
    let mut command = Command::new("squid");
    command.args(["-N", "-f"]).arg(write(folder, "squid.conf", text));
    command
}

fn tinyproxy(address: SocketAddr, folder: &Path, tunnel: u16) -> Command {
    let port = address.port();
    let text = format!(
        "Port {port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 1024\n\
         LogLevel Critical\nLogFile \"/dev/null\"\nConnectPort {tunnel}\n"
    );
    let mut command = Command::new("tinyproxy");
    command.args(["-d", "-c"]).arg(write(folder, "tinyproxy.conf", text));
    command
}
