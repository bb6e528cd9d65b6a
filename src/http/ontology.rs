//! `/ontology`: the vocabulary, for people's tools and for JSON-LD.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use axum::routing::get;
use oxrdfio::{RdfFormat, RdfParser, RdfSerializer};

use super::negotiate;
use super::problem::Reply;
use crate::engine::Engine;
use crate::error::Context as _;
use crate::vocab;

/// Every route of the vocabulary.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new().route("/ontology", get(ontology)).route("/ontology/context.jsonld", get(context))
}

/// The ontology as Turtle, N-Triples or JSON-LD.
async fn ontology(headers: HeaderMap) -> Reply {
    let media_type = negotiate::best(&headers, &["text/turtle", "application/n-triples", "application/ld+json"])?;
    let format = RdfFormat::from_media_type(media_type).expect("only RDF media types are offered");
    let prefixes = [
        ("naze", vocab::NAMESPACE),
        ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
        ("owl", "http://www.w3.org/2002/07/owl#"),
        ("prov", "http://www.w3.org/ns/prov#"),
        ("skos", "http://www.w3.org/2004/02/skos/core#"),
        ("xsd", "http://www.w3.org/2001/XMLSchema#"),
    ];
    let mut serializer = RdfSerializer::from_format(format);
    for (prefix, iri) in prefixes {
        serializer = serializer.with_prefix(prefix, iri).expect("these namespaces are IRIs");
    }
    let mut writer = serializer.for_writer(Vec::new());
    for (name, turtle) in vocab::ontology_documents() {
        for quad in RdfParser::from_format(RdfFormat::Turtle).for_slice(turtle) {
            let quad = quad.internal(format!("bundled ontology file {name} is broken"))?;
            writer.serialize_triple(&oxrdf::Triple::from(quad)).internal("cannot write the ontology")?;
        }
    }
    let bytes = writer.finish().internal("cannot write the ontology")?;
    Ok(([(CONTENT_TYPE, media_type)], bytes).into_response())
}

/// The JSON-LD context under which native JSON is RDF.
async fn context(State(engine): State<Arc<Engine>>) -> Reply {
    Ok(([(CONTENT_TYPE, "application/ld+json")], engine.vocabulary().json_ld_context().to_string()).into_response())
}
