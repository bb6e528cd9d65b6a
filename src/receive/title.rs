//! What senders call their runs and changes: a deployment is often told by its title only.

/// Does a title speak of a deployment, such as "Deploy to production"?
pub(super) fn is_deployment(title: &str) -> bool {
    has_word(title, |word| ["deploy", "redeploy", "rollout", "rollback"].iter().any(|start| word.starts_with(start)))
        || ["rolled out", "rolled back", "roll out", "roll back"]
            .iter()
            .any(|words| title.to_lowercase().contains(words))
}

/// Does a title speak of going back to what ran before?
pub(super) fn is_rollback(title: &str) -> bool {
    has_word(title, |word| word.starts_with("rollback"))
        || ["rolled back", "roll back"].iter().any(|words| title.to_lowercase().contains(words))
}

/// Does a title, or a result, say that something went wrong?
pub(super) fn is_failure(title: &str) -> bool {
    has_word(title, |word| word.starts_with("fail") || matches!(word, "error" | "errored" | "aborted" | "unsuccessful"))
}

/// Does a title speak of a beginning?
pub(super) fn is_start(title: &str) -> bool {
    has_word(title, |word| matches!(word, "started" | "starting" | "starts" | "begins" | "began" | "deploying"))
}

fn has_word(title: &str, matches: impl Fn(&str) -> bool) -> bool {
    title.split(|character: char| !character.is_alphanumeric()).any(|word| matches(&word.to_lowercase()))
}
