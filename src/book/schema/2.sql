-- How far each feed of changes has been read; moved in the transaction that lands its page.
CREATE TABLE stream (
    feed       TEXT PRIMARY KEY,
    token      TEXT NOT NULL,
    from_ms    INTEGER NOT NULL,
    -- When the source last said that nothing newer was left.
    reached_ms INTEGER,
    -- Hash over this row.
    hash       BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What was found out about records after the fact: late, changed, absent, reappeared, deleted. One row a fact; kept by
-- the record's own key, since records and versions may be made again from the raw pages.
CREATE TABLE note (
    id          INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL,
    account     TEXT NOT NULL,
    record_kind TEXT NOT NULL,
    source_id   TEXT NOT NULL,
    version     BLOB NOT NULL,
    window_id   INTEGER NOT NULL REFERENCES pull_window,
    noted_ms    INTEGER NOT NULL,
    -- Hash over this row.
    hash        BLOB NOT NULL
) STRICT;
CREATE INDEX note_record ON note (account, record_kind, source_id);

CREATE INDEX version_start ON version (start_ms);

-- A pull begins and, when all goes well, ends; one that was cut has no end.
CREATE TABLE pull_begun (
    id           INTEGER PRIMARY KEY,
    began_ms     INTEGER NOT NULL,
    completed_ms INTEGER,
    requests     INTEGER,
    -- The decision that let it begin too early after the one before.
    override     INTEGER REFERENCES decision
) STRICT;
INSERT INTO pull_begun (id, began_ms, completed_ms) SELECT id, completed_ms, completed_ms FROM pull;
DROP TABLE pull;
ALTER TABLE pull_begun RENAME TO pull;

-- When somebody decided that a damaged file of raw pages is given up and its windows are listed again.
ALTER TABLE archive ADD COLUMN given_up_ms INTEGER;
