//! How an operation fails, and the exit code it ends with.
//!
//! One opaque type with a kind (the exit code), a message, the chain of what was being done, and hints. The user's
//! mistakes in rules and contacts are diagnostics, not failures; a record that cannot be billed is suspended data.

use std::fmt;

/// The exit codes of the program; this is the one place that numbers them (design, section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    Bug = 1,
    Usage = 2,
    Mistakes = 3,
    Findings = 4,
    Locked = 5,
    Service = 6,
    Verification = 7,
    Disk = 8,
    NotFinalised = 9,
}

impl Exit {
    /// The process exit code.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// When several apply, the first of 7, 8, 6, 9, 4 wins (design, section 10).
    pub fn worse(self, other: Exit) -> Exit {
        const ORDER: [Exit; 10] = [
            Exit::Bug,
            Exit::Usage,
            Exit::Mistakes,
            Exit::Locked,
            Exit::Verification,
            Exit::Disk,
            Exit::Service,
            Exit::NotFinalised,
            Exit::Findings,
            Exit::Done,
        ];
        let rank = |exit: Exit| ORDER.iter().position(|candidate| *candidate == exit);
        if rank(self) <= rank(other) { self } else { other }
    }
}

/// A failed operation: what went wrong, while doing what, and what the user can do about it.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
    context: Vec<String>,
    hints: Vec<String>,
    /// Rendered diagnostics: the user's mistakes with their excerpts.
    details: String,
}

/// The result of every operation that can fail.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure that ends the program with `exit`. The message is lower case, without a final period.
    pub fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure {
            exit,
            message: message.into(),
            context: Vec::new(),
            hints: Vec::new(),
            details: String::new(),
        }
    }

    /// Adds what was being done, outermost last.
    pub fn while_doing(mut self, context: impl Into<String>) -> Failure {
        self.context.push(context.into());
        self
    }

    /// Adds a sentence on what the user can do.
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hints.push(hint.into());
        self
    }

    /// Adds rendered diagnostics, printed before the message.
    pub fn details(mut self, details: impl Into<String>) -> Failure {
        self.details = details.into();
        self
    }

    /// The rendered diagnostics, empty when there are none.
    pub fn shown_details(&self) -> &str {
        &self.details
    }

    /// The exit code this failure asks for.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The primary message alone.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The hints, in the order they were added.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// From an I/O error: a full or failing disk is exit 8; a file that is absent or unreadable is the user's (exit 2).
    pub fn io(error: &std::io::Error, doing: impl Into<String>) -> Failure {
        use std::io::ErrorKind;
        let exit = match error.kind() {
            ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::IsADirectory
            | ErrorKind::NotADirectory => Exit::Usage,
            _ => Exit::Disk,
        };
        Failure::new(exit, error.to_string()).while_doing(doing)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for context in self.context.iter().rev() {
            write!(formatter, "{context}: ")?;
        }
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verification_wins_over_findings() {
        assert_eq!(Exit::Findings.worse(Exit::Verification), Exit::Verification);
        assert_eq!(Exit::NotFinalised.worse(Exit::Service), Exit::Service);
        assert_eq!(Exit::Done.worse(Exit::Findings), Exit::Findings);
    }
}
