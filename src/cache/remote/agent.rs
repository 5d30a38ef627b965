//! How servers are asked: how long is waited for them, whose certificates count, through which proxy. `http_proxy`, `https_proxy` and
//! `no_proxy` are respected as everywhere.

use std::path::Path;
use std::time::Duration;

use crate::host::{Context, Result};

/// How long a server may be silent.
const SILENT: Duration = Duration::from_secs(60);

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// A store of objects: it answers itself, and a signature is for one host.
    Store,
    /// Any server, which may send us on; from an encrypted one only to another.
    Server { encrypted: bool },
}

/// Makes an agent that believes the certificates of a file, else those that it was built with.
pub(super) fn agent(certificates: Option<&str>, what: For) -> Result<ureq::Agent> {
    let mut tls = ureq::tls::TlsConfig::builder();
    if let Some(path) = certificates {
        let pem = std::fs::read(path).cannot("read", Path::new(path))?;
        let roots: Vec<_> = ureq::tls::parse_pem(&pem)
            .filter_map(|item| match item {
                Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })
            .collect();
        tls = tls.root_certs(ureq::tls::RootCerts::new_with_certs(&roots));
    }
    let (redirects, encrypted) = match what {
        For::Store => (0, false),
        For::Server { encrypted } => (10, encrypted),
    };
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(false)
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_secs(120)))
        .timeout_per_read(Some(SILENT))
        .https_only(encrypted)
        .max_redirects(redirects)
        .tls_config(tls.build());
    Ok(ureq::Agent::new_with_config(config.build()))
}
