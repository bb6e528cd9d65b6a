//! The one error type: six kinds a caller can act on, a message, and hints on what to do next.

use std::fmt;

/// What the caller can do about an [`Error`]; decides HTTP status and exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Kind {
    /// The request is wrong; sending it again unchanged will fail again.
    Invalid,
    /// The thing named does not exist.
    NotFound,
    /// The request contradicts what is already there.
    Conflict,
    /// Not now: overloaded, shutting down, or out of time. Try again.
    Unavailable,
    /// Not allowed: wrong or missing signature or token.
    Forbidden,
    /// A defect or a broken disk; details are in the log.
    Internal,
}

/// A failure with its [`Kind`], a message in plain words, and hints.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    hints: Vec<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Shorthand for results with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of `kind`.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hints: Vec::new(), source: None }
    }

    /// The request is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// The thing named does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    /// The request contradicts what is there.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    /// Not now; the caller may try again.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, message)
    }

    /// Not allowed.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, message)
    }

    /// A defect or a failing machine.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what caused this.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The message without hints and cause.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Message and hints in one line, for places that take no more.
    pub fn in_a_line(&self) -> String {
        self.hints.iter().fold(self.to_string(), |line, hint| format!("{line}; {hint}"))
    }

    /// What to do next, in order.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(source) = &self.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|s| s as _)
    }
}

/// Adds a message to a foreign error on its way out, keeping it as the cause.
pub(crate) trait Context<T> {
    /// The failure is the machine's: disk, memory, or a defect.
    fn internal(self, message: impl Into<String>) -> Result<T>;
    /// The failure is in what the caller sent.
    fn invalid(self, message: impl Into<String>) -> Result<T>;
}

impl<T, E: Into<Box<dyn std::error::Error + Send + Sync>>> Context<T> for std::result::Result<T, E> {
    fn internal(self, message: impl Into<String>) -> Result<T> {
        self.map_err(|e| Error::internal(message).because(e))
    }

    fn invalid(self, message: impl Into<String>) -> Result<T> {
        self.map_err(|e| Error::invalid(message).because(e))
    }
}
