-- +goose Up
-- Times are unix seconds, dates their midnight in UTC.

-- One row: the counter that every writing transaction bumps. Caches are keyed by it.
CREATE TABLE generation (id INTEGER PRIMARY KEY CHECK (id = 1), n BIGINT NOT NULL);
INSERT INTO generation (id, n) VALUES (1, 1);

-- id = year << 32 | number. record is catalogue's own encoding, hash its digest, words the searchable text.
CREATE TABLE cve (
    id           BIGINT PRIMARY KEY,
    published    BIGINT NOT NULL,
    modified     BIGINT NOT NULL,
    status       TEXT   NOT NULL,
    cvss         DOUBLE PRECISION,
    cvss_version TEXT,
    cvss_source  TEXT,
    configured   INTEGER NOT NULL,
    hash         BIGINT NOT NULL,
    record       BYTEA  NOT NULL,
    words        TSVECTOR NOT NULL
);
ALTER TABLE cve ALTER COLUMN record SET STORAGE EXTERNAL; -- it is compressed already
CREATE INDEX cve_published ON cve (published, id);
CREATE INDEX cve_words ON cve USING gin (words);

-- The packed rules of one product, in match's format 1.
CREATE TABLE product_pack1 (
    part    TEXT    COLLATE "C" NOT NULL,
    vendor  TEXT    COLLATE "C" NOT NULL,
    product TEXT    COLLATE "C" NOT NULL,
    cves    INTEGER NOT NULL,
    pack    BYTEA   NOT NULL,
    PRIMARY KEY (part, vendor, product)
);
CREATE INDEX product_pack1_name ON product_pack1 (product);

CREATE TABLE kev (
    cve        BIGINT  PRIMARY KEY,
    vendor     TEXT    NOT NULL,
    product    TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    added      BIGINT  NOT NULL,
    due        BIGINT,
    ransomware INTEGER NOT NULL,
    action     TEXT    NOT NULL
);

-- The current day only.
CREATE TABLE epss (
    cve        BIGINT PRIMARY KEY,
    score      DOUBLE PRECISION NOT NULL,
    percentile DOUBLE PRECISION NOT NULL,
    day        BIGINT NOT NULL,
    model      TEXT   NOT NULL
);

CREATE TABLE exploit (
    source    TEXT    NOT NULL,
    key       TEXT    COLLATE "C" NOT NULL,
    cve       BIGINT  NOT NULL,
    title     TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    verified  INTEGER NOT NULL,
    published BIGINT,
    url       TEXT    NOT NULL,
    PRIMARY KEY (cve, source, key)
);

-- What was read last with success, so that the same file is not read again.
CREATE TABLE feed_file (
    feed     TEXT   NOT NULL,
    name     TEXT   NOT NULL,
    checksum TEXT   NOT NULL,
    size     BIGINT NOT NULL,
    loaded   BIGINT NOT NULL,
    PRIMARY KEY (feed, name)
);

CREATE TABLE run (
    id        BIGINT  PRIMARY KEY,
    feed      TEXT    NOT NULL,
    source    TEXT    NOT NULL,
    status    TEXT    NOT NULL,
    seen      BIGINT  NOT NULL,
    inserted  BIGINT  NOT NULL,
    updated   BIGINT  NOT NULL,
    unchanged BIGINT  NOT NULL,
    rejected  BIGINT  NOT NULL,
    reasons   TEXT    NOT NULL,
    started   BIGINT  NOT NULL,
    finished  BIGINT  NOT NULL,
    error     TEXT    NOT NULL
);
CREATE INDEX run_feed ON run (feed, id);

-- Facts about the catalogue itself: where its records come from (starter, feeds), record count, newest change.
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
