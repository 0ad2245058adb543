//! Publishing: the only part of this module that touches the disk.
//!
//! A folder is published whole. The new tree is written and synced beside the target under a hidden name, the old one
//! is renamed away, the new one is renamed into place, the old one is deleted. Whenever the machine stops, one whole
//! tree exists: the old one under its own or its hidden name, or the new one. [`recover`] finishes or undoes what was
//! interrupted; publishing begins with it. One publisher at a time: the caller holds the lock of the book.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::{OutputFile, manifest};
use crate::domain::{Exit, Failure, Result};

/// Threads that write files.
const WRITERS: usize = 8;

/// What publishing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// There was no such folder.
    Created,
    /// The folder had other content, which is gone.
    Replaced,
    /// The folder already had exactly these bytes; nothing was written.
    Unchanged,
}

/// Makes `target` hold exactly these files. The folder belongs to the program: it is replaced whole, and its manifest
/// is what marks it.
///
/// # Errors
/// Paths that leave the folder or meet each other, or no manifest among the files (exit 1); a target that is not a
/// folder of ours (exit 2); a disk that is full or failing (exit 8). The target is untouched after an error that comes
/// before the first rename, and whole after every other.
pub fn publish(target: &Path, files: &[OutputFile]) -> Result<Published> {
    let tree = Tree::of(files)?;
    let places = Places::of(target)?;
    create_folders(&places.parent)?;
    recover(target)?;
    let present = present(target)?;
    if present {
        refuse_strangers(target)?;
        if tree.equals(target)? {
            return Ok(Published::Unchanged);
        }
    }
    tree.write(&places.new)?;
    if present {
        rename(target, &places.old)?;
        sync_folder(&places.parent)?;
    }
    rename(&places.new, target)?;
    sync_folder(&places.parent)?;
    remove(&places.old)?;
    Ok(if present { Published::Replaced } else { Published::Created })
}

/// Finishes or undoes a publication that was interrupted: afterwards the target is whole (or absent, when it never
/// existed) and nothing is left beside it. Safe to call at any time under the lock.
///
/// # Errors
/// A disk that is failing (exit 8).
pub fn recover(target: &Path) -> Result<()> {
    let places = Places::of(target)?;
    if present(&places.old)? && !present(target)? {
        // The old tree is renamed away only after the new one is complete and synced.
        let whole = if present(&places.new)? { &places.new } else { &places.old };
        rename(whole, target)?;
        sync_folder(&places.parent)?;
    }
    remove(&places.new)?;
    remove(&places.old)
}

/// The target's neighbours.
struct Places {
    parent: PathBuf,
    new: PathBuf,
    old: PathBuf,
}

impl Places {
    fn of(target: &Path) -> Result<Places> {
        let name = target.file_name().ok_or_else(|| {
            Failure::new(Exit::Usage, format!("{} does not name a folder to publish to", target.display()))
        })?;
        let parent = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let beside = |ending: &str| {
            let mut hidden = std::ffi::OsString::from(".");
            hidden.push(name);
            hidden.push(ending);
            parent.join(hidden)
        };
        Ok(Places { new: beside(".tollbook-new"), old: beside(".tollbook-old"), parent })
    }
}

/// Writes one file, whole or not at all: under another name beside it, synced, then renamed.
///
/// # Errors
/// A path without a name (exit 2), a disk that is full or failing (exit 8).
pub fn publish_file(target: &Path, bytes: &[u8]) -> Result<()> {
    let places = Places::of(target)?;
    create_folders(&places.parent)?;
    if present(&places.new)? {
        fs::remove_file(&places.new)
            .map_err(|error| Failure::io(&error, format!("removing {}", places.new.display())))?;
    }
    write_file(&places.new, bytes)
        .map_err(|error| Failure::io(&error, format!("writing {}", places.new.display())))?;
    rename(&places.new, target)?;
    sync_folder(&places.parent)
}

/// Files by path, with the folders they need.
struct Tree<'a> {
    files: BTreeMap<&'a str, &'a [u8]>,
    /// Parents come before their children.
    folders: BTreeSet<&'a str>,
}

impl<'a> Tree<'a> {
    fn of(files: &'a [OutputFile]) -> Result<Tree<'a>> {
        let mut tree = Tree { files: BTreeMap::new(), folders: BTreeSet::new() };
        for file in files {
            if !is_inside(&file.path) {
                return Err(bug(format!("{:?} is not a path inside an output folder", file.path)));
            }
            if tree.files.insert(&file.path, &file.bytes).is_some() {
                return Err(bug(format!("two files are called {}", file.path)));
            }
            tree.folders.extend(file.path.match_indices('/').map(|(end, _)| &file.path[..end]));
        }
        if let Some(path) = tree.files.keys().find(|path| tree.folders.contains(**path)) {
            return Err(bug(format!("{path} is a file and a folder")));
        }
        if !tree.files.contains_key(manifest::FILE_NAME) {
            return Err(bug(format!("an output folder without {} was to be published", manifest::FILE_NAME)));
        }
        Ok(tree)
    }

    /// Writes and syncs the tree into a folder that does not exist yet.
    fn write(&self, root: &Path) -> Result<()> {
        create_folder(root)?;
        for folder in &self.folders {
            create_folder(&root.join(folder))?;
        }
        self.write_files(root)?;
        for folder in self.folders.iter().rev() {
            sync_folder(&root.join(folder))?;
        }
        sync_folder(root)
    }

    /// Several threads, because each file waits for the disk twice and the disk serves many waiters at once.
    fn write_files(&self, root: &Path) -> Result<()> {
        let files: Vec<(&str, &[u8])> = self.files.iter().map(|(path, bytes)| (*path, *bytes)).collect();
        let share = files.len().div_ceil(WRITERS).max(1);
        std::thread::scope(|scope| {
            let writers: Vec<_> =
                files.chunks(share).map(|files| scope.spawn(move || write_all(root, files))).collect();
            let results: Vec<Result<()>> = writers
                .into_iter()
                .map(|writer| writer.join().unwrap_or_else(|_| Err(bug("a writer stopped".to_owned()))))
                .collect();
            results.into_iter().collect()
        })
    }

    /// Whether a folder on disk holds these files with these bytes and nothing else.
    fn equals(&self, root: &Path) -> Result<bool> {
        let mut found = 0_usize;
        let mut folders = vec![(root.to_path_buf(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            let reading = |error: io::Error| Failure::io(&error, format!("reading {}", folder.display()));
            for entry in fs::read_dir(&folder).map_err(reading)? {
                let entry = entry.map_err(reading)?;
                let Ok(name) = entry.file_name().into_string() else { return Ok(false) };
                let path = format!("{prefix}{name}");
                let kind = entry.file_type().map_err(reading)?;
                if kind.is_dir() && self.folders.contains(path.as_str()) {
                    folders.push((entry.path(), format!("{path}/")));
                    continue;
                }
                let Some(expected) = self.files.get(path.as_str()).filter(|_| kind.is_file()) else {
                    return Ok(false);
                };
                if fs::read(entry.path()).map_err(reading)? != **expected {
                    return Ok(false);
                }
                found += 1;
            }
        }
        Ok(found == self.files.len())
    }
}

/// Relative, forward, and made of ordinary parts only.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0']))
}

/// Replacing a folder deletes what is in it: only a folder with our manifest, or an empty one, may be replaced.
fn refuse_strangers(target: &Path) -> Result<()> {
    let doing = || format!("looking at {}", target.display());
    let kind = fs::symlink_metadata(target).map_err(|error| Failure::io(&error, doing()))?;
    let refuse = |what: &str| {
        Err(Failure::new(Exit::Usage, format!("{} {what}, so it is not replaced", target.display()))
            .hint("Choose another output folder, or move what is there."))
    };
    if !kind.is_dir() {
        return refuse("is not a folder");
    }
    let mut entries = fs::read_dir(target).map_err(|error| Failure::io(&error, doing()))?;
    if entries.next().is_some() && !present(&target.join(manifest::FILE_NAME))? {
        return refuse("holds files and no manifest of an earlier run");
    }
    Ok(())
}

fn present(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::io(&error, format!("looking at {}", path.display()))),
    }
}

/// Creates the folders above a target; each new name is synced in the folder that holds it.
fn create_folders(path: &Path) -> Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let above = path.parent().unwrap_or(Path::new(""));
    create_folders(above)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => {
            return Err(Failure::io(&error, format!("creating {}", path.display())));
        }
        _ => {}
    }
    sync_folder(if above.as_os_str().is_empty() { Path::new(".") } else { above })
}

/// What a payer called and wrote to is personal: folders and files are for their owner alone.
fn create_folder(path: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| Failure::io(&error, format!("creating {}", path.display())))
}

fn write_all(root: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    for (path, bytes) in files {
        let path = root.join(path);
        write_file(&path, bytes)
            .map_err(|error| Failure::io(&error, format!("writing {}", path.display())))?;
    }
    Ok(())
}

fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to)
        .map_err(|error| Failure::io(&error, format!("renaming {} to {}", from.display(), to.display())))
}

/// A name is on disk only when its folder is; other systems than Unix have no such call and need none.
fn sync_folder(path: &Path) -> Result<()> {
    if cfg!(unix) {
        let synced = File::open(path).and_then(|folder| folder.sync_all());
        synced.map_err(|error| Failure::io(&error, format!("syncing {}", path.display())))?;
    }
    Ok(())
}

/// Removes one of our leftovers; a symbolic link is removed, not followed.
fn remove(path: &Path) -> Result<()> {
    if !present(path)? {
        return Ok(());
    }
    fs::remove_dir_all(path).map_err(|error| Failure::io(&error, format!("removing {}", path.display())))
}

fn bug(message: String) -> Failure {
    Failure::new(Exit::Bug, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, content: &str) -> OutputFile {
        OutputFile { path: path.to_owned(), bytes: content.as_bytes().to_vec() }
    }

    fn tree(content: &str) -> Vec<OutputFile> {
        vec![file("manifest.json", content), file("a/b/c.csv", content), file("index.html", content)]
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn holds(target: &Path, content: &str) -> bool {
        Tree::of(&tree(content)).unwrap().equals(target).unwrap()
    }

    #[test]
    fn a_folder_is_created_then_left_alone_then_replaced() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("out/2026-10");
        assert_eq!(publish(&target, &tree("one")).unwrap(), Published::Created);
        let before = fs::metadata(target.join("index.html")).unwrap().modified().unwrap();
        assert_eq!(publish(&target, &tree("one")).unwrap(), Published::Unchanged);
        assert_eq!(fs::metadata(target.join("index.html")).unwrap().modified().unwrap(), before);
        fs::write(target.join("a/extra"), "x").unwrap();
        assert_eq!(publish(&target, &tree("one")).unwrap(), Published::Replaced);
        assert_eq!(publish(&target, &tree("two")).unwrap(), Published::Replaced);
        assert!(holds(&target, "two"));
        assert_eq!(names(&home.path().join("out")), ["2026-10"]);
    }

    #[test]
    fn whatever_a_crash_leaves_behind_becomes_one_whole_tree() {
        // Each case: what stands under the target, the new and the old name, and what must stand afterwards.
        for (target_has, new_has, old_has, expected) in [
            (None, Some("part"), None, None),
            (Some("old"), Some("part"), None, Some("old")),
            (None, Some("new"), Some("old"), Some("new")),
            (Some("new"), None, Some("old"), Some("new")),
            (None, None, Some("old"), Some("old")),
        ] {
            let home = tempfile::tempdir().unwrap();
            let target = home.path().join("2026-10");
            let places = Places::of(&target).unwrap();
            for (place, content) in [(&target, target_has), (&places.new, new_has), (&places.old, old_has)] {
                if let Some(content) = content {
                    Tree::of(&tree(content)).unwrap().write(place).unwrap();
                }
            }
            recover(&target).unwrap();
            match expected {
                Some(content) => assert!(holds(&target, content), "{content}"),
                None => assert!(!target.exists()),
            }
            publish(&target, &tree("next")).unwrap();
            assert!(holds(&target, "next"));
            assert_eq!(names(home.path()), ["2026-10"]);
        }
    }

    #[test]
    fn a_file_is_replaced_whole_also_after_a_crash() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("coding/2026-10.csv");
        publish_file(&target, b"one").unwrap();
        fs::write(Places::of(&target).unwrap().new, b"par").unwrap();
        publish_file(&target, b"two").unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"two");
        assert_eq!(names(&home.path().join("coding")), ["2026-10.csv"]);
    }

    #[test]
    fn a_folder_of_someone_else_is_not_replaced() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("letter.txt"), "dear").unwrap();
        assert_eq!(publish(home.path(), &tree("one")).unwrap_err().exit(), Exit::Usage);
        let taken = home.path().join("letter.txt");
        assert_eq!(publish(&taken, &tree("one")).unwrap_err().exit(), Exit::Usage);
        assert_eq!(fs::read_to_string(taken).unwrap(), "dear");
        let empty = home.path().join("empty");
        fs::create_dir(&empty).unwrap();
        assert_eq!(publish(&empty, &tree("one")).unwrap(), Published::Replaced);
    }

    #[test]
    fn paths_stay_inside_and_apart() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("out");
        for path in [
            "../x",
            "/x",
            "a//b",
            "a/./b",
            "a/../b",
            "",
            "a\\b",
            "c:x",
            "a/",
            "manifest.json",
            "a",
            "a/b/c.csv/d",
        ] {
            let mut files = tree("one");
            files.push(file(path, "x"));
            assert_eq!(publish(&target, &files).unwrap_err().exit(), Exit::Bug, "{path:?}");
        }
        assert_eq!(publish(&target, &tree("one")[1..]).unwrap_err().exit(), Exit::Bug, "no manifest");
        assert!(names(home.path()).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_the_target_or_a_leftover_is_never_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let home = tempfile::tempdir().unwrap();
        let elsewhere = home.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("kept"), "kept").unwrap();
        let target = home.path().join("out");
        symlink(&elsewhere, &target).unwrap();
        assert_eq!(publish(&target, &tree("one")).unwrap_err().exit(), Exit::Usage);
        fs::remove_file(&target).unwrap();
        symlink(&elsewhere, Places::of(&target).unwrap().new).unwrap();
        publish(&target, &tree("one")).unwrap();
        assert!(elsewhere.join("kept").exists());
        let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(target.clone()), mode(target.join("a/b/c.csv"))), (0o700, 0o600));
    }
}
