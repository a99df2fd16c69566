-- +goose Up
-- What lists filter, sort and group by, derived from the other tables and kept column by column, so that any filter over
-- a million findings reads a few megabytes. See docs/decisions/0016-lists.md.

-- A block is 4,096 ids: finding id / 4096. data holds one number for each; lo and hi are the least and the greatest that
-- are not 0. A block that holds nothing but 0 has no row. stamp is the estate's generation that wrote the row.
CREATE TABLE list_column (
    col   INTEGER NOT NULL,
    block INTEGER NOT NULL,
    lo    BIGINT  NOT NULL,
    hi    BIGINT  NOT NULL,
    stamp BIGINT  NOT NULL,
    data  BLOB    NOT NULL,
    PRIMARY KEY (col, block)
);

-- The texts that columns hold by number, which starts at 1 and has no gaps. hash is the first 16 bytes of SHA-256.
CREATE TABLE list_word (
    id   INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    uses INTEGER NOT NULL,
    body TEXT NOT NULL
);
-- The same for searching: of 1,024 words each its uses (a byte each, by id) and the texts in lower case, a line each.
CREATE TABLE list_words (
    block INTEGER PRIMARY KEY,
    uses  BLOB NOT NULL,
    body  BLOB NOT NULL
);

-- Findings whose columns are not up to date. The transaction that puts them here brings them up to date before it ends.
CREATE TABLE list_stale (finding INTEGER PRIMARY KEY);
INSERT INTO list_stale (finding) SELECT id FROM finding;

CREATE INDEX host_words ON host (owner, criticality, tags, id);
DROP INDEX finding_rank;

-- No OR IGNORE below: the conflict clause of the statement that fires a trigger replaces the trigger's own.
-- +goose StatementBegin
CREATE TRIGGER list_finding_insert AFTER INSERT ON finding BEGIN
    INSERT INTO list_stale (finding) SELECT new.id WHERE NOT EXISTS (SELECT 1 FROM list_stale WHERE finding = new.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER list_finding_update AFTER UPDATE ON finding BEGIN
    INSERT INTO list_stale (finding) SELECT new.id WHERE NOT EXISTS (SELECT 1 FROM list_stale WHERE finding = new.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER list_finding_delete AFTER DELETE ON finding BEGIN
    INSERT INTO list_stale (finding) SELECT old.id WHERE NOT EXISTS (SELECT 1 FROM list_stale WHERE finding = old.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER list_host_update AFTER UPDATE OF address, site ON host WHEN old.address <> new.address OR old.site <> new.site BEGIN
    INSERT INTO list_stale (finding)
        SELECT id FROM finding WHERE host = new.id AND id NOT IN (SELECT finding FROM list_stale);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER list_service_insert AFTER INSERT ON service BEGIN
    INSERT INTO list_stale (finding) SELECT id FROM finding
        WHERE host = new.host AND protocol = new.protocol AND port = new.port AND id NOT IN (SELECT finding FROM list_stale);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER list_service_update AFTER UPDATE OF host, protocol, port, name, product ON service
    WHEN old.name <> new.name OR old.product <> new.product OR old.host <> new.host OR old.protocol <> new.protocol OR old.port <> new.port BEGIN
    INSERT INTO list_stale (finding) SELECT id FROM finding
        WHERE host = new.host AND protocol = new.protocol AND port = new.port AND id NOT IN (SELECT finding FROM list_stale);
    INSERT INTO list_stale (finding) SELECT id FROM finding
        WHERE host = old.host AND protocol = old.protocol AND port = old.port AND id NOT IN (SELECT finding FROM list_stale);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER list_service_delete AFTER DELETE ON service BEGIN
    INSERT INTO list_stale (finding) SELECT id FROM finding
        WHERE host = old.host AND protocol = old.protocol AND port = old.port AND id NOT IN (SELECT finding FROM list_stale);
END;
-- +goose StatementEnd
