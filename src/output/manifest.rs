//! `manifest.json`: what a run read and what it wrote, by hash.

use serde::Serialize;

use super::OutputFile;
use super::json::{self, JsonPeriod};
use crate::domain::Hash;
use crate::domain::time::Period;

/// The name of the manifest's file; it marks a folder as one of ours.
pub const FILE_NAME: &str = "manifest.json";

/// What a run was made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The hash of the inputs and the derivation version, as text.
    pub run_id: String,
    pub period: Period,
    /// Version of the rules of derivation; a change of it may change results.
    pub derivation_version: String,
    /// Version of the time-zone data that periods and bands were made with: `2025b`.
    pub timezone_data: String,
    /// Made from the sandbox.
    pub specimen: bool,
    /// Every input with the hash of its bytes, or of its canonical record digests. Sorted by name when written.
    pub inputs: Vec<(String, Hash)>,
    /// Tariff and name of each rate that was in force in the period and matched nothing, sorted.
    pub rates_matching_nothing: Vec<(String, String)>,
}

#[derive(Serialize)]
struct Facts<'a> {
    format: &'static str,
    run: &'a str,
    specimen: bool,
    period: JsonPeriod,
    derivation_version: &'a str,
    timezone_data: &'a str,
    hash: &'static str,
    inputs: Vec<Input<'a>>,
    outputs: Vec<Output<'a>>,
    rates_matching_nothing: Vec<RateName<'a>>,
}

#[derive(Serialize)]
struct RateName<'a> {
    tariff: &'a str,
    rate: &'a str,
}

#[derive(Serialize)]
struct Input<'a> {
    name: &'a str,
    hash: String,
}

#[derive(Serialize)]
struct Output<'a> {
    path: &'a str,
    hash: String,
    bytes: usize,
}

/// `manifest.json` for these files, sorted by path; the manifest itself is not listed.
pub fn manifest_json(manifest: &Manifest, files: &[OutputFile]) -> OutputFile {
    let mut inputs: Vec<Input<'_>> =
        manifest.inputs.iter().map(|(name, hash)| Input { name, hash: hash.hex() }).collect();
    inputs.sort_by(|left, right| (left.name, &left.hash).cmp(&(right.name, &right.hash)));
    let mut outputs: Vec<Output<'_>> = files
        .iter()
        .filter(|file| file.path != FILE_NAME)
        .map(|file| Output { path: &file.path, hash: Hash::of(&file.bytes).hex(), bytes: file.bytes.len() })
        .collect();
    outputs.sort_by_key(|output| output.path);
    let bytes = json::bytes(&Facts {
        format: "tollbook manifest 1",
        run: &manifest.run_id,
        specimen: manifest.specimen,
        period: JsonPeriod::from(&manifest.period),
        derivation_version: &manifest.derivation_version,
        timezone_data: &manifest.timezone_data,
        hash: "BLAKE3",
        inputs,
        outputs,
        rates_matching_nothing: manifest
            .rates_matching_nothing
            .iter()
            .map(|(tariff, rate)| RateName { tariff, rate })
            .collect(),
    });
    OutputFile { path: FILE_NAME.to_owned(), bytes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{golden, samples};

    #[test]
    fn a_manifest_does_not_depend_on_the_order_of_its_parts() {
        let file = |path: &str| OutputFile { path: path.to_owned(), bytes: path.as_bytes().to_vec() };
        let mut manifest = samples::manifest();
        let files = [file("b.csv"), file("a/b.json")];
        let written = manifest_json(&manifest, &files);
        golden::check("run", &written);
        manifest.inputs.reverse();
        let reversed: Vec<OutputFile> = files.iter().rev().cloned().chain([written.clone()]).collect();
        assert_eq!(manifest_json(&manifest, &reversed), written);
    }
}
