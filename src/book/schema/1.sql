-- Instants are milliseconds since the epoch, hashes are 32 bytes, blobs named *_zstd are compressed.

CREATE TABLE identity (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    specimen INTEGER NOT NULL CHECK (specimen IN (0, 1)),
    server   TEXT,
    account  TEXT,
    -- Hash over the three above.
    hash     BLOB NOT NULL,
    -- Hash of the newest document of the chain, so that a deleted last row shows.
    head     BLOB
) STRICT;

CREATE TABLE pull_window (
    id      INTEGER PRIMARY KEY,
    feed    TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms   INTEGER NOT NULL,
    state   TEXT NOT NULL,
    sealed_ms INTEGER,
    -- Hash over this row and its listings; null only inside a transaction.
    hash    BLOB,
    UNIQUE (feed, from_ms, to_ms)
) STRICT;

CREATE TABLE listing (
    window_id INTEGER NOT NULL REFERENCES pull_window,
    number    INTEGER NOT NULL CHECK (number > 0),
    next_page INTEGER,
    began_ms  INTEGER NOT NULL,
    -- Set when the listing is complete.
    completed_ms INTEGER,
    records   INTEGER,
    digest    BLOB,
    PRIMARY KEY (window_id, number)
) STRICT, WITHOUT ROWID;

-- Raw pages as served; the body moves to a file of `archive` when its window is sealed.
CREATE TABLE archive (
    id    INTEGER PRIMARY KEY,
    file  TEXT NOT NULL UNIQUE,
    bytes INTEGER NOT NULL,
    hash  BLOB NOT NULL
) STRICT;

CREATE TABLE page (
    id          INTEGER PRIMARY KEY,
    window_id   INTEGER NOT NULL REFERENCES pull_window,
    listing     INTEGER NOT NULL,
    page        INTEGER NOT NULL CHECK (page > 0),
    observed_ms INTEGER NOT NULL,
    hash        BLOB NOT NULL,
    body_zstd   BLOB,
    archive     INTEGER REFERENCES archive,
    UNIQUE (window_id, listing, page),
    CHECK ((body_zstd IS NULL) <> (archive IS NULL))
) STRICT;
CREATE INDEX page_unsealed ON page (window_id) WHERE archive IS NULL;

CREATE TABLE import (
    id          INTEGER PRIMARY KEY,
    hash        BLOB NOT NULL UNIQUE,
    source_name TEXT NOT NULL,
    feed        TEXT NOT NULL,
    observed_ms INTEGER NOT NULL,
    records     INTEGER NOT NULL,
    digest      BLOB NOT NULL,
    archive     INTEGER NOT NULL REFERENCES archive
) STRICT;

CREATE TABLE record (
    id        INTEGER PRIMARY KEY,
    account   TEXT NOT NULL,
    kind      TEXT NOT NULL,
    source_id TEXT NOT NULL,
    UNIQUE (account, kind, source_id)
) STRICT;

CREATE TABLE segment (
    id        INTEGER PRIMARY KEY,
    file      TEXT NOT NULL UNIQUE,
    kind      TEXT NOT NULL,
    -- First and last start inside; null when its versions have none.
    first_ms  INTEGER,
    last_ms   INTEGER,
    row_count INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    hash      BLOB NOT NULL,
    sealed_ms INTEGER NOT NULL
) STRICT;

-- One bit a row of the segment, beside the immutable file: the cached form of the standing of its versions.
CREATE TABLE superseded (
    segment    INTEGER PRIMARY KEY REFERENCES segment,
    superseded BLOB NOT NULL,
    duplicate  BLOB NOT NULL
) STRICT;

-- Every version ever seen; its JSON is in `pending` or in row `position` of `segment`.
CREATE TABLE version (
    id                INTEGER PRIMARY KEY,
    record            INTEGER NOT NULL REFERENCES record,
    hash              BLOB NOT NULL,
    material          BLOB NOT NULL,
    start_ms          INTEGER,
    last_modified_ms  INTEGER,
    first_observed_ms INTEGER NOT NULL,
    last_observed_ms  INTEGER NOT NULL,
    deleted           INTEGER NOT NULL CHECK (deleted IN (0, 1)),
    standing          INTEGER NOT NULL CHECK (standing IN (0, 1, 2)),
    window_id         INTEGER REFERENCES pull_window,
    import_id         INTEGER REFERENCES import,
    segment           INTEGER REFERENCES segment,
    position          INTEGER,
    -- The first observation became earlier than the segment says.
    corrected         INTEGER NOT NULL DEFAULT 0 CHECK (corrected IN (0, 1)),
    UNIQUE (record, hash),
    CHECK ((window_id IS NULL) <> (import_id IS NULL)),
    CHECK ((segment IS NULL) = (position IS NULL))
) STRICT;
CREATE INDEX version_in_segment ON version (segment, position) WHERE segment IS NOT NULL;
CREATE INDEX version_corrected ON version (segment) WHERE corrected = 1;

CREATE TABLE pending (
    version INTEGER PRIMARY KEY REFERENCES version,
    json    TEXT NOT NULL,
    -- Hash over the version's row and its JSON.
    hash    BLOB NOT NULL
) STRICT;

-- Which versions a page showed: the digest of its listing. Dropped when the page is sealed.
CREATE TABLE page_version (
    page    INTEGER NOT NULL REFERENCES page,
    version INTEGER NOT NULL REFERENCES version,
    PRIMARY KEY (page, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE gap (
    id         INTEGER PRIMARY KEY,
    feed       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    noted_ms   INTEGER NOT NULL,
    cleared_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX gap_open ON gap (feed, reason) WHERE cleared_ms IS NULL;

CREATE TABLE pull (
    id           INTEGER PRIMARY KEY,
    completed_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE fact (
    hash      BLOB PRIMARY KEY,
    body_zstd BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE fact_name (
    id   INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    hash BLOB NOT NULL REFERENCES fact,
    UNIQUE (kind, name, hash)
) STRICT;

CREATE TABLE decision (
    id      INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    actor   TEXT NOT NULL,
    reason  TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    previous BLOB,
    hash    BLOB NOT NULL
) STRICT;

CREATE TABLE run (
    position  INTEGER PRIMARY KEY,
    id        BLOB NOT NULL,
    period    TEXT NOT NULL,
    finalised INTEGER NOT NULL CHECK (finalised IN (0, 1)),
    manifest  BLOB NOT NULL,
    previous  BLOB,
    hash      BLOB NOT NULL,
    UNIQUE (id, finalised)
) STRICT;

CREATE TABLE document (
    position   INTEGER PRIMARY KEY,
    series     TEXT NOT NULL,
    sequence   INTEGER NOT NULL CHECK (sequence > 0),
    number     TEXT NOT NULL UNIQUE,
    contact    TEXT NOT NULL,
    period     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    ordinal    INTEGER NOT NULL,
    issue_date TEXT NOT NULL,
    actor      TEXT NOT NULL,
    run        BLOB NOT NULL,
    body       BLOB NOT NULL,
    charges    BLOB NOT NULL,
    charges_bytes INTEGER NOT NULL,
    events     BLOB NOT NULL,
    voids      TEXT REFERENCES document (number),
    previous   BLOB,
    hash       BLOB NOT NULL,
    UNIQUE (series, sequence),
    UNIQUE (contact, period, kind, ordinal)
) STRICT;

-- One live invoice per payer and period; voiding frees the place.
CREATE TABLE live_invoice (
    contact  TEXT NOT NULL,
    period   TEXT NOT NULL,
    document INTEGER NOT NULL UNIQUE REFERENCES document,
    PRIMARY KEY (contact, period)
) STRICT, WITHOUT ROWID;

-- An event is on at most one live invoice of a payer.
CREATE TABLE charged_event (
    event    TEXT NOT NULL,
    contact  TEXT NOT NULL,
    document INTEGER NOT NULL REFERENCES document,
    PRIMARY KEY (event, contact)
) STRICT, WITHOUT ROWID;
CREATE INDEX charged_event_document ON charged_event (document);
