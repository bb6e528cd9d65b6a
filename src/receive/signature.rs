//! Who sent it: signatures over the raw bytes of a body.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::error::{Context as _, Error, Result};

const GITHUB_HEADER: &str = "X-Hub-Signature-256";

/// Checks GitHub's signature: `sha256=` and the HMAC-SHA256 of the raw body in hexadecimal, compared in constant time.
///
/// # Errors
/// `Forbidden`, naming the header and what to do, when it is missing, malformed, or made with another secret or over
/// other bytes.
pub fn verify_github(secret: &[u8], body: &[u8], header: Option<&str>) -> Result<()> {
    if secret.is_empty() {
        return Err(Error::forbidden("the GitHub secret is empty, so anybody could sign with it")
            .hint("set senders.github.secret to the webhook's secret"));
    }
    let header = header.ok_or_else(|| {
        Error::forbidden(format!("the header {GITHUB_HEADER} is missing"))
            .hint("set the webhook's secret to senders.github.secret; GitHub signs only when it has one")
    })?;
    let signature = header.strip_prefix("sha256=").and_then(|digits| hex::decode(digits).ok()).ok_or_else(|| {
        Error::forbidden(format!("the header {GITHUB_HEADER} is not \"sha256=\" and 64 hexadecimal digits"))
            .hint("sign with HMAC-SHA256; the older X-Hub-Signature is not taken")
    })?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).internal("HMAC did not take the secret")?;
    mac.update(body);
    mac.verify_slice(&signature).map_err(|_| {
        Error::forbidden(format!("the signature in {GITHUB_HEADER} does not fit the body"))
            .hint("the webhook's secret must equal senders.github.secret, and nothing in between may change the body")
    })
}
