//! A channel is tried: a notice of nothing, and its end.

use super::post::Outcome;
use super::way::Way;
use crate::clock::Timestamp;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::export::told::{Pick, Told};
use crate::receipt::{Receipt, Value};
use crate::record::Recorded;
use crate::vocab::nearest;

const NAME: &str = "Test";

/// Sends a notice of an alert that is none, and then its end, so that nothing stays open.
///
/// # Errors
/// `NotFound` without such an export, `Invalid` for one that nobody reads or that is configured wrongly, `Unavailable`
/// with what the tool said when it did not take it.
pub fn try_out(engine: &Engine, name: &str) -> Result<()> {
    let exports = &engine.config().exports;
    let export = exports.get(name).ok_or_else(|| {
        let error = Error::not_found(format!("there is no export {name}"));
        error.hint(match nearest(name, exports.keys()) {
            Some(meant) => format!("did you mean {meant}?"),
            None => "naze exports lists them".to_owned(),
        })
    })?;
    export.check(name)?;
    let Some(route) = export.receipts().filter(|_| export.kind.pick == Pick::Notices) else {
        return Err(Error::invalid(format!("{} is told no notices, so there is none to try", export.kind.name))
            .hint("naze exports says whether it fails"));
    };
    let way = Way::new(export, route, engine.clock())?;
    let now = engine.clock().now();
    let firing = notice(engine, name, "firing", now);
    let resolved = Told { began: Some(firing.recorded.clone()), ..notice(engine, name, "resolved", now) };
    for told in [firing, resolved] {
        let problem = match way.send(&(route.write)(&[told], export)) {
            Outcome::Taken(_, why) if why.is_empty() => continue,
            Outcome::Taken(_, why) | Outcome::Refused(why) | Outcome::TooLarge(why) | Outcome::Later(_, why) => why,
            Outcome::Unauthorized(why) => format!("{why}; check its token and user"),
        };
        return Err(Error::unavailable(format!("exports.{name} did not take the notice: {problem}"))
            .hint(format!("mend [exports.{name}] in the configuration, and restart naze")));
    }
    Ok(())
}

/// Beginning and end have the same time in their fingerprint, and only they do: so they are one incident, and no other.
fn notice(engine: &Engine, export: &str, status: &str, now: Timestamp) -> Told {
    let summary = format!("A test of the channel {export}: nothing happened.");
    let receipt = Receipt::new("alert", now, "naze")
        .with("name", Value::text(NAME))
        .with("status", Value::text(status))
        .with("severity", Value::text("warning"))
        .with("fingerprint", Value::text(format!("test-{export}-{now}")))
        .with("summary", Value::text(summary));
    let id = receipt.id(engine.vocabulary());
    Told::alone(Recorded { id, receipt, recorded_at: now, position: 0, source: [0; 32], key: None })
}
