//! The project's files as text, with what the checks ask of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A Rust file.
pub struct Source {
    /// From the top of the project, with forward slashes.
    pub path: String,
    pub text: String,
    /// Whether the file is a module that only tests have.
    pub only_for_tests: bool,
}

/// Everything that belongs to the project.
pub struct Repository {
    pub files: Vec<(String, String)>,
    pub sources: Vec<Source>,
}

impl Repository {
    pub fn text(&self, path: &str) -> &str {
        let found = self.files.iter().find(|(name, _)| name == path);
        &found.unwrap_or_else(|| panic!("{path} is missing")).1
    }
}

/// The files of this project, read once.
pub fn repository() -> &'static Repository {
    static READ: OnceLock<Repository> = OnceLock::new();
    READ.get_or_init(|| {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        walk(top, top, &mut files);
        files.sort();
        let rust = files.iter().filter(|(path, _)| path.ends_with(".rs"));
        let rust: Vec<(&str, &str)> = rust.map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let sources = sources(&rust);
        assert!(sources.len() > 100, "the project's files were found");
        Repository { files, sources }
    })
}

/// Whether a file or folder is made by tools or by running the program, and no part of the project.
fn is_made(name: &str) -> bool {
    [".git", "target", "out"].contains(&name) || name.starts_with("out.") || name.ends_with(".book")
}

fn walk(top: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if is_made(&path.file_name().unwrap().to_string_lossy()) {
            continue;
        }
        if path.is_dir() {
            walk(top, &path, files);
        } else if let Ok(text) = String::from_utf8(fs::read(&path).unwrap()) {
            let name = path.strip_prefix(top).unwrap().to_string_lossy().replace('\\', "/");
            files.push((name, text));
        }
    }
}

/// Sources of paths and texts; knows which modules stand behind `#[cfg(test)]`.
pub fn sources(files: &[(&str, &str)]) -> Vec<Source> {
    let mut tested: BTreeSet<String> = BTreeSet::new();
    for (path, text) in files {
        let home = match path.strip_suffix("/mod.rs") {
            Some(folder) => folder,
            None => path.trim_end_matches(".rs"),
        };
        let lines: Vec<&str> = text.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[0].trim() == "#[cfg(test)]") {
            let module = pair[1].trim_start_matches("pub ").strip_prefix("mod ");
            if let Some(module) = module.and_then(|rest| rest.strip_suffix(';')) {
                tested.insert(format!("{home}/{module}"));
            }
        }
    }
    let only_for_tests = |path: &str| {
        path.starts_with("tests/")
            || tested.iter().any(|module| {
                path.strip_prefix(module.as_str()).is_some_and(|rest| rest.starts_with(['/', '.']))
            })
    };
    files
        .iter()
        .map(|(path, text)| Source {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
            only_for_tests: only_for_tests(path),
        })
        .collect()
}

impl Source {
    /// The folder below `src/` it belongs to; `src/main.rs` and `src/lib.rs` belong to none.
    pub fn layer(&self) -> Option<&str> {
        let below = self.path.strip_prefix("src/")?;
        match below.split_once('/') {
            Some((layer, _)) => Some(layer),
            None => below.strip_suffix(".rs").filter(|name| !["main", "lib"].contains(name)),
        }
    }

    /// How many `super::` stay inside the layer at a line: the depth of the module there.
    pub fn depth(&self, line: usize) -> usize {
        let below = self.path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
        let in_tests = line > self.production().lines().count() && self.text.lines().count() >= line;
        below.matches('/').count() + usize::from(in_tests)
    }

    /// The text before the module of unit tests.
    pub fn production(&self) -> &str {
        match self.text.find("#[cfg(test)]\nmod tests") {
            Some(at) if !self.only_for_tests => &self.text[..at],
            _ => &self.text,
        }
    }

    /// All lines with their numbers.
    pub fn all_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Lines of production code without comments.
    pub fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.production().lines().enumerate().map(|(index, line)| (index + 1, without_comment(line)))
    }

    /// Every path below `crate::` that is used, groups taken apart.
    pub fn crate_paths(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (line, text) in self.all_lines().map(|(line, text)| (line, without_comment(text))) {
            for (at, _) in text.match_indices("crate::") {
                let rest = &text[at + "crate::".len()..];
                match rest.strip_prefix('{') {
                    Some(group) => {
                        let group = group.split('}').next().unwrap_or_default();
                        found.extend(group.split(',').map(|part| (line, part.trim().to_owned())));
                    }
                    None => {
                        let length =
                            rest.bytes().take_while(|byte| is_name_byte(*byte) || *byte == b':').count();
                        let path = rest[..length].trim_end_matches(':');
                        let grouped = rest[length..].starts_with('{') && rest[..length].ends_with("::");
                        let inside = rest[length..]
                            .trim_start_matches('{')
                            .split(['}', ';'])
                            .next()
                            .unwrap_or_default();
                        match grouped {
                            true => found.extend(
                                inside.split(',').map(|part| (line, format!("{path}::{}", part.trim()))),
                            ),
                            false => found.push((line, path.to_owned())),
                        }
                    }
                }
            }
        }
        found
    }

    /// Runs of `super::` with their lengths.
    pub fn climbs(&self) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for (line, text) in self.all_lines().map(|(line, text)| (line, without_comment(text))) {
            let mut rest = text;
            while let Some(at) = rest.find("super::") {
                rest = &rest[at..];
                let mut climbs = 0;
                while let Some(after) = rest.strip_prefix("super::") {
                    climbs += 1;
                    rest = after;
                }
                found.push((line, climbs));
            }
        }
        found
    }

    /// Every function with a body: line, name, number of lines. The formatter puts its closing brace under its beginning.
    pub fn functions(&self) -> Vec<(usize, String, usize)> {
        let lines: Vec<&str> = self.text.lines().collect();
        let mut found = Vec::new();
        for (start, line) in lines.iter().enumerate() {
            let Some(name) = function_name(line) else { continue };
            let indent = &line[..line.len() - line.trim_start().len()];
            let ends = |candidate: &&&str| {
                candidate.strip_prefix(indent).is_some_and(|rest| {
                    rest.starts_with('}') || rest.ends_with(';') && !rest.starts_with(' ')
                })
            };
            let length = match line.ends_with('}') || line.ends_with(';') {
                true => 1,
                false => lines[start + 1..].iter().take_while(|line| !ends(line)).count() + 2,
            };
            found.push((start + 1, name.to_owned(), length));
        }
        found
    }
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    if let Some(after) = rest.strip_prefix("pub") {
        rest = match after.strip_prefix('(') {
            Some(scope) => scope.split_once(") ")?.1,
            None => after.trim_start(),
        };
    }
    for word in ["const ", "async "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let name = rest.strip_prefix("fn ")?;
    Some(&name[..name.bytes().take_while(|byte| is_name_byte(*byte)).count()])
}

pub fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The line without a comment of its own; `//` inside a text (an address) stays.
fn without_comment(line: &str) -> &str {
    let text = line.trim_start();
    if text.starts_with("//") {
        return "";
    }
    match line.rfind(" // ") {
        Some(at) if line[..at].matches('"').count().is_multiple_of(2) => &line[..at],
        _ => line,
    }
}

/// The fixed texts among the arguments of every call of a function.
pub fn fixed_texts_of_calls(text: &str, call: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(call) {
        let mut depth = 1;
        let mut rest = &text[at + call.len()..];
        while let (Some(letter), true) = (rest.chars().next(), depth > 0) {
            rest = &rest[letter.len_utf8()..];
            match letter {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                '"' => {
                    let end = end_of_text(rest);
                    if depth == 1 {
                        found.push(rest[..end].to_owned());
                    }
                    rest = &rest[(end + 1).min(rest.len())..];
                }
                _ => {}
            }
        }
    }
    found
}

/// Where a text that has begun ends; an escaped quote does not end it.
fn end_of_text(rest: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    rest.len()
}
