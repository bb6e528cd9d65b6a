//! naze (なぜ, "why") keeps evidence of what happened to a running system and answers *why did it break?* with ranked
//! causes, each resting on receipts that anyone can query again.
//!
//! # The sentence the code follows
//!
//! **receive → validate → record → query → analyse → report → export.** Modules are the verbs of that sentence, in the order of
//! the data; the nouns they share are [`receipt::Receipt`], [`record::Window`], [`query::Rows`] and
//! [`analyse::cause::Answer`]. A stage depends only on the types of stages before it.
//!
//! ```text
//! wire bytes ─receive─▶ Receipt ─validate─▶ accepted, or violations
//!                                   │
//!                    record: ledger (fsynced, hash-chained, signed) ──▶ index (Oxigraph, can be rebuilt)
//!                                                                         │
//!            query: catalogue, window, guard ◀────────────────────────────┘
//!              └▶ analyse: ranked causes ─▶ report: timeline, post-mortem
//! ```
//!
//! | room | what happens there |
//! |---|---|
//! | [`clock`] | canonical time; the only "now" |
//! | [`vocab`] | kinds and fields, read from `ontology/` |
//! | [`receipt`] | what a receipt is; its id; JSON ⇄ RDF |
//! | [`receive`] | bytes of a sender → receipts, one file per source |
//! | [`validate`] | SHACL shapes → violations in plain words |
//! | [`record`] | ledger, index, and the one thread that writes both |
//! | [`query`] | canned and ad-hoc SPARQL, bounded |
//! | [`measure`] | samples → series → crossings |
//! | [`slo`] | what is promised of a service |
//! | [`runbook`] | what to do about an alert |
//! | [`analyse`] | why it broke, how healthy it is, where a metric is heading, whether promises are kept: pure functions |
//! | [`report`] | timelines, post-mortems, reviews |
//! | [`export`] | dashboards for Grafana, metrics for Prometheus, pushes to other tools, dumps |
//! | [`engine`] | all of it over one data directory |
//! | [`chores`] | what naze does without being asked, and how often |
//! | [`asked`] | servers that naze asks: a Prometheus for series it does not keep |
//! | [`reconcile`] | asks senders for what naze missed |
//! | [`doctor`] | what around naze does not work, and how to mend it |
//! | [`web`] | pages: HTML and SVG |
//! | [`http`], [`cli`] | two doors to the engine; a CLI command is an HTTP request |
//!
//! # One receipt's way through the house
//!
//! `POST /v1/receipts` brings bytes. [`receive::receive`] turns them into [`receipt::Receipt`]s or says per receipt why
//! it cannot. [`engine::Engine::record`] names each by the hash of its content, builds one graph of the batch and lets
//! [`validate::Shapes`] judge it. What is accepted goes to the [`record::writer`]: it drops what is known already,
//! appends the rest to the [`record::ledger`] with one fsync for all requests that wait, then adds the triples to the
//! slot graphs of the [`record::store`] together with the ledger position, and only then answers. `GET /v1/why` reads
//! the receipts of a window, hands this evidence to [`analyse::cause::why`], and every term of the score that comes back
//! cites the receipts it rests on and the canned query that shows them again.
//!
//! # Invariants
//!
//! 1. A receipt is acknowledged only after its ledger entry is fsynced.
//! 2. The ledger is append-only: a correction is a new receipt that supersedes.
//! 3. The index can be deleted and rebuilt from the ledger with the same answers.
//! 4. A receipt's id is the hash of its canonical content, so sending twice is harmless.
//! 5. [`receive`], [`validate`], [`measure`], [`analyse`] and [`report`] are pure: no IO, no clock, no async.
//! 6. Bad data yields violations that name field, value, rule and fix; one bad receipt never costs the good ones.
//! 7. Every query has an order, a limit, a window and a deadline; a window's cost does not grow with the history.
//! 8. Every claim carries its receipts and a query; too little evidence gives `inconclusive` and says what is missing.
//! 9. Same evidence, same question, same bytes.
//! 10. Evidence text is data: never executed, never read as SPARQL, HTML or instructions.
//!
//! # Adding things
//!
//! | new … | do |
//! |---|---|
//! | kind of receipt | a file in `ontology/` and one in `shapes/`; a user's own: a folder named by `kinds` in the configuration |
//! | canned query | a `.rq` file in `queries/`; a user's own: a folder named by `queries` |
//! | function for queries | a row in [`query::FUNCTIONS`], what it asks in `src/query/call.rs`, how it is answered in `src/analyse/figure.rs`, a row in `docs/functions.md` |
//! | dashboard | a `.toml` file in `dashboards/`; a user's own: `naze dashboards FILE` |
//! | recommendation | a canned query with `priority`, `action`, `runbook`, `effort` and `impact` in its header |
//! | metric | a row in `src/export/prometheus/table.rs` and one in `docs/metrics.md`, and the receipts or series that tell it |
//! | runbook | a file in `runbooks/`; a user's own: a folder named by `runbooks` |
//! | export | a file in `src/export/`, a line in [`export::DESTINATIONS`], a row in `docs/exports.md` |
//! | objective | a document in `slos/`; a user's own: a folder named by `slos` |
//! | source | a file in `src/receive/`, a line in [`receive::RECEIVERS`], a row in `docs/sources.md` |
//! | threshold | an entry in `thresholds.toml`; a user's own: in the configuration |
//! | page | a file in `src/web/` and one in `src/http/pages/`, a line in `src/http/pages.rs` |
//! | route, command | a file in `src/http/api/` or `src/cli/`, a line in `src/http/api.rs` or `src/cli.rs` |

pub mod analyse;
pub mod asked;
pub mod chores;
pub mod cli;
pub mod clock;
pub mod config;
pub mod doctor;
pub mod engine;
pub mod error;
pub mod export;
pub mod http;
pub mod measure;
pub mod query;
pub mod receipt;
pub mod receive;
pub mod reconcile;
pub mod record;
pub mod report;
pub mod runbook;
pub mod secret;
pub mod slo;
pub mod telemetry;
pub mod validate;
pub mod vocab;
pub mod web;

/// Receipts are many small texts: with the system's allocator two fifths of a page's time go into it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
