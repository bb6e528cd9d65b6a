//! What an export can say that makes no sense.

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};

use super::{By, Export, in_a_variable, shown};
use crate::error::{Error, Result};
use crate::export::email;
use crate::export::told::Pick;
use crate::measure::crossing::threshold::COOLDOWN_MAX;
use crate::report::span;

impl Export {
    /// Can it be pushed to as it is configured under `name`?
    ///
    /// # Errors
    /// `Invalid` naming the key.
    pub fn check(&self, name: &str) -> Result<()> {
        let of = |key: &str| format!("configuration: exports.{name}.{key}");
        let kind = self.kind.name;
        for key in self.kind.needs {
            let is_there = match *key {
                "url" => self.url.is_some(),
                "user" => self.user.is_some(),
                "from" => self.from.is_some(),
                "to" => !self.to.is_empty(),
                "path" => self.path.is_some(),
                _ => self.token.is_some(),
            };
            if !is_there {
                let variable = format!("NAZE_EXPORT_{}_TOKEN", in_a_variable(name));
                let hint = if *key == "token" { format!("set it there or in {variable}") } else { "set it".to_owned() };
                return Err(Error::invalid(format!("{} is missing: {kind} cannot do without", of(key))).hint(hint));
            }
        }
        self.check_address(name)?;
        if self.kind.receipts.is_none() && self.receipts == Some(true) {
            return Err(Error::invalid(format!("{} is true, but {kind} keeps numbers only", of("receipts")))
                .hint("leave it out"));
        }
        if self.kind.traces.is_none() && self.traces == Some(true) {
            return Err(
                Error::invalid(format!("{} is true, but {kind} takes no spans", of("traces"))).hint("leave it out")
            );
        }
        if self.metrics().is_none() && self.receipts().is_none() && self.traces().is_none() {
            return Err(Error::invalid(format!("{} is false and nothing else is pushed", of("metrics")))
                .hint("leave it out, or the whole table"));
        }
        self.check_notices(name)?;
        for (key, is_zero) in
            [("interval_seconds", self.interval_seconds == 0), ("timeout_seconds", self.timeout_seconds == 0)]
        {
            if is_zero {
                return Err(Error::invalid(format!("{} is 0", of(key))).hint("the least is 1"));
            }
        }
        for (header, value) in &self.headers {
            if HeaderName::try_from(header).is_err() || HeaderValue::from_bytes(value.expose()).is_err() {
                return Err(Error::invalid(format!("{} is no header of HTTP", of(&format!("headers.\"{header}\"")))));
            }
        }
        if HeaderValue::try_from(self.token()).is_err() {
            return Err(Error::invalid(format!("{} cannot be sent: it has a line break or the like", of("token"))));
        }
        Ok(())
    }

    /// Where it goes to, and, of mail, from whom and to whom.
    fn check_address(&self, name: &str) -> Result<()> {
        let of = |key: &str| format!("configuration: exports.{name}.{key}");
        let (kind, by) = (self.kind.name, self.kind.by);
        let refuse =
            |given: &[(&str, bool)], is_taken: bool, why: &str| match given.iter().find(|(_, is_given)| *is_given) {
                Some((key, _)) if !is_taken => {
                    Err(Error::invalid(format!("{} is set, but {kind} {why}", of(key))).hint("leave it out"))
                }
                _ => Ok(()),
            };
        refuse(&[("url", self.url.is_some())], by != By::File, "has a path")?;
        refuse(&[("path", self.path.is_some())], by == By::File, "is no file")?;
        let is_mail = by == By::Mail;
        let receipts = self.kind.receipts.iter().chain(&self.kind.traces).map(|route| (route.url)(self));
        let urls = self.kind.metrics.iter().map(|route| (route.url)(self)).chain(receipts);
        for url in urls.filter(|_| by != By::File) {
            let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
            shown(&url).filter(|_| email::SCHEMES.contains(&scheme) == is_mail).ok_or_else(|| {
                let key = if self.url.is_some() { "url" } else { "site" };
                let hint = if is_mail {
                    "write it as smtp://mail.example.com:587, or smtps://mail.example.com:465"
                } else {
                    "write a url as http://127.0.0.1:4318, a site as datadoghq.eu"
                };
                Error::invalid(format!("{} gives an address that is none", of(key))).hint(hint)
            })?;
        }
        let of_mail =
            [("from", self.from.is_some()), ("to", !self.to.is_empty()), ("patience", self.patience.is_some())];
        refuse(&of_mail, is_mail, "is no mail")?;
        let has_login = |url: &Url| !url.username().is_empty() || url.password().is_some();
        if is_mail && self.url.as_deref().and_then(|url| Url::parse(url).ok()).as_ref().is_some_and(has_login) {
            return Err(Error::invalid(format!(
                "{} has a user or a password in it, which nobody reads there",
                of("url")
            ))
            .hint(format!("take them out, and set {} and {}", of("user"), of("token"))));
        }
        for (key, text) in self.from.iter().map(|from| ("from", from)).chain(self.to.iter().map(|to| ("to", to))) {
            email::mailbox(&of(key), text)?;
        }
        Ok(())
    }

    fn check_notices(&self, name: &str) -> Result<()> {
        let kind = self.kind.name;
        let given = [
            ("severities", self.severities.is_some()),
            ("crossings", self.crossings.is_some()),
            ("link", self.link.is_some()),
            ("cooldown", self.cooldown.is_some()),
        ];
        if let Some((key, _)) = given.iter().find(|(_, is_given)| *is_given && self.kind.pick != Pick::Notices) {
            let told = format!("configuration: exports.{name}.{key} is set, but {kind} takes no notices");
            return Err(Error::invalid(told).hint("leave it out"));
        }
        if let Some(cooldown) = self.cooldown.filter(|cooldown| *cooldown > COOLDOWN_MAX) {
            let (given, days) = (span(cooldown), COOLDOWN_MAX.num_days());
            let told =
                format!("configuration: exports.{name}.cooldown is {given}, and what was told is known for {days} d");
            return Err(Error::invalid(told).hint(format!("write {days}d at most")));
        }
        let known = ["critical", "warning", "info"];
        match self.severities.iter().flatten().find(|severity| !known.contains(&severity.as_str())) {
            Some(severity) => Err(Error::invalid(format!(
                "configuration: exports.{name}.severities has \"{severity}\", which is no severity"
            ))
            .hint(format!("known are {}", known.join(", ")))),
            None => Ok(()),
        }
    }
}
