//! Golden files: what an output looked like when a person last approved it.

use std::path::PathBuf;

use super::OutputFile;

/// Compares a file with `fixtures/golden/output/<set>/<path>`; with `UPDATE_GOLDEN=1` writes it there instead.
pub(super) fn check(set: &str, file: &OutputFile) {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/golden/output").join(set).join(&file.path);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(path.parent().expect("a golden file has a folder")).unwrap();
        std::fs::write(&path, &file.bytes).unwrap();
        return;
    }
    let golden = std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; UPDATE_GOLDEN=1 writes it", path.display()));
    if golden == file.bytes {
        return;
    }
    let (golden, written) = (String::from_utf8_lossy(&golden), String::from_utf8_lossy(&file.bytes));
    let difference = golden.lines().zip(written.lines()).position(|(left, right)| left != right);
    let line = difference.unwrap_or_else(|| golden.lines().count().min(written.lines().count()));
    panic!(
        "{} differs at line {}:\n- {}\n+ {}\nUPDATE_GOLDEN=1 accepts the change",
        path.display(),
        line + 1,
        golden.lines().nth(line).unwrap_or(""),
        written.lines().nth(line).unwrap_or(""),
    );
}
