//! Secrets and tokens of those who send to naze, and of those it sends to.

use serde::Deserialize;

use super::Config;
use crate::export::destination::in_a_variable;
use crate::receive::RECEIVERS;
use crate::secret::Secret;

/// What is set for one sender. Without secret and token it is heard on a loopback address only.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sender {
    /// What it signs its documents with.
    pub secret: Option<Secret>,
    /// What it sends along: as bearer token, as password of basic authentication, or as `?token=` in the URL.
    pub token: Option<Secret>,
    /// Its labels that name the component, in place of those for all senders.
    pub component_labels: Option<Vec<String>>,
}

impl Config {
    /// Takes each sender's `NAZE_<NAME>_SECRET` and `NAZE_<NAME>_TOKEN`, each export's `NAZE_EXPORT_<NAME>_TOKEN`, and
    /// `NAZE_PROMETHEUS_TOKEN`, over what the file says.
    pub fn take_credentials(&mut self, given: impl Fn(&str) -> Option<String>) {
        if let Some(prometheus) = &mut self.prometheus {
            prometheus.token = given("NAZE_PROMETHEUS_TOKEN").map(Secret::from).or(prometheus.token.take());
        }
        for receiver in RECEIVERS {
            let prefix = format!("NAZE_{}", receiver.name.to_uppercase().replace('-', "_"));
            let secret = given(&format!("{prefix}_SECRET")).map(Secret::from);
            let token = given(&format!("{prefix}_TOKEN")).map(Secret::from);
            if secret.is_some() || token.is_some() {
                let credentials = self.senders.entry(receiver.name.to_owned()).or_default();
                credentials.secret = secret.or(credentials.secret.take());
                credentials.token = token.or(credentials.token.take());
            }
        }
        for (name, export) in &mut self.exports {
            let token = given(&format!("NAZE_EXPORT_{}_TOKEN", in_a_variable(name)));
            export.token = token.map(Secret::from).or(export.token.take());
        }
    }
}
