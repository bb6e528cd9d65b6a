//! The one stylesheet, the one script and the icon: named after their content, so that browsers may keep them forever.

use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

/// A file that pages load.
pub struct Asset {
    stem: &'static str,
    extension: &'static str,
    /// What a browser takes it for.
    pub media_type: &'static str,
    /// Its content.
    pub text: &'static str,
    hash: LazyLock<String>,
}

const STYLESHEET: &str = concat!(include_str!("naze.css"), include_str!("plot/drawing.css"));

/// How all pages look.
pub static STYLE: Asset = Asset {
    stem: "naze",
    extension: "css",
    media_type: "text/css; charset=utf-8",
    text: STYLESHEET,
    hash: LazyLock::new(|| hash(STYLESHEET)),
};

/// What pages do beyond links and forms.
pub static SCRIPT: Asset = Asset {
    stem: "naze",
    extension: "js",
    media_type: "text/javascript; charset=utf-8",
    text: include_str!("naze.js"),
    hash: LazyLock::new(|| hash(include_str!("naze.js"))),
};

/// What a tab shows.
pub static ICON: Asset = Asset {
    stem: "naze",
    extension: "svg",
    media_type: "image/svg+xml",
    text: include_str!("naze.svg"),
    hash: LazyLock::new(|| hash(include_str!("naze.svg"))),
};

impl Asset {
    /// Its name, with the hash of its content.
    fn name(&self) -> String {
        format!("{}-{}.{}", self.stem, *self.hash, self.extension)
    }

    /// Where it is served.
    pub fn path(&self) -> String {
        format!("/assets/{}", self.name())
    }
}

/// The asset of this name.
pub fn named(name: &str) -> Option<&'static Asset> {
    [&STYLE, &SCRIPT, &ICON].into_iter().find(|asset| asset.name() == name)
}

fn hash(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..8])
}
