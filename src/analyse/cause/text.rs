//! Do two texts speak of the same thing? Words, and the concepts of operations that words belong to.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

/// Words that say nothing about what failed.
const STOP_WORDS: &str = "the and for with from into that this not was are has have per new old add fix chore refactor feat test docs \
    style perf update use error err return func string int nil http https com src pkg main service svc services api true false null none \
    const var let";

static STOP: LazyLock<HashSet<&str>> = LazyLock::new(|| STOP_WORDS.split_whitespace().collect());

/// Concepts of failure, and words that belong to them.
const CONCEPTS: [(&str, &str); 16] = [
    (
        "concurrency",
        "concurrent race deadlock mutex lock unlock locks atomic thread threads goroutine goroutines sync synchronized semaphore parallel",
    ),
    (
        "memory",
        "memory oom heap gc leak rss alloc allocation append oomkilled retained accumulates accumulate unbounded evict eviction",
    ),
    ("disk", "disk space volume inode rotate rotation filesystem debug retention verbose logging level"),
    (
        "capacity",
        "throttle throttled throttling throughput capacity quota limit ratelimit batch batching concurrency exceeded provisioned",
    ),
    (
        "time",
        "timeout timeouts deadline latency slow ttl expiry backoff retry retries attempts interval minute second minutes seconds",
    ),
    ("cache", "cache caches cached ttl hit miss evict stampede redis memcached"),
    ("pool", "pool pools connection connections conn idle exhausted maxopen keepalive"),
    ("database", "query queries sql index table migration column schema transaction select statement db database scan"),
    ("lookup", "found missing register registered registration registry lookup predefined undefined unknown resolve"),
    (
        "parsing",
        "parse parsing decode encode unmarshal marshal json schema field deserialize serialize format invalid malformed type",
    ),
    (
        "authorization",
        "auth token secret credential credentials permission permissions denied unauthorized forbidden role iam policy scope",
    ),
    ("TLS", "tls ssl certificate cert certificates x509 handshake"),
    ("DNS", "dns resolve resolver nxdomain hostname"),
    ("null values", "nil null nullpointer panic dereference undefined npe"),
    ("CPU", "cpu loop regex spin busy backtracking quadratic"),
    ("queues", "queue consumer lag partition offset backlog kafka sqs topic batch prefetch"),
];

/// The telling words of a text, in lower case; `camelCase` and `snake_case` names come apart. Repeats stay.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let bytes = text.as_bytes();
    for (place, byte) in bytes.iter().enumerate() {
        let before = place.checked_sub(1).map(|before| bytes[before]);
        let after = bytes.get(place + 1);
        let begins_hump = byte.is_ascii_uppercase()
            && (before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit())
                || (before.is_some_and(|before| before.is_ascii_uppercase())
                    && after.is_some_and(u8::is_ascii_lowercase)));
        if (begins_hump || !byte.is_ascii_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if byte.is_ascii_alphanumeric() && (!word.is_empty() || byte.is_ascii_alphabetic()) {
            word.push(char::from(byte.to_ascii_lowercase()));
        }
    }
    words.push(word);
    words.into_iter().filter(|word| word.len() > 2 && !STOP.contains(word.as_str()))
}

/// The concepts that some of the words belong to.
pub(super) fn concepts<'a>(words: impl IntoIterator<Item = &'a String>) -> BTreeSet<&'static str> {
    let belongs = |word: &str| {
        CONCEPTS
            .iter()
            .filter(move |(_, members)| members.split(' ').any(|member| member == word))
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
    };
    words.into_iter().flat_map(|word| belongs(word)).collect()
}

/// Files that cannot break a running system: documents, styles, tests, the build's own settings.
pub(super) fn is_inert(files: &str) -> bool {
    let mut files = files.split([',', ' ', '\n']).filter(|file| !file.is_empty()).peekable();
    files.peek().is_some() && files.all(is_inert_file)
}

fn is_inert_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let ending = name.rsplit('.').next().unwrap_or_default();
    let is_document = name.contains('.') && matches!(ending, "md" | "txt" | "rst" | "css" | "scss" | "svg" | "png");
    let is_test =
        name.contains("_test.") || name.contains(".test.") || name.starts_with("test_") || path.contains("/testdata/");
    let is_setting = matches!(name.as_str(), "codeowners" | "license") || name.starts_with(".golangci");
    is_document
        || is_test
        || is_setting
        || ["docs/", ".github/", ".circleci/"].iter().any(|folder| path.starts_with(folder))
}
