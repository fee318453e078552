//! The sink's certificate, made when the sink starts. The key never leaves
//! the process; the certificate goes to cert.pem in the folder D:
//!
//! ```text
//! SSL_CERT_FILE=D/cert.pem mail-client 127.0.0.1 2525 --tls starttls …
//! ```
//!
//! Nobody vouches for it but that file, and only for this sink. A client that
//! checks no certificate would talk to anybody else, too.          (viva 5)

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use socketlab::{Error, Result, net};

/// Makes key and certificate, and writes the certificate.
pub fn config(folder: &Path, host: &str) -> Result<Arc<ServerConfig>> {
    let fail = |error: &dyn std::fmt::Display| {
        Error::other(format!("TLS: the certificate: {error}"))
    };
    // This host's names, and the one bound to.
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
    // Renamed into place, so that a client never reads half of it.
    let (new, file) = (folder.join("cert.new"), folder.join("cert.pem"));
    fs::write(&new, made.cert.pem())
        .and_then(|()| fs::rename(&new, &file))
        .map_err(|error| Error::new("open", file.display(), error))?;
    Ok(Arc::new(config))
}
