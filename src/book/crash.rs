//! The crash net: named points around every durable step, at which a test lets the process die.
//!
//! Only debug builds look at the environment. `TOLLBOOK_CRASH_AT=name[:nth]` aborts the process at the nth pass
//! (the first without a number); `TOLLBOOK_CRASH_TRACE=file` appends the name of every point passed, so that a harness
//! knows what a workload passes; `TOLLBOOK_PLANT=name` plants a known defect, so that a harness can prove it sees.

/// Every point, in the order of the protocols. A harness walks this list; a pass of an unlisted name is a bug.
pub const POINTS: &[&str] = &[
    "create.folder-made",
    "create.before-commit",
    "create.committed",
    "land.cursor-ahead",
    "land.begun",
    "land.page-inserted",
    "land.versions-inserted",
    "land.cursor-moved",
    "land.before-commit",
    "land.committed",
    "import.file-renamed",
    "import.before-commit",
    "import.committed",
    "file.temporary-written",
    "file.renamed",
    "file.published",
    "seal.segments-published",
    "seal.archive-published",
    "seal.segments-registered",
    "seal.blobs-dropped",
    "seal.before-commit",
    "seal.committed",
    "rebuild.filled",
    "rebuild.before-commit",
    "rebuild.committed",
    "compact.published",
    "compact.before-commit",
    "compact.committed",
    "reopen.before-commit",
    "reopen.committed",
    "fact.before-commit",
    "fact.committed",
    "decision.before-commit",
    "decision.committed",
    "run.before-commit",
    "run.committed",
    "pull.committed",
    "finalise.charges-published",
    "finalise.document-inserted",
    "finalise.before-commit",
    "finalise.committed",
    "sweep.removed",
    "checkpoint.done",
];

/// The planted defect that moves the cursor in a transaction of its own, before the page.
pub const CURSOR_BEFORE_PAGE: &str = "cursor-before-page";

/// Passes a point; the process dies here when the environment asks for it.
#[cfg(debug_assertions)]
pub fn point(name: &'static str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ARMED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static PASSES: AtomicU64 = AtomicU64::new(0);

    debug_assert!(POINTS.contains(&name), "the crash point {name} is not listed");
    trace(name);
    let armed = ARMED.get_or_init(|| {
        let text = std::env::var("TOLLBOOK_CRASH_AT").ok()?;
        match text.split_once(':') {
            Some((name, nth)) => Some((name.to_owned(), nth.parse().ok()?)),
            None => Some((text, 1)),
        }
    });
    if let Some((armed_name, nth)) = armed
        && armed_name == name
        && PASSES.fetch_add(1, Ordering::SeqCst) + 1 == *nth
    {
        std::process::abort();
    }
}

/// Writes a passed point to the trace, if one is asked for. A trace that cannot be written is a harness without eyes.
#[cfg(debug_assertions)]
fn trace(name: &str) {
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::sync::OnceLock;

    static TRACE: OnceLock<Option<File>> = OnceLock::new();
    let file = TRACE.get_or_init(|| {
        let path = std::env::var_os("TOLLBOOK_CRASH_TRACE")?;
        Some(OpenOptions::new().create(true).append(true).open(path).expect("the trace can be opened"))
    });
    if let Some(mut file) = file.as_ref() {
        file.write_all(format!("{name}\n").as_bytes()).expect("the trace can be written");
    }
}

/// Passes a point; release builds do nothing.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_name: &'static str) {}

/// Whether a known defect is planted; never in release builds.
pub(super) fn planted(defect: &str) -> bool {
    cfg!(debug_assertions) && std::env::var("TOLLBOOK_PLANT").is_ok_and(|planted| planted == defect)
}
