//! A certificate authority for one lab, and the certificate that all its servers show.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};

use super::directory::Directory;
use super::error::{Doing, Result};

/// Files in PEM form.
#[derive(Clone, Debug)]
pub(crate) struct Certificates {
    /// The authority's certificate, which clients are to trust.
    pub(crate) authority: PathBuf,
    /// The servers' certificate.
    pub(crate) certificate: PathBuf,
    /// The servers' key.
    pub(crate) key: PathBuf,
}

impl Certificates {
    /// Makes an authority and a certificate for `localhost`, 127.0.0.1 and the given addresses.
    pub(crate) fn new(directory: &Directory, addresses: &[IpAddr]) -> Result<Self> {
        let (authority, certificate, key) =
            issue(addresses).doing("make the certificates for --tls")?;
        let file = |name: &str, text: String| {
            let path = directory.join(name);
            fs::write(&path, text).doing(format_args!("write {}", path.display())).map(|()| path)
        };
        Ok(Self {
            authority: file("ca.crt", authority)?,
            certificate: file("server.crt", certificate)?,
            key: file("server.key", key)?,
        })
    }
}

fn issue(addresses: &[IpAddr]) -> Result<(String, String, String), rcgen::Error> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "steadis lab authority");
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;

    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut server = CertificateParams::new(names)?;
    server.distinguished_name.push(DnType::CommonName, "steadis lab server");
    server.subject_alt_names.extend(addresses.iter().copied().map(SanType::IpAddress));
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // A server is the client of the servers it replicates from and watches over.
    server.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    server.use_authority_key_identifier_extension = true;
    let server_key = KeyPair::generate()?;
    let issuer = Issuer::from_params(&authority, &authority_key);
    let server = server.signed_by(&server_key, &issuer)?;
    Ok((authority_certificate.pem(), server.pem(), server_key.serialize_pem()))
}
