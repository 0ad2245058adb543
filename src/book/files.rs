//! The only place of the book that writes files other than the database.
//!
//! A file appears under its final name whole and synced, or not at all: temporary name in the same folder, sync,
//! rename, sync of the folder. The name holds the content's hash, so that publishing twice is harmless.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use crate::domain::{Exit, Failure, Hash, Result};

use super::crash;

/// Prefix of names that were never published.
pub(super) const TEMPORARY: &str = ".new-";

/// Creates a folder (and its parents) that only its owner may read.
pub(super) fn create_folder(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| Failure::io(&error, format!("creating {}", folder.display())))
}

/// Makes the names inside a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|opened| opened.sync_all())
        .map_err(|error| Failure::io(&error, format!("syncing {}", folder.display())))
}

fn private_file(path: &Path, truncate: bool) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(truncate);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| Failure::io(&error, format!("opening {}", path.display())))
}

/// Opens (creating it if need be) the file that processes lock; its text is left alone.
pub(super) fn open_lock(path: &Path) -> Result<File> {
    private_file(path, false)
}

/// Creates an empty file that only its owner may read, unless it is there.
pub(super) fn touch(path: &Path) -> Result<()> {
    private_file(path, false)?
        .sync_all()
        .map_err(|error| Failure::io(&error, format!("syncing {}", path.display())))
}

/// Replaces the text of an open file, for people to read; nothing depends on it.
pub(super) fn replace_text(file: &mut File, text: &str) -> std::io::Result<()> {
    use std::io::{Seek, SeekFrom};
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text.as_bytes())
}

/// Publishes bytes under a name; afterwards the file is durable.
pub(super) fn publish(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    publish_all(folder, &[(name.to_owned(), bytes)])
}

/// Publishes several files of one folder; afterwards all are durable.
pub(super) fn publish_all(folder: &Path, named: &[(String, &[u8])]) -> Result<()> {
    let temporary = |name: &str| folder.join(format!("{TEMPORARY}{name}"));
    let failed = |name: &str, error: &std::io::Error| {
        Failure::io(error, format!("writing {}", folder.join(name).display()))
    };
    for (name, bytes) in named {
        let mut file = private_file(&temporary(name), true)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|error| failed(name, &error))?;
        crash::point("file.temporary-written");
    }
    // Equal bytes have one name: the second rename would not find its file.
    for name in named.iter().map(|(name, _)| name).collect::<BTreeSet<_>>() {
        fs::rename(temporary(name), folder.join(name)).map_err(|error| failed(name, &error))?;
        crash::point("file.renamed");
    }
    sync_folder(folder)?;
    crash::point("file.published");
    Ok(())
}

/// Removes a file that nothing refers to.
pub(super) fn remove(path: &Path) -> Result<()> {
    fs::remove_file(path).map_err(|error| Failure::io(&error, format!("removing {}", path.display())))
}

/// The names of the files in a folder, sorted.
pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    let failed = |error: std::io::Error| Failure::io(&error, format!("listing {}", folder.display()));
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Reads a registered file and checks its bytes against the hash it was registered with.
pub(super) fn read_checked(path: &Path, hash: &Hash) -> Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(|error| {
        let exit = match error.kind() {
            std::io::ErrorKind::NotFound => Exit::Verification,
            _ => Failure::io(&error, "").exit(),
        };
        Failure::new(exit, error.to_string()).while_doing(format!("reading {}", path.display()))
    })?;
    if Hash::of(&bytes) != *hash {
        return Err(Failure::new(
            Exit::Verification,
            format!("{} does not have the bytes it was registered with", path.display()),
        )
        .hint("Nothing is computed from a changed file; `tollbook verify` says what can be made again."));
    }
    Ok(bytes)
}

/// Length of a file in bytes; 0 when it does not exist.
pub(super) fn length_bytes(path: &Path) -> Result<u64> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(Failure::io(&error, format!("measuring {}", path.display()))),
    }
}
