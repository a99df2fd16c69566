-- +goose Up
-- Times are unix seconds, dates their midnight in UTC.

-- One row: the counter that every writing transaction bumps. Caches are keyed by it.
CREATE TABLE generation (id INTEGER PRIMARY KEY CHECK (id = 1), n BIGINT NOT NULL);
INSERT INTO generation (id, n) VALUES (1, 1);

-- id = year << 32 | number. record is catalogue's own encoding, hash its digest.
CREATE TABLE cve (
    id           INTEGER PRIMARY KEY,
    published    BIGINT NOT NULL,
    modified     BIGINT NOT NULL,
    status       TEXT   NOT NULL,
    cvss         DOUBLE PRECISION,
    cvss_version TEXT,
    cvss_source  TEXT,
    configured   INTEGER NOT NULL,
    hash         BIGINT NOT NULL,
    record       BLOB   NOT NULL
);
CREATE INDEX cve_published ON cve (published, id);

-- The packed rules of one product, in match's format 1.
CREATE TABLE product_pack1 (
    part    TEXT    NOT NULL,
    vendor  TEXT    NOT NULL,
    product TEXT    NOT NULL,
    cves    INTEGER NOT NULL,
    pack    BLOB    NOT NULL,
    PRIMARY KEY (part, vendor, product)
) WITHOUT ROWID;
CREATE INDEX product_pack1_name ON product_pack1 (product);

CREATE TABLE kev (
    cve        INTEGER PRIMARY KEY,
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
    cve        INTEGER PRIMARY KEY,
    score      DOUBLE PRECISION NOT NULL,
    percentile DOUBLE PRECISION NOT NULL,
    day        BIGINT NOT NULL,
    model      TEXT   NOT NULL
);

CREATE TABLE exploit (
    source    TEXT    NOT NULL,
    key       TEXT    NOT NULL,
    cve       INTEGER NOT NULL,
    title     TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    verified  INTEGER NOT NULL,
    published BIGINT,
    url       TEXT    NOT NULL,
    PRIMARY KEY (cve, source, key)
) WITHOUT ROWID;

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
    id        INTEGER PRIMARY KEY,
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

-- Contentless: the words only; the text is in cve.record.
CREATE VIRTUAL TABLE cve_text USING fts5 (
    title, products, description,
    content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2', detail = 'column'
);
