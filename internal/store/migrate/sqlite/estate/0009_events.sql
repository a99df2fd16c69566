-- +goose Up
-- What is told to those who watch a scan, numbered from 1 without a gap. None of it is in a list that is kept, so writing
-- it changes no generation.

-- last is the newest number, singles and others how many events there are of the kinds that are bounded, ended when the
-- last was told, 0 is not yet. It stays when old events are removed, so that numbers go on.
CREATE TABLE live_scan (
    scan    BIGINT  PRIMARY KEY REFERENCES scan (id) ON DELETE CASCADE,
    last    BIGINT  NOT NULL,
    at      BIGINT  NOT NULL,
    singles INTEGER NOT NULL,
    others  INTEGER NOT NULL,
    filled  INTEGER NOT NULL,
    ended   BIGINT  NOT NULL
);
CREATE INDEX live_scan_at ON live_scan (at);

-- data is JSON.
CREATE TABLE live_event (
    scan BIGINT NOT NULL REFERENCES live_scan (scan) ON DELETE CASCADE,
    seq  BIGINT NOT NULL,
    at   BIGINT NOT NULL,
    type TEXT   NOT NULL,
    data TEXT   NOT NULL,
    PRIMARY KEY (scan, seq)
) WITHOUT ROWID;

-- A ticket lets whoever shows it watch a scan, once. Only its hash is kept; who is JSON as estate_ticket.go writes it.
CREATE TABLE live_ticket (
    hash    TEXT   PRIMARY KEY,
    scan    BIGINT NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
    who     TEXT   NOT NULL,
    expires BIGINT NOT NULL
);
