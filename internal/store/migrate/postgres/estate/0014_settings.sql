-- +goose Up
-- What administrators set while the server runs; it stands before the configuration file. body is JSON.
CREATE TABLE setting (
    name TEXT   PRIMARY KEY,
    body TEXT   NOT NULL,
    at   BIGINT NOT NULL,
    who  TEXT   NOT NULL
);

-- Checks that looked and saw that there is nothing: comparing scans asks which of many findings have one.
CREATE INDEX evidence_denied ON evidence (finding) WHERE status = 'unaffected';
