//! The sink's certificate. The sink makes it when it starts. The private key
//! never leaves the process; the certificate is written to D/cert.pem, where
//! D is the folder of the messages:
//!
//! ```text
//! SSL_CERT_FILE=D/cert.pem mail-client 127.0.0.1 2525 --tls starttls …
//! ```
//!
//! No authority has signed it, so a client must trust this file. A client
//! that checks no certificate would also accept an attacker's.     (viva 5)

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use socketlab::{Error, Result, net};

/// Makes the key and the certificate, and writes the certificate to a file.
pub fn config(folder: &Path, host: &str) -> Result<Arc<ServerConfig>> {
    let fail = |error: &dyn std::fmt::Display| {
        Error::other(format!("cannot make the TLS certificate: {error}"))
    };
    // The names that clients may use: this host's, and the one in bind().
    let mut names =
        ["localhost", "127.0.0.1", "::1"].map(String::from).to_vec();
    for name in [net::hostname(), host.trim_matches(['[', ']']).into()] {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    let made =
        rcgen::generate_simple_self_signed(names).map_err(|e| fail(&e))?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let chain = vec![made.cert.der().clone()];
    let config = ServerConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder.with_no_client_auth().with_single_cert(chain, key.into())
        })
        .map_err(|error| fail(&error))?;
    // Written under another name, then renamed, so that a client never reads
    // half a certificate.
    let (new, file) = (folder.join("cert.new"), folder.join("cert.pem"));
    fs::write(&new, made.cert.pem())
        .and_then(|()| fs::rename(&new, &file))
        .map_err(|error| Error::new("open", file.display(), error))?;
    Ok(Arc::new(config))
}
