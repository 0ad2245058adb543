//! Which version of a record counts: a pure function of what was observed, never of the order of landing.

use std::collections::BTreeMap;

use rusqlite::OptionalExtension;

use crate::domain::Hash;
use crate::domain::record::SourceRecord;
use crate::domain::time::Instant;

use super::sql::{self, Outcome, damaged};

/// What a version is among all versions of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// The latest version: by last modification, then by observation, then by hash. A bare notice of deletion (deleted,
    /// no start) comes before all others.
    Current,
    /// An older version whose material fields differ from the current one's.
    Superseded,
    /// An older version whose material fields equal the current one's.
    Duplicate,
}

impl Standing {
    pub(super) fn code(self) -> i64 {
        match self {
            Standing::Current => 0,
            Standing::Superseded => 1,
            Standing::Duplicate => 2,
        }
    }

    pub(super) fn from_code(code: i64) -> Outcome<Standing> {
        match code {
            0 => Ok(Standing::Current),
            1 => Ok(Standing::Superseded),
            2 => Ok(Standing::Duplicate),
            other => Err(damaged(format!("a version has the unknown standing {other}"))),
        }
    }
}

/// A record version with its standing, as a scan returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredVersion {
    pub record: SourceRecord,
    pub standing: Standing,
}

/// What the order of a record's versions depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rank {
    pub(super) hash: Hash,
    pub(super) material: Hash,
    pub(super) last_modified_milliseconds: Option<i64>,
    /// The latest observation: a record that was changed and changed back is current again.
    pub(super) last_observed_milliseconds: i64,
    pub(super) start: Option<Instant>,
    pub(super) deleted: bool,
}

impl Rank {
    /// Whether the version says more than that its record was deleted.
    pub(super) fn is_full(&self) -> bool {
        self.start.is_some() || !self.deleted
    }
}

/// The standing of each of all versions of one record.
pub(super) fn standings(versions: &[Rank]) -> Vec<Standing> {
    // A bare notice of deletion tells nothing that could be billed: what is known of the record stays current.
    let order = |rank: &Rank| {
        (rank.is_full(), rank.last_modified_milliseconds, rank.last_observed_milliseconds, rank.hash)
    };
    let Some(current) = versions.iter().max_by_key(|rank| order(rank)) else { return Vec::new() };
    versions
        .iter()
        .map(|rank| {
            if rank.hash == current.hash {
                Standing::Current
            } else if rank.material == current.material {
                Standing::Duplicate
            } else {
                Standing::Superseded
            }
        })
        .collect()
}

/// The rows of one segment that are not current, one bit a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bitmaps {
    superseded: Vec<u8>,
    duplicate: Vec<u8>,
    rows: usize,
}

impl Bitmaps {
    pub(super) fn new(rows: usize) -> Bitmaps {
        let bytes = rows.div_ceil(8);
        Bitmaps { superseded: vec![0; bytes], duplicate: vec![0; bytes], rows }
    }

    pub(super) fn set(&mut self, row: usize, standing: Standing) -> Outcome<()> {
        if row >= self.rows {
            return Err(damaged(format!("row {row} of a segment of {} rows", self.rows)));
        }
        let (byte, bit) = (row / 8, 1_u8 << (row % 8));
        self.superseded[byte] &= !bit;
        self.duplicate[byte] &= !bit;
        match standing {
            Standing::Current => {}
            Standing::Superseded => self.superseded[byte] |= bit,
            Standing::Duplicate => self.duplicate[byte] |= bit,
        }
        Ok(())
    }

    pub(super) fn get(&self, row: usize) -> Outcome<Standing> {
        if row >= self.rows {
            return Err(damaged(format!("row {row} of a segment of {} rows", self.rows)));
        }
        let (byte, bit) = (row / 8, 1_u8 << (row % 8));
        match (self.superseded[byte] & bit != 0, self.duplicate[byte] & bit != 0) {
            (false, false) => Ok(Standing::Current),
            (true, false) => Ok(Standing::Superseded),
            (false, true) => Ok(Standing::Duplicate),
            (true, true) => Err(damaged(format!("row {row} is marked superseded and duplicate"))),
        }
    }

    pub(super) fn load(connection: &rusqlite::Connection, segment: i64) -> Outcome<Bitmaps> {
        let (superseded, duplicate, rows): (Vec<u8>, Vec<u8>, i64) = connection
            .prepare_cached(
                "SELECT superseded, duplicate, row_count FROM superseded JOIN segment ON id = segment \
                 WHERE segment = ?1",
            )?
            .query_row([segment], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?
            .ok_or_else(|| damaged(format!("segment {segment} has no bitmap")))?;
        let rows = usize::try_from(rows).map_err(|_| damaged("a segment has a negative number of rows"))?;
        if superseded.len() != rows.div_ceil(8) || duplicate.len() != rows.div_ceil(8) {
            return Err(damaged("a bitmap does not have the length of its segment"));
        }
        Ok(Bitmaps { superseded, duplicate, rows })
    }

    pub(super) fn store(&self, connection: &rusqlite::Connection, segment: i64) -> Outcome<()> {
        connection
            .prepare_cached(
                "INSERT INTO superseded (segment, superseded, duplicate) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (segment) DO UPDATE SET superseded = ?2, duplicate = ?3",
            )?
            .execute((segment, &self.superseded, &self.duplicate))?;
        Ok(())
    }
}

/// A version's row as the standing needs it.
pub(super) struct VersionRow {
    pub(super) id: i64,
    pub(super) rank: Rank,
    pub(super) standing: i64,
    pub(super) place: Option<(i64, i64)>,
}

/// Columns of [`version_row`], in its order.
pub(super) const VERSION_COLUMNS: &str = "version.id, version.hash, material, last_modified_ms, last_observed_ms, standing, segment, position, \
     start_ms, deleted";

pub(super) fn version_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<VersionRow> {
    let segment: Option<i64> = row.get(6)?;
    let position: Option<i64> = row.get(7)?;
    Ok(VersionRow {
        id: row.get(0)?,
        rank: Rank {
            hash: sql::hash(row, 1)?,
            material: sql::hash(row, 2)?,
            last_modified_milliseconds: row.get(3)?,
            last_observed_milliseconds: row.get(4)?,
            start: sql::instant_if_any(row, 8)?,
            deleted: row.get(9)?,
        },
        standing: row.get(5)?,
        place: segment.zip(position),
    })
}

/// How landing some versions turned a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// What counted before; nothing when the record was unknown, or known by notices of deletion only.
    pub(super) earlier: Option<Rank>,
    pub(super) current: Rank,
    /// The version that counts was not known.
    pub(super) is_new: bool,
    /// The new version that is marked deleted, where no earlier one was.
    pub(super) deleted: Option<Hash>,
    /// The version observed last.
    pub(super) seen: Hash,
}

fn turn(rows: &[VersionRow], standings: &[Standing], first_new: i64) -> Option<Turn> {
    let old = || rows.iter().filter(|row| row.id < first_new);
    let current = rows.iter().zip(standings).find(|(_, standing)| **standing == Standing::Current)?.0;
    let deleted = match old().next().is_some() && old().all(|row| !row.rank.deleted) {
        true => rows.iter().find(|row| row.id >= first_new && row.rank.deleted).map(|row| row.rank.hash),
        false => None,
    };
    Some(Turn {
        earlier: old()
            .find(|row| row.standing == Standing::Current.code() && row.rank.is_full())
            .map(|row| row.rank),
        current: current.rank,
        is_new: current.id >= first_new,
        deleted,
        seen: rows.iter().max_by_key(|row| row.rank.last_observed_milliseconds)?.rank.hash,
    })
}

/// Computes the standing of all versions of some records again, and the bitmaps of the segments they lie in. Versions
/// from row `first_new` on were not known before.
pub(super) fn refresh(
    connection: &rusqlite::Connection,
    records: &std::collections::BTreeSet<i64>,
    first_new: i64,
) -> Outcome<BTreeMap<i64, Turn>> {
    let mut turns = BTreeMap::new();
    let mut changed_rows: BTreeMap<i64, Vec<(usize, Standing)>> = BTreeMap::new();
    let mut select = connection
        .prepare_cached(&format!("SELECT {VERSION_COLUMNS} FROM version WHERE record = ?1 ORDER BY id"))?;
    let mut update = connection.prepare_cached("UPDATE version SET standing = ?2 WHERE id = ?1")?;
    for record in records {
        let rows = select.query_map([record], version_row)?.collect::<rusqlite::Result<Vec<_>>>()?;
        let ranks: Vec<Rank> = rows.iter().map(|row| row.rank).collect();
        let standings = standings(&ranks);
        turns.extend(turn(&rows, &standings, first_new).map(|turn| (*record, turn)));
        for (row, standing) in rows.iter().zip(standings) {
            if row.standing == standing.code() {
                continue;
            }
            update.execute((row.id, standing.code()))?;
            if let Some((segment, position)) = row.place {
                let position = usize::try_from(position).map_err(|_| damaged("a negative row"))?;
                changed_rows.entry(segment).or_default().push((position, standing));
            }
        }
    }
    for (segment, rows) in changed_rows {
        let mut bitmaps = Bitmaps::load(connection, segment)?;
        for (row, standing) in rows {
            bitmaps.set(row, standing)?;
        }
        bitmaps.store(connection, segment)?;
    }
    Ok(turns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(name: &str, material: &str, modified: Option<i64>, observed: i64) -> Rank {
        Rank {
            hash: Hash::of(name.as_bytes()),
            material: Hash::of(material.as_bytes()),
            last_modified_milliseconds: modified,
            last_observed_milliseconds: observed,
            start: Some(Instant::from_milliseconds(0)),
            deleted: false,
        }
    }

    #[test]
    fn a_bare_notice_of_deletion_never_counts_while_a_full_version_is_known() {
        let stub = Rank { start: None, deleted: true, ..rank("stub", "gone", Some(99), 99) };
        assert_eq!(standings(&[stub, rank("a", "x", None, 1)]), [Standing::Superseded, Standing::Current]);
        let older = Rank { last_modified_milliseconds: Some(1), ..stub };
        assert_eq!(standings(&[stub, Rank { hash: Hash::of(b"s"), ..older }])[0], Standing::Current);
        let marked = Rank { deleted: true, ..rank("marked", "x", Some(2), 1) };
        assert_eq!(standings(&[rank("a", "x", Some(1), 1), marked])[1], Standing::Current);
    }

    #[test]
    fn the_last_modification_decides_before_the_observation() {
        let versions = [rank("a", "x", Some(2), 1), rank("b", "y", Some(1), 9), rank("c", "x", None, 99)];
        let expected = [Standing::Current, Standing::Superseded, Standing::Duplicate];
        assert_eq!(standings(&versions), expected);
    }

    #[test]
    fn a_row_has_one_standing_at_a_time() {
        let mut bitmaps = Bitmaps::new(9);
        bitmaps.set(8, Standing::Superseded).unwrap();
        bitmaps.set(8, Standing::Duplicate).unwrap();
        assert_eq!(bitmaps.get(8).unwrap(), Standing::Duplicate);
        assert_eq!(bitmaps.get(0).unwrap(), Standing::Current);
        assert!(bitmaps.get(9).is_err() && bitmaps.set(9, Standing::Current).is_err());
    }
}
