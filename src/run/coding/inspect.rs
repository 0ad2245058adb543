//! A sheet that came back, against the events it speaks of.

use rust_decimal::Decimal;

use super::*;

/// A sheet without mistakes.
pub(super) struct Inspection {
    pub checked: Checked,
    /// What each period's sheet is when it is taken in.
    pub sheets: Vec<(Month, String)>,
}

/// An event that a row speaks of: its desk and its place there.
type Spot = (usize, usize);

/// The periods of a sheet, by the starts it shows, beside the one that was named.
///
/// # Errors
/// No period at all (exit 2).
pub(super) fn months(rows: &[CodingRow], named: Option<Month>) -> Result<Vec<Month>> {
    let shown = rows.iter().filter_map(|row| row.shown("start")).filter_map(|start| start.get(..7));
    let months: BTreeSet<Month> = shown.filter_map(Month::parse).chain(named).collect();
    if months.is_empty() {
        return Err(Failure::new(Exit::Usage, "the sheet does not say of which period it is")
            .hint("Keep the start column, or name the period: --period 2026-10."));
    }
    Ok(months.into_iter().collect())
}

/// Checks all rows and makes the sheets that would be taken in.
///
/// # Errors
/// All mistakes of the sheet (exit 3).
pub(super) fn inspect(
    workspace: &Workspace,
    file: &SourceFile,
    rows: &[CodingRow],
    desks: &[Desk],
) -> Result<Inspection> {
    let spots = spots(desks);
    let mut mistakes = check_names(file, rows, &workspace.rules, &workspace.contacts);
    let mut taken: BTreeMap<Spot, &CodingRow> = BTreeMap::new();
    for row in rows {
        let Some(spot) = spots.get(row.record.as_str()).copied() else {
            let message =
                format!("there is no event or record {} in the period, on line {}", row.record, row.line());
            let hint = "Keep the record column as it was exported.";
            mistakes.push(row.complaint("unknown-record", file, "record", message).hint(hint));
            continue;
        };
        if let Some(first) = taken.insert(spot, row) {
            let message =
                format!("line {} and line {} speak of one event, {}", first.line(), row.line(), row.record);
            let hint = "Keep one of the rows.";
            mistakes.push(row.complaint("duplicate-record", file, "record", message).hint(hint));
        }
        mistakes.extend(stray_matter(workspace, file, row, &desks[spot.0], spot.1));
        mistakes.extend(changed(file, row, &desks[spot.0].shown(spot.1, workspace.config.zone)));
    }
    if !mistakes.is_empty() {
        return Err(refuse(&mistakes, std::slice::from_ref(file)));
    }
    let (mut sheets, mut sentences) = (Vec::new(), Vec::new());
    for (index, desk) in desks.iter().enumerate() {
        let own = taken.iter().filter(|((of, _), _)| *of == index).map(|((_, place), row)| (*place, *row));
        let text = merged(workspace, desk, own.collect())?;
        sentences.extend(desk.overlaps(workspace, &with(workspace, desk.month, &text)?)?);
        sheets.push((desk.month, text));
    }
    let confirmed = rows.iter().filter(|row| row.status == CodingStatus::Confirmed).count();
    let warnings = nobodys_matters(workspace, rows);
    Ok(Inspection { checked: Checked { rows: rows.len(), confirmed, overlaps: sentences, warnings }, sheets })
}

/// All events of the desks by their own ids and by those of their evidence.
fn spots(desks: &[Desk]) -> BTreeMap<&str, Spot> {
    let mut spots = BTreeMap::new();
    for (index, desk) in desks.iter().enumerate() {
        let in_period =
            |place: &usize| desk.rating.rated[*place].disposition != EventDisposition::OtherPeriod;
        for place in (0..desk.events.len()).filter(in_period) {
            let event = &desk.events[place];
            for item in &event.evidence {
                spots.entry(item.record.id.as_str()).or_insert((index, place));
            }
        }
    }
    // An event's own id stands before an equal one of a record.
    for (index, desk) in desks.iter().enumerate() {
        for (place, event) in desk.events.iter().enumerate() {
            if desk.rating.rated[place].disposition != EventDisposition::OtherPeriod {
                spots.insert(event.id.as_str(), (index, place));
            }
        }
    }
    spots
}

/// A matter of somebody else than who is found to pay: only a contact beside it says who pays then.
fn stray_matter(
    workspace: &Workspace,
    file: &SourceFile,
    row: &CodingRow,
    desk: &Desk,
    place: usize,
) -> Option<Diagnostic> {
    let claimants = claimants(workspace, row.coding.matter.as_deref());
    let payer = desk.rating.rated[place].payer.map(|payer| &desk.rules.payers[payer as usize].contact.id);
    let found = payer.map_or("nobody", String::as_str);
    if row.coding.contact.is_some() || claimants.is_empty() || claimants.contains(&found) {
        return None;
    }
    let matter = row.coding.matter.as_deref().unwrap_or_default();
    let message = format!(
        "the matter {matter} is one of {}, and {found} is found to pay, on line {}",
        claimants.join(", "),
        row.line()
    );
    let hint = "Name the contact whose matter it is in the column contact.";
    Some(row.complaint("matter-of-another", file, "matter", message).hint(hint))
}

/// Complaints about shown cells that are not what the book says. A column that the sheet does not have shows nothing.
fn changed(file: &SourceFile, row: &CodingRow, shown: &[String; 7]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (column, expected) in SHOWN_COLUMNS.iter().zip(shown) {
        if !row.has(column) {
            continue;
        }
        let cell = row.shown(column).unwrap_or_default();
        // Programs for spreadsheets write figures in their own way.
        let figure = |text: &str| text.parse::<Decimal>().ok().map(|figure| figure.normalize());
        let same_figure = figure(cell).is_some() && figure(cell) == figure(expected);
        if cell != expected && !same_figure {
            let message = format!(
                "{column} of {} is \"{expected}\", the sheet says \"{cell}\", on line {}",
                row.record,
                row.line()
            );
            let hint = match *column {
                "payer" => {
                    "The column only shows who is found; name another contact in the column contact. After a change of contacts or rules, export again."
                }
                _ => "The column only shows the event: put back what was exported, or export again.",
            };
            found.push(row.complaint("changed-cell", file, column, message).hint(hint));
        }
    }
    found
}

/// The period's sheet as it would be: the rows that came back, and those taken in before that did not.
fn merged(workspace: &Workspace, desk: &Desk, returned: BTreeMap<usize, &CodingRow>) -> Result<String> {
    let name = workspace.config.coding.as_ref().map(|folder| format!("{folder}/{}.csv", desk.month.key()));
    let installed = workspace.coding_files.iter().find(|file| Some(&file.name) == name.as_ref());
    let kept = match installed {
        Some(file) => coding::rows(file).map_err(|mistakes| refuse(&mistakes, std::slice::from_ref(file)))?,
        None => Vec::new(),
    };
    let spots = spots(std::slice::from_ref(desk));
    let mut rows: BTreeMap<usize, &CodingRow> = returned;
    let mut lost = Vec::new();
    for row in &kept {
        match spots.get(row.record.as_str()) {
            Some((_, place)) => {
                rows.entry(*place).or_insert(row);
            }
            None => lost.push(row),
        }
    }
    let written = |row: &CodingRow, shown: [String; 7]| SheetRow {
        record: row.record.clone(),
        coding: row.coding.clone(),
        status: row.status,
        shown,
    };
    let zone = workspace.config.zone;
    let mut all: Vec<SheetRow> =
        rows.iter().map(|(place, row)| written(row, desk.shown(*place, zone))).collect();
    // What the book does not have now may come back with another version of the record.
    let as_shown =
        |row: &CodingRow| SHOWN_COLUMNS.map(|column| row.shown(column).unwrap_or_default().to_owned());
    all.extend(lost.into_iter().map(|row| written(row, as_shown(row))));
    String::from_utf8(table(&all)).map_err(|error| Failure::new(Exit::Bug, error.to_string()))
}

/// All sheets as they would be with this one.
fn with(workspace: &Workspace, month: Month, text: &str) -> Result<CodingSheet> {
    let folder = workspace.config.coding.clone().unwrap_or_default();
    let name = format!("{folder}/{}.csv", month.key());
    let others = workspace.coding_files.iter().filter(|file| file.name != name).cloned();
    let mut files: Vec<SourceFile> = others.collect();
    files.push(SourceFile { name, text: text.to_owned() });
    coding_sheet(&files, &workspace.rules, &workspace.contacts).map_err(|mistakes| refuse(&mistakes, &files))
}

/// Matters of confirmed rows that no contact claims, where contacts claim matters at all.
fn nobodys_matters(workspace: &Workspace, rows: &[CodingRow]) -> Vec<String> {
    let claims = workspace.contacts.contacts.iter().flat_map(|contact| &contact.matters);
    let claimed: BTreeSet<&str> = claims.map(|claim| claim.value.as_str()).collect();
    if claimed.is_empty() {
        return Vec::new();
    }
    let confirmed = rows.iter().filter(|row| row.status == CodingStatus::Confirmed);
    let unknown = confirmed.filter_map(|row| Some((row.coding.matter.as_deref()?, row.line())));
    unknown
        .filter(|(matter, _)| !claimed.contains(matter))
        .map(|(matter, line)| format!("No contact claims the matter {matter}, on line {line}."))
        .collect()
}
