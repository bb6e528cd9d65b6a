//! Who sent it: signatures over the raw bytes of a body.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::error::{Context as _, Error, Result};

/// Checks an HMAC-SHA256 of `signed` in hexadecimal after `prefix`, compared in constant time. A header may hold several,
/// separated by commas, while a secret is being replaced; one that fits will do.
///
/// # Errors
/// `Forbidden`, naming the header and what to do, when it is missing, malformed, or made with another secret or over
/// other bytes.
pub fn verify(
    sender: &str,
    header: &str,
    prefix: &str,
    secret: &[u8],
    signed: &[u8],
    given: Option<&str>,
) -> Result<()> {
    if secret.is_empty() {
        return Err(Error::forbidden(format!("the secret of {sender} is empty, so anybody could sign with it"))
            .hint(format!("set senders.{sender}.secret to the webhook's secret")));
    }
    let given = given.ok_or_else(|| {
        Error::forbidden(format!("the header {header} is missing"))
            .hint(format!("set the webhook's secret to senders.{sender}.secret; unsigned bodies are not taken"))
    })?;
    let signatures = given.split(',').map(|one| one.trim().strip_prefix(prefix).and_then(digits));
    let signatures: Vec<Vec<u8>> = signatures.flatten().collect();
    if signatures.is_empty() {
        let prefix = if prefix.is_empty() { String::new() } else { format!("\"{prefix}\" and ") };
        return Err(Error::forbidden(format!("the header {header} is not {prefix}64 hexadecimal digits"))
            .hint("sign with HMAC-SHA256; older signatures are not taken"));
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).internal("HMAC did not take the secret")?;
    mac.update(signed);
    if signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok()) {
        return Ok(());
    }
    Err(Error::forbidden(format!("the signature in {header} does not fit the body")).hint(format!(
        "the webhook's secret must equal senders.{sender}.secret, and nothing in between may change the body"
    )))
}

fn digits(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).ok().filter(|bytes| bytes.len() == 32)
}
