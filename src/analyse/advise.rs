//! Recommendations: what the rows of the queries that carry advice say to do, the most urgent and rewarding first.

use oxrdf::Term;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::query::{Advice, Answered, CannedQuery};
use crate::receipt::ReceiptId;
use crate::record::Window;
use crate::vocab::Vocabulary;

/// Type of the columns that hold the receipts a row rests on.
const RECEIPT: &str = "receipt";
/// Type of the columns that tell a recommendation from others of its query.
const TEXT: &str = "text";
/// The column that says what to do, where a row knows better than its query.
const ACTION: &str = "action";

/// Everything recommended for a window.
#[derive(Debug, Clone)]
pub struct Advised {
    /// The window that was looked at.
    pub window: Window,
    /// What to do, most urgent first.
    pub recommendations: Vec<Recommendation>,
    /// Queries that could not be answered, and why.
    pub failed: Vec<Failed>,
    /// Were there more?
    pub truncated: bool,
}

impl Advised {
    /// What is about one component.
    #[must_use]
    pub fn of_component(&self, name: &str) -> Self {
        let mut own = self.clone();
        own.recommendations.retain(|recommendation| recommendation.component.as_deref() == Some(name));
        own
    }
}

/// A query that could not be answered.
#[derive(Debug, Clone, Serialize)]
pub struct Failed {
    /// Its id.
    pub query: String,
    /// What went wrong.
    pub problem: String,
}

/// Something to do, and why.
#[derive(Debug, Clone)]
pub struct Recommendation {
    /// The query whose row it is, which is also its type.
    pub query: String,
    /// A few words.
    pub title: String,
    /// What to do.
    pub advice: Advice,
    /// Where, if it is about one component.
    pub component: Option<String>,
    /// What was found, by the names of the query's columns.
    pub found: Map<String, Json>,
    /// What the column `value` means.
    pub measure: Option<String>,
    /// What else it is about: its texts, such as the name of a metric, but no figures and times.
    pub about: Vec<String>,
    /// The receipts it rests on.
    pub because: Vec<ReceiptId>,
    /// Path and query that show what was found again.
    pub show: String,
}

/// One recommendation for each row.
pub fn recommendations(
    query: &CannedQuery,
    answered: &Answered,
    given: &[(String, String)],
    vocabulary: &Vocabulary,
) -> Vec<Recommendation> {
    let Some(advice) = &query.advice else { return Vec::new() };
    let pairs = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    let holds =
        |name: &str| query.columns.iter().find(|column| column.name == name).map(|column| column.holds.as_str());
    let measure = query.columns.iter().find(|column| column.name == "value").map(|column| column.description.clone());
    let rows = answered.rows.rows.iter().zip(answered.rows.to_json(vocabulary));
    rows.map(|(terms, json)| {
        let Json::Object(mut found) = json else { unreachable!("rows are objects") };
        let cited = answered.rows.columns.iter().zip(terms).filter(|(name, _)| holds(name) == Some(RECEIPT));
        let mut because: Vec<ReceiptId> = cited.filter_map(|(_, term)| receipt(term.as_ref()?)).collect();
        because.dedup();
        found.retain(|name, _| holds(name) != Some(RECEIPT));
        let about = found.iter().filter(|(name, _)| holds(name) == Some(TEXT) && *name != ACTION);
        let about = about.filter_map(|(_, json)| json.as_str().map(str::to_owned)).collect();
        let component = match found.remove("component") {
            Some(Json::String(component)) => Some(component),
            _ => None,
        };
        let action = match found.remove(ACTION) {
            Some(Json::String(action)) => action,
            _ => advice.action.clone(),
        };
        Recommendation {
            query: query.id.clone(),
            title: query.title.clone(),
            advice: Advice { action, ..advice.clone() },
            component,
            found,
            measure: measure.clone(),
            about,
            because,
            show: format!("/v1/queries/{}?{pairs}", query.id),
        }
    })
    .collect()
}

/// The most urgent first; of equally urgent ones what brings most for its effort.
pub fn rank(recommendations: &mut [Recommendation]) {
    recommendations.sort_by(|a, b| {
        let worth = |recommendation: &Recommendation| recommendation.advice.worth();
        (a.advice.priority.cmp(&b.advice.priority))
            .then_with(|| worth(b).total_cmp(&worth(a)))
            .then_with(|| a.query.cmp(&b.query))
            .then_with(|| a.component.cmp(&b.component))
            .then_with(|| a.because.cmp(&b.because))
    });
}

fn receipt(term: &Term) -> Option<ReceiptId> {
    match term {
        Term::NamedNode(iri) => ReceiptId::from_iri(iri.as_ref()),
        _ => None,
    }
}
