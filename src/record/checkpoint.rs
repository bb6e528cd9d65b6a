//! Signed checkpoints: the size and root of the ledger in the C2SP `tlog-checkpoint` form, signed as a signed note.
//!
//! Third-party tools for transparency logs can check them with the verifier key in `checkpoint.pub`.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer as _, SigningKey, Verifier as _, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::merkle::Hash;
use crate::error::{Context as _, Error, Result};

/// Signature type of Ed25519 in a signed note.
const ED25519: u8 = 1;

/// Signs checkpoints as the log named `origin`.
pub(super) struct Notary {
    origin: String,
    key: SigningKey,
}

impl Notary {
    /// The key in `folder`, made when there is none. The secret is readable by its owner only.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("checkpoint.key");
        let (origin, secret) = match fs::read_to_string(&path) {
            Ok(text) => parse_secret(text.trim()).ok_or_else(|| {
                Error::internal(format!("{} is no checkpoint key", path.display()))
                    .hint("restore it from a backup, or move it away to start with a new key")
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let secret = random_secret()?;
                let origin = format!("naze/{}", hex::encode(&Sha256::digest(secret)[..4]));
                let text = format!("{origin} {}\n", hex::encode(secret));
                write_secret(&path, &text).internal("cannot write the checkpoint key")?;
                (origin, secret)
            }
            Err(error) => return Err(error).internal(format!("cannot read {}", path.display())),
        };
        let notary = Self { origin, key: SigningKey::from_bytes(&secret) };
        fs::write(folder.join("checkpoint.pub"), notary.verifier_key() + "\n")
            .internal("cannot write the verifier key")?;
        Ok(notary)
    }

    /// A key that lives as long as the process, for stores in memory.
    pub(super) fn ephemeral() -> Result<Self> {
        Ok(Self { origin: "naze/memory".into(), key: SigningKey::from_bytes(&random_secret()?) })
    }

    /// `<origin>+<key id>+<base64 of type and public key>`: what others need to check our signatures.
    pub(super) fn verifier_key(&self) -> String {
        let public = typed(&self.key.verifying_key());
        format!("{}+{}+{}", self.origin, hex::encode(key_id(&self.origin, &public)), BASE64.encode(public))
    }

    /// The signed checkpoint of a ledger with this size and root.
    pub(super) fn sign(&self, size: u64, root: &Hash) -> String {
        let text = format!("{}\n{size}\n{}\n", self.origin, BASE64.encode(root));
        let mut signature = key_id(&self.origin, &typed(&self.key.verifying_key())).to_vec();
        signature.extend(self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n\u{2014} {} {}\n", self.origin, BASE64.encode(signature))
    }
}

/// Checks a checkpoint against a verifier key and returns the size and root it states.
///
/// # Errors
/// `Invalid` with what does not hold.
pub(super) fn verify(checkpoint: &str, verifier_key: &str) -> Result<(u64, Hash)> {
    let wrong = |what: &str| Error::invalid(format!("the checkpoint {what}"));
    let (name, rest) = verifier_key.trim().split_once('+').ok_or_else(|| wrong("key is malformed"))?;
    let (id, public) = rest.split_once('+').ok_or_else(|| wrong("key is malformed"))?;
    let public = BASE64.decode(public).invalid("the checkpoint key is not base64")?;
    if hex::encode(key_id(name, &public)) != id {
        return Err(wrong("key does not match its own id"));
    }
    let (text, signatures) = checkpoint.split_once("\n\n").ok_or_else(|| wrong("has no signature"))?;
    let text = format!("{text}\n");
    let line = signatures.lines().find_map(|line| line.strip_prefix(&format!("\u{2014} {name} ")));
    let signature =
        BASE64.decode(line.ok_or_else(|| wrong("is not signed by this key"))?).invalid("bad signature encoding")?;
    let key: &[u8; 32] =
        public.get(1..).and_then(|key| key.try_into().ok()).ok_or_else(|| wrong("key has the wrong length"))?;
    let key = VerifyingKey::from_bytes(key).invalid("the checkpoint key is no Ed25519 key")?;
    let signature = signature.get(4..).and_then(|bytes| Signature::from_slice(bytes).ok());
    let signature = signature.ok_or_else(|| wrong("signature has the wrong length"))?;
    key.verify(text.as_bytes(), &signature).invalid("the checkpoint's signature is wrong")?;
    let mut lines = text.lines().skip(1);
    let size = lines.next().and_then(|size| size.parse().ok()).ok_or_else(|| wrong("states no size"))?;
    let root = lines.next().and_then(|root| BASE64.decode(root).ok()).and_then(|root| root.try_into().ok());
    Ok((size, root.ok_or_else(|| wrong("states no root"))?))
}

fn typed(key: &VerifyingKey) -> Vec<u8> {
    [&[ED25519], key.as_bytes().as_slice()].concat()
}

fn key_id(name: &str, typed_key: &[u8]) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update("\n").chain_update(typed_key).finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

fn parse_secret(text: &str) -> Option<(String, [u8; 32])> {
    let (origin, secret) = text.split_once(' ')?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(secret, &mut bytes).ok()?;
    Some((origin.to_owned(), bytes))
}

fn random_secret() -> Result<[u8; 32]> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret)
        .map_err(|error| Error::internal(format!("the system gives no randomness: {error}")))?;
    Ok(secret)
}

fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
