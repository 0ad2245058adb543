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
