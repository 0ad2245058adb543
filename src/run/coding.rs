//! The coding sheet's round trip: events of a period → a sheet with proposals → the user's words, checked → a sheet that
//! runs read. What the sheet shows of an event is ours: a row that shows something else is not trusted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::book::Book;
use crate::domain::contact::Contact;
use crate::domain::disposition::EventDisposition;
use crate::domain::event::{BillableEvent, Coding};
use crate::domain::outcome::Channel;
use crate::domain::time::Month;
use crate::domain::{Exit, Failure, Instant, Result, Zone};
use crate::output::publish_file;
use crate::output::table::{Cell, Table};
use crate::rules::CompiledRules;
use crate::rules::coding::{
    self, CODING_COLUMNS, CodingRow, CodingSheet, CodingStatus, SHOWN_COLUMNS, check_names, coding_sheet,
};
use crate::rules::diagnostic::{Diagnostic, SourceFile};
use crate::stage::enrich::enrich;
use crate::stage::identify::identify;
use crate::stage::overlap::{overlaps, worked_times};
use crate::stage::propose::propose;

use super::rating::{RatingRun, rate_all, view};
use super::suspense::sentence_of;
use super::workspace::{Workspace, refuse};
use super::{bill, facts};

mod inspect;

use inspect::Inspection;

/// Decisions that took a sheet in, by its period and hash.
pub const CODING_IMPORT: &str = "coding-import";

/// A sheet for people.
pub struct Exported {
    pub bytes: Vec<u8>,
    pub rows: usize,
    /// Rows that a sheet confirmed before.
    pub confirmed: usize,
    /// Time of one person on two matters at once, as sentences.
    pub overlaps: Vec<String>,
}

/// What a sheet says, when nothing is wrong with it.
#[derive(Debug)]
pub struct Checked {
    pub rows: usize,
    pub confirmed: usize,
    /// Time of one person on two matters at once if the sheet were taken in, as sentences.
    pub overlaps: Vec<String>,
    /// What is no mistake and may be one, as sentences.
    pub warnings: Vec<String>,
}

/// A sheet that runs read from now on.
pub struct Imported {
    pub checked: Checked,
    pub path: PathBuf,
}

/// The events of a period as they are without any coding sheet.
struct Desk {
    month: Month,
    events: Vec<BillableEvent>,
    rules: CompiledRules,
    rating: RatingRun,
}

impl Desk {
    fn of(book: &Book, workspace: &Workspace, month: Month) -> Result<Desk> {
        let home = workspace.config.zone;
        let period = month.period(home);
        let mut events = facts::load(book, period.span, workspace.config.country)?.mediated.events;
        enrich(&mut events, &workspace.directory, &CodingSheet::default(), home);
        let (rules, rating) = rated(workspace, month, &events)?;
        Ok(Desk { month, events, rules, rating })
    }

    /// Places of the events that belong into the period's sheet: those that are billed or would be if somebody paid, and
    /// those that a sheet coded before.
    fn places<'a>(&'a self, coded: &'a CodingSheet) -> impl Iterator<Item = usize> + 'a {
        use EventDisposition::{Billed, InAllowance, OtherPeriod, Suspended, Unmatched, ZeroRated};
        (0..self.events.len()).filter(|place| {
            let disposition = self.rating.rated[*place].disposition;
            let billable = matches!(disposition, Billed | InAllowance | ZeroRated | Unmatched | Suspended);
            billable || (disposition != OtherPeriod && coded.of(&self.events[*place]).is_some())
        })
    }

    /// What a sheet shows of an event, in the order of [`SHOWN_COLUMNS`].
    fn shown(&self, place: usize, zone: Zone) -> [String; 7] {
        let event = &self.events[place];
        let milliseconds = event.quantities.customer_facing.or(event.quantities.master);
        let minutes = milliseconds.filter(|_| event.channel == Channel::Voice).map(minutes);
        let payer = self.rating.rated[place].payer.map(|payer| &self.rules.payers[payer as usize].contact.id);
        [
            zone.show(event.start),
            event.channel.word().to_owned(),
            event.direction.word().to_owned(),
            event.other_party().number.to_string(),
            minutes.unwrap_or_default(),
            event.extension.map(|extension| extension.to_string()).unwrap_or_default(),
            payer.cloned().unwrap_or_default(),
        ]
    }

    /// What is proposed for an event.
    fn proposed(&self, workspace: &Workspace, place: usize) -> Coding {
        let event = &self.events[place];
        let view = view(event, self.rating.conditions[place]);
        let found = identify(&self.rules.identity, &view);
        let zones = found.map_or((self.rules.home_zone, self.rules.home_zone), |found| {
            let terms = &self.rules.payers[found.payer as usize];
            let tariff = self.rules.tariffs[terms.tariffs[0]].1[0];
            (self.rules.versions[tariff].zone, terms.zone_index)
        });
        let (bands, _) = self.rules.bands_at(zones.0, zones.1, event.start);
        let own = event.coding.as_ref().and_then(|coding| coding.narrative.clone());
        let proposed = propose(&self.rules, &workspace.rules.coding, &view, found.as_ref(), bands);
        let payer = self.rating.rated[place].payer.map(|payer| &self.rules.payers[payer as usize].contact.id);
        let claimants = claimants(workspace, proposed.matter.as_deref());
        // A matter is billed to whom it is one of.
        let contact = match claimants.as_slice() {
            [only] if payer.map(String::as_str) != Some(only) => Some((*only).to_owned()),
            _ => None,
        };
        Coding { contact: proposed.contact.or(contact), narrative: own.or(proposed.narrative), ..proposed }
    }

    /// Time of one person on two matters at once under some sheets, as sentences.
    fn overlaps(&self, workspace: &Workspace, coded: &CodingSheet) -> Result<Vec<String>> {
        let home = workspace.config.zone;
        let mut events = self.events.clone();
        enrich(&mut events, &workspace.directory, coded, home);
        let (rules, rating) = rated(workspace, self.month, &events)?;
        let found = overlaps(&worked_times(&rules, &events, &rating.charges));
        Ok(found.iter().map(|overlap| sentence_of(&rules, &events, home, overlap)).collect())
    }
}

fn rated(
    workspace: &Workspace,
    month: Month,
    events: &[BillableEvent],
) -> Result<(CompiledRules, RatingRun)> {
    let home = workspace.config.zone;
    let span = bill::span_of(events, month.period(home).span);
    let rules = CompiledRules::new(&workspace.rules, &workspace.contacts, home, span)?;
    let rules = rules.only(month).learn(events);
    let rating = rate_all(&rules, events)?;
    Ok((rules, rating))
}

/// The contacts that claim a matter, at whatever time.
fn claimants<'a>(workspace: &'a Workspace, matter: Option<&str>) -> Vec<&'a str> {
    let Some(matter) = matter else { return Vec::new() };
    let claims = |contact: &&Contact| contact.matters.iter().any(|claim| claim.value == matter);
    workspace.contacts.contacts.iter().filter(claims).map(|contact| contact.id.as_str()).collect()
}

/// Minutes with two decimals, the last one rounded half up.
fn minutes(milliseconds: i64) -> String {
    let hundredths = (milliseconds + 300).div_euclid(600);
    format!("{}.{:02}", hundredths.div_euclid(100), hundredths.rem_euclid(100))
}

/// The sheet of a period: one row for each event, with proposals where no sheet confirmed anything yet.
///
/// # Errors
/// A book that cannot be read, sums that differ (exit 7).
pub fn export(book: &Book, workspace: &Workspace, month: Month) -> Result<Exported> {
    let desk = Desk::of(book, workspace, month)?;
    let (mut rows, mut confirmed) = (Vec::new(), 0);
    for place in desk.places(&workspace.coding) {
        let event = &desk.events[place];
        let (coding, status) = match workspace.coding.of(event) {
            Some(coding) => {
                let own = event.coding.clone().unwrap_or_default();
                (coding.clone().or(own), CodingStatus::Confirmed)
            }
            None => (desk.proposed(workspace, place), CodingStatus::Proposed),
        };
        confirmed += usize::from(status == CodingStatus::Confirmed);
        rows.push(SheetRow {
            record: event.id.clone(),
            coding,
            status,
            shown: desk.shown(place, workspace.config.zone),
        });
    }
    let overlaps = desk.overlaps(workspace, &workspace.coding)?;
    Ok(Exported { bytes: table(&rows), rows: rows.len(), confirmed, overlaps })
}

/// Checks a sheet against the contact list, the rules and the events of its periods.
///
/// # Errors
/// All mistakes of the sheet (exit 3); a sheet that does not say of which period it is (exit 2).
pub fn check(book: &Book, workspace: &Workspace, file: &SourceFile, month: Option<Month>) -> Result<Checked> {
    inspected(book, workspace, file, month).map(|inspection| inspection.checked)
}

/// Checks a sheet of one period and publishes it into the folder of the configuration, whole or not at all. Rows that were
/// taken in before and that the sheet does not have stay.
///
/// # Errors
/// As [`check`]; a configuration without a folder, a sheet of several periods (exit 2); a disk that fails (exit 8).
pub fn import(
    book: &mut Book,
    workspace: &Workspace,
    file: &SourceFile,
    month: Option<Month>,
    actor: &str,
    now: Instant,
) -> Result<Imported> {
    let Some(folder) = &workspace.config.coding else {
        return Err(Failure::new(Exit::Usage, "the configuration names no folder for coding sheets")
            .hint("Write coding = \"coding\" into it; runs read the sheets in that folder."));
    };
    let Inspection { checked, sheets } = inspected(book, workspace, file, month)?;
    let [(month, text)] = sheets.as_slice() else {
        return Err(Failure::new(Exit::Usage, "the sheet has rows of several periods")
            .hint("Export and import one period at a time."));
    };
    let name = format!("{folder}/{}.csv", month.key());
    let path = workspace.folder.join(&name);
    book.put_fact("coding", &name, text.as_bytes())?;
    publish_file(&path, text.as_bytes())?;
    let subject = format!("{} {}", month.key(), crate::domain::Hash::of(text.as_bytes()).hex());
    let reason = format!("{} of {} rows confirmed", checked.confirmed, checked.rows);
    book.decide(CODING_IMPORT, &subject, actor, &reason, now)?;
    Ok(Imported { checked, path })
}

fn inspected(
    book: &Book,
    workspace: &Workspace,
    file: &SourceFile,
    month: Option<Month>,
) -> Result<Inspection> {
    let files = [file.clone()];
    let rows = coding::rows(file).map_err(|mistakes| refuse(&mistakes, &files))?;
    let months = inspect::months(&rows, month)?;
    let desks =
        months.into_iter().map(|month| Desk::of(book, workspace, month)).collect::<Result<Vec<_>>>()?;
    inspect::inspect(workspace, file, &rows, &desks)
}

/// Writes an exported sheet, whole or not at all.
///
/// # Errors
/// A disk that fails (exit 8).
pub fn write(path: &Path, exported: &Exported) -> Result<()> {
    publish_file(path, &exported.bytes)
}

/// One row of a sheet as it is written.
struct SheetRow {
    record: String,
    coding: Coding,
    status: CodingStatus,
    shown: [String; 7],
}

fn table(rows: &[SheetRow]) -> Vec<u8> {
    let header: Vec<&str> = CODING_COLUMNS.iter().chain(&SHOWN_COLUMNS).copied().collect();
    let mut table = Table::new(&header);
    for row in rows {
        let coding = &row.coding;
        let said = [&coding.contact, &coding.matter, &coding.timekeeper, &coding.task, &coding.narrative];
        let mut cells = vec![Cell::text(&row.record)];
        cells.extend(said.map(|text| Cell::optional_text(text.as_deref())));
        cells.push(Cell::text(row.status.word()));
        cells.extend(row.shown.iter().map(|text| Cell::text(text)));
        table.row(&cells);
    }
    table.into_bytes()
}
