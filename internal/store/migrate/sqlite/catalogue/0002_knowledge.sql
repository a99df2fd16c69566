-- +goose Up
-- Times are unix seconds, dates their midnight in UTC. Lists and whole documents are JSON.

-- Metasploit's opinion of how well an exploit works.
ALTER TABLE exploit ADD COLUMN rank TEXT NOT NULL DEFAULT '';

CREATE TABLE ssvc (
    cve          INTEGER PRIMARY KEY,
    exploitation TEXT NOT NULL,
    automatable  TEXT NOT NULL,
    impact       TEXT NOT NULL,
    source       TEXT NOT NULL,
    at           BIGINT NOT NULL
);

-- The days of which EPSS scores were read, and of each CVE the days on which its score differs from that of the day read
-- before. A missing score says that the CVE had none from that day on.
CREATE TABLE epss_day (day INTEGER PRIMARY KEY, model TEXT NOT NULL);
CREATE TABLE epss_history (
    cve   INTEGER NOT NULL,
    day   INTEGER NOT NULL,
    score DOUBLE PRECISION,
    PRIMARY KEY (cve, day)
) WITHOUT ROWID;
INSERT INTO epss_day (day, model) SELECT day, max(model) FROM epss GROUP BY day;
INSERT INTO epss_history (cve, day, score) SELECT cve, day, score FROM epss;

-- Columns are what a list is filtered by: names in lower case between bars ("|linux|windows|"), words id, name and
-- description in lower case.
CREATE TABLE technique (
    id        TEXT NOT NULL,
    domain    TEXT NOT NULL,
    tactics   TEXT NOT NULL,
    platforms TEXT NOT NULL,
    revoked   INTEGER NOT NULL,
    modified  BIGINT NOT NULL,
    words     TEXT NOT NULL,
    document  TEXT NOT NULL,
    PRIMARY KEY (id, domain)
);

CREATE TABLE tactic (
    domain TEXT NOT NULL,
    id     TEXT NOT NULL,
    short  TEXT NOT NULL,
    name   TEXT NOT NULL,
    place  INTEGER NOT NULL,
    PRIMARY KEY (domain, id)
);

CREATE TABLE mapping (
    cve       INTEGER NOT NULL,
    technique TEXT NOT NULL,
    kind      TEXT NOT NULL,
    source    TEXT NOT NULL,
    comment   TEXT NOT NULL,
    day       BIGINT NOT NULL,
    PRIMARY KEY (cve, technique, kind, source)
) WITHOUT ROWID;
CREATE INDEX mapping_technique ON mapping (technique);

-- What CWE says of a weakness and what CAPEC says of it are two rows, read as one.
CREATE TABLE weakness (
    id       TEXT NOT NULL,
    part     TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (id, part)
);

CREATE TABLE indicator (
    kind       TEXT NOT NULL,
    value      TEXT NOT NULL,
    port       INTEGER NOT NULL,
    source     TEXT NOT NULL,
    threat     TEXT NOT NULL,
    malware    TEXT NOT NULL,
    confidence INTEGER NOT NULL,
    status     TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL,
    expires    BIGINT NOT NULL,
    tags       TEXT NOT NULL,
    reference  TEXT NOT NULL,
    words      TEXT NOT NULL,
    PRIMARY KEY (kind, value, port, source)
) WITHOUT ROWID;
