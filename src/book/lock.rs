//! One writer at a time: a lock that the kernel frees when its holder dies.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::domain::{Exit, Failure, Result};

use super::files;

/// Holds the book for one process until dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock or says at once who holds it (exit 5). The file's text is for that message only.
    pub(super) fn take(path: &Path, purpose: &str) -> Result<Lock> {
        let mut file = files::open_lock(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(path)),
            Err(TryLockError::Error(error)) => {
                return Err(Failure::io(&error, format!("locking {}", path.display())));
            }
        }
        let text = format!("process {}: {purpose}\n", std::process::id());
        files::replace_text(&mut file, &text)
            .map_err(|error| Failure::io(&error, format!("writing {}", path.display())))?;
        Ok(Lock { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A text left behind would only name the wrong holder in a message; the lock itself goes with the handle.
        files::replace_text(&mut self.file, "").ok();
    }
}

fn held(path: &Path) -> Failure {
    let holder = std::fs::read_to_string(path).unwrap_or_else(|error| format!("unreadable holder: {error}"));
    let holder = match holder.trim() {
        "" => "another process",
        text => text,
    };
    Failure::new(Exit::Locked, format!("the book is held by {holder}")).hint(
        "Wait until it has finished; the lock is freed by itself when that process ends, however it ends.",
    )
}
