-- +goose Up
-- Times are unix seconds, dates their midnight in UTC. Lists and whole documents are JSON.

-- Metasploit's opinion of how well an exploit works.
ALTER TABLE exploit ADD COLUMN rank TEXT NOT NULL DEFAULT '';

CREATE TABLE ssvc (
    cve          BIGINT PRIMARY KEY,
    exploitation TEXT COLLATE "C" NOT NULL,
    automatable  TEXT COLLATE "C" NOT NULL,
    impact       TEXT COLLATE "C" NOT NULL,
    source       TEXT COLLATE "C" NOT NULL,
    at           BIGINT NOT NULL
);

-- The days of which EPSS scores were read, and of each CVE the days on which its score differs from that of the day read
-- before. A missing score says that the CVE had none from that day on.
CREATE TABLE epss_day (day BIGINT PRIMARY KEY, model TEXT NOT NULL);
CREATE TABLE epss_history (
    cve   BIGINT NOT NULL,
    day   BIGINT NOT NULL,
    score DOUBLE PRECISION,
    PRIMARY KEY (cve, day)
);
INSERT INTO epss_day (day, model) SELECT day, max(model) FROM epss GROUP BY day;
INSERT INTO epss_history (cve, day, score) SELECT cve, day, score FROM epss;

-- Columns are what a list is filtered by: names in lower case between bars ("|linux|windows|"), words id, name and
-- description in lower case.
CREATE TABLE technique (
    id        TEXT COLLATE "C" NOT NULL,
    domain    TEXT COLLATE "C" NOT NULL,
    tactics   TEXT NOT NULL,
    platforms TEXT NOT NULL,
    revoked   INTEGER NOT NULL,
    modified  BIGINT NOT NULL,
    words     TEXT NOT NULL,
    document  TEXT NOT NULL,
    PRIMARY KEY (id, domain)
);

CREATE TABLE tactic (
    domain TEXT COLLATE "C" NOT NULL,
    id     TEXT COLLATE "C" NOT NULL,
    short  TEXT NOT NULL,
    name   TEXT NOT NULL,
    place  INTEGER NOT NULL,
    PRIMARY KEY (domain, id)
);

CREATE TABLE mapping (
    cve       BIGINT NOT NULL,
    technique TEXT COLLATE "C" NOT NULL,
    kind      TEXT COLLATE "C" NOT NULL,
    source    TEXT COLLATE "C" NOT NULL,
    comment   TEXT NOT NULL,
    day       BIGINT NOT NULL,
    PRIMARY KEY (cve, technique, kind, source)
);
CREATE INDEX mapping_technique ON mapping (technique);

-- What CWE says of a weakness and what CAPEC says of it are two rows, read as one.
CREATE TABLE weakness (
    id       TEXT COLLATE "C" NOT NULL,
    part     TEXT COLLATE "C" NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (id, part)
);

CREATE TABLE indicator (
    kind       TEXT COLLATE "C" NOT NULL,
    value      TEXT COLLATE "C" NOT NULL,
    port       INTEGER NOT NULL,
    source     TEXT COLLATE "C" NOT NULL,
    threat     TEXT COLLATE "C" NOT NULL,
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
);
