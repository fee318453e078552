//! FTP against vsftpd, beside ftplib; HTTP against Python's http.server.

use std::fs;

use harness::terminal::Terminal;

use crate::parts::{command, failure, fetch, result, said, text};
use crate::peers::{Vsftpd, every_byte};
use harness::{installed, make_fifo, python};

#[test]
fn t_m_ftp_agrees_with_ftplib_byte_for_byte() {
    let Some(server) = Vsftpd::start("") else { return };
    let Some(mut python) = python("internet/ftp_dump.py") else { return };
    let names =
        ["readme.txt", "pub/bytes.bin", "pub/two words.txt", "pub/empty"];
    let folder = tempfile::tempdir().expect("a folder");
    let output = python
        .arg(server.port.to_string())
        .arg(folder.path())
        .args(names)
        .output()
        .expect("Python runs");
    let errors = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(output.status.success(), "{errors}");
    let theirs = |name: &str| fs::read(folder.path().join(name)).expect(name);
    for (index, name) in names.iter().enumerate() {
        let url = server.url("ftp", &name.replace(' ', "%20"));
        let ours = result(&fetch(&[&url]));
        assert!(ours == theirs(&index.to_string()), "{name}");
    }
    let list = text(&fetch(&[&server.url("ftp", "pub/")]));
    let theirs = String::from_utf8(theirs("list")).expect("text");
    assert_eq!(list.replace("\r\n", "\n"), theirs);
    let root = text(&fetch(&[&server.url("ftp", "")]));
    assert!(root.contains("readme.txt"), "{root}");
    let none = failure(&fetch(&[&server.url("ftp", "nothing")]));
    assert!(none.contains("550"), "{none}");
    let file = folder.path().join("saved");
    let name = file.to_str().expect("a name");
    result(&fetch(&["-o", name, &server.url("ftp", "pub/bytes.bin")]));
    assert!(fs::read(&file).expect("a file") == every_byte());
}

#[test]
fn t_m2_an_upload_to_vsftpd_is_there_and_may_be_refused() {
    let may_write = "write_enable=YES\nanon_upload_enable=YES\n\
                     anon_umask=022\n";
    let Some(server) = Vsftpd::start(may_write) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("every.bin");
    fs::write(&file, every_byte()).expect("a file");
    let file = file.to_str().expect("a name");
    let put = |path: &str| {
        let url = server.url("ftp", path);
        fetch(&["--put", file, &url])
    };
    let output = put("pub/");
    result(&output);
    assert!(said(&output).contains("stored pub/every.bin: 1000003 bytes"));
    let stored = server.daemon.folder.path().join("files/pub/every.bin");
    assert!(fs::read(stored).expect("a file") == every_byte());
    // It refuses to replace a file, and a folder that is not there.
    for path in ["pub/every.bin", "nowhere/f"] {
        let text = failure(&put(path));
        assert!(text.contains(&format!("after STOR {path}: 553")), "{text}");
        assert!(text.contains("is not stored"), "{text}");
    }
}

#[test]
fn t_m_ftp_with_tls_on_both_connections() {
    let tls = "ssl_enable=YES\nallow_anon_ssl=YES\nforce_anon_logins_ssl=YES\n\
               force_anon_data_ssl=YES\nwrite_enable=YES\n\
               anon_upload_enable=YES\nanon_umask=022\n";
    let Some(server) = Vsftpd::start(tls) else { return };
    let certificate = server.daemon.folder.path().join("cert.pem");
    let run = |arguments: &[&str]| {
        let mut command = command(arguments);
        command.env("SSL_CERT_FILE", &certificate);
        command.output().expect("fetch runs")
    };
    let url = server.url("ftp", "pub/bytes.bin");
    let output = run(&["--starttls", &url]);
    assert!(result(&output) == every_byte());
    assert!(said(&output).contains("C: PROT P"), "{}", said(&output));
    let list = text(&run(&["--starttls", &server.url("ftp", "pub/")]));
    assert!(list.contains("two words.txt"), "{list}");
    let file = server.daemon.folder.path().join("files/pub/bytes.bin");
    let file = file.to_str().expect("a name");
    let copy = server.url("ftp", "pub/copy");
    result(&run(&["--starttls", "--put", file, &copy]));
    assert!(result(&run(&["--starttls", &copy])) == every_byte());
    // Without TLS this server refuses, and so does `fetch` without trust.
    failure(&run(&[&url]));
    let text = failure(&fetch(&["--starttls", &url]));
    assert!(text.contains("TLS: ") && !text.contains("USER"), "{text}");

    let Some(server) = Vsftpd::start(&format!("{tls}implicit_ssl=YES\n"))
    else {
        return;
    };
    let certificate = server.daemon.folder.path().join("cert.pem");
    let mut command = command(&[&server.url("ftps", "readme.txt")]);
    let output = command.env("SSL_CERT_FILE", certificate).output();
    let output = output.expect("fetch runs");
    assert_eq!(result(&output), b"Two connections, one file.\n");
}

#[test]
fn t_m_an_old_ftp_server_has_pasv_only() {
    let Some(server) =
        harness::python_server("internet/ftp_server.py", &["--no-epsv"])
    else {
        return;
    };
    let url = format!("ftp://{}/pub/bytes.bin", server.address);
    let output = fetch(&[&url]);
    let all: Vec<u8> = (0..=255).cycle().take(256 * 4096).collect();
    assert!(result(&output) == all);
    let said = said(&output);
    assert!(said.contains("C: EPSV\nS: 500"), "{said}");
    assert!(said.contains("C: PASV\nS: 227"), "{said}");
}

#[test]
fn t_m_http_from_pythons_own_server() {
    if !installed("python3", "python3") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("sub")).expect("a folder");
    fs::write(folder.path().join("sub/b.bin"), every_byte()).expect("a file");
    let mut python = std::process::Command::new("python3");
    python
        .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"])
        .arg("--directory")
        .arg(folder.path());
    let mut server = Terminal::run(&mut python).expect("it starts");
    let line = server.wait_for("Serving HTTP on …").expect("it listens");
    let port = line.split(' ').nth(5).expect("a port");
    let url = |path: &str| format!("http://127.0.0.1:{port}{path}");
    assert!(result(&fetch(&[&url("/sub/b.bin")])) == every_byte());
    let page = text(&fetch(&[&url("/sub/")]));
    assert!(page.contains("b.bin"), "{page}");
    let moved = failure(&fetch(&[&url("/sub")]));
    assert!(moved.contains("301: it is at /sub/"), "{moved}");
    let file = folder.path().join("none");
    let name = file.to_str().expect("a name");
    let none = failure(&fetch(&["-o", name, &url("/nothing")]));
    assert!(none.contains("404"), "{none}");
    assert!(!file.exists());
}

#[test]
fn t_m_https_trusts_whom_the_system_trusts() {
    if !installed("openssl", "openssl") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    crate::peers::certificate(folder.path());
    fs::write(folder.path().join("page"), every_byte()).expect("a file");
    let port = crate::peers::free_port().to_string();
    let mut openssl = std::process::Command::new("openssl");
    openssl
        .args(["s_server", "-WWW", "-accept", &port])
        .args(["-cert", "cert.pem", "-key", "key.pem"])
        .current_dir(folder.path());
    let mut server = Terminal::run(&mut openssl).expect("it starts");
    server.wait_for("ACCEPT").expect("it listens");
    let url = format!("https://localhost:{port}/page");
    let certificate = folder.path().join("cert.pem");
    let mut command = command(&[&url]);
    let output = command.env("SSL_CERT_FILE", certificate).output();
    let output = output.expect("fetch runs");
    assert!(output.stdout == every_byte(), "{}", said(&output));
    let refused = failure(&fetch(&[&url]));
    assert!(refused.contains("TLS: "), "{refused}");
    assert!(!refused.contains("C: GET"), "{refused}");
}

#[test]
fn t_m_a_full_disk_is_an_error_and_a_fifo_stays_one() {
    use std::os::unix::fs::FileTypeExt;
    let Some(server) = harness::python_server("internet/gopher_server.py", &[])
    else {
        return;
    };
    let url = format!("gopher://{}/9/bytes", server.address);
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let mut to_full = command(&[&url]);
    let output = to_full.stdout(full.expect("/dev/full")).spawn();
    let status = output.expect("fetch runs").wait().expect("it ends");
    assert_eq!(status.code(), Some(1));
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = folder.path().join("fifo");
    make_fifo(&fifo);
    let path = fifo.clone();
    let reading = std::thread::spawn(move || fs::read(path));
    let name = fifo.to_str().expect("a name");
    result(&fetch(&["-o", name, &url]));
    let bytes = reading.join().expect("a reader").expect("it reads");
    assert_eq!(bytes.len(), 1024);
    assert!(fifo.metadata().expect("it").file_type().is_fifo());
    // A missing folder is reported before the client connects.
    let text = failure(&fetch(&["-o", "/nowhere/file", &url]));
    assert!(text.starts_with("Error: open(/nowhere/file.part): "), "{text}");
    let text = failure(&fetch(&["-o", "/", &url]));
    assert!(text.contains("/ is a folder: -o FILE"), "{text}");
}
