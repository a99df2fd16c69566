-- +goose Up
-- Requests that carried a key of their sender's, so that one that is sent again is not done again. A row is kept for a
-- day. status 0 is one that still runs. digest is of the request; kept says whether answer is what was answered: it is not
-- where that was long or held a secret.
CREATE TABLE once (
    who    TEXT    NOT NULL,
    name   TEXT    NOT NULL,
    begun  BIGINT  NOT NULL,
    status INTEGER NOT NULL,
    digest TEXT    NOT NULL,
    header TEXT    NOT NULL,
    kept   INTEGER NOT NULL,
    answer BYTEA    NOT NULL,
    PRIMARY KEY (who, name)
);
CREATE INDEX once_begun ON once (begun);
