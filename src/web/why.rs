//! Why is a component in trouble? The question without an incident.

use maud::html;

use super::{Place, answer, brief, component_link, page, time};
use crate::analyse::cause::Answer;
use crate::record::Recorded;

/// The page.
pub fn render(answer: &Answer, evidence: &[Recorded]) -> String {
    let question = &answer.question;
    let title = format!("Why is {} in trouble?", brief(&question.component));
    let main = html! {
        h1 { (title) }
        p { (component_link(&question.component)) " as of " (time(question.at)) @if let Some(onset) = question.onset { ", onset " (time(onset)) } }
        (answer::sections(answer, evidence, None, |_| html! {}))
    };
    page(&title, Place::Elsewhere, &main)
}
