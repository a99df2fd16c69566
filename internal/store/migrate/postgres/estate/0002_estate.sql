-- +goose Up
-- Times are unix milliseconds, 0 is none: two scans of one host within a second must not read as one. Truth values are 0 and 1; lists are JSON arrays. ids are public numbers that are
-- never given twice: they come from sequence, within the transaction that uses them.

CREATE TABLE sequence (name TEXT PRIMARY KEY, last BIGINT NOT NULL);

CREATE TABLE site (
    id       BIGINT PRIMARY KEY,
    name     TEXT    NOT NULL UNIQUE,
    external INTEGER NOT NULL,
    demo     INTEGER NOT NULL
);
INSERT INTO site (id, name, external, demo) VALUES (1, 'default', 0, 0);
INSERT INTO sequence (name, last) VALUES ('site', 1);

CREATE TABLE host (
    id         BIGINT PRIMARY KEY,
    site       BIGINT  NOT NULL REFERENCES site (id) ON DELETE CASCADE,
    address    TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    os         TEXT    NOT NULL,
    cpes       TEXT    NOT NULL,
    tags       TEXT    NOT NULL,
    exposed    INTEGER,
    demo       INTEGER NOT NULL,
    first_seen BIGINT  NOT NULL,
    last_seen  BIGINT  NOT NULL
);
CREATE INDEX host_site ON host (site);
CREATE INDEX host_demo ON host (demo) WHERE demo = 1;

CREATE TABLE identifier (
    host       BIGINT NOT NULL REFERENCES host (id) ON DELETE CASCADE,
    kind       TEXT COLLATE "C" NOT NULL,
    value      TEXT COLLATE "C" NOT NULL,
    source     TEXT   NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen  BIGINT NOT NULL,
    PRIMARY KEY (host, kind, value, source)
);
CREATE INDEX identifier_value ON identifier (value, kind);

-- said is every sensor's last word, from which the other columns were chosen.
CREATE TABLE service (
    id         BIGINT PRIMARY KEY,
    host       BIGINT  NOT NULL REFERENCES host (id) ON DELETE CASCADE,
    protocol   TEXT    NOT NULL,
    port       INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    product    TEXT    NOT NULL,
    version    TEXT    NOT NULL,
    cpes       TEXT    NOT NULL,
    tls        INTEGER NOT NULL,
    banner     TEXT    NOT NULL,
    backport   TEXT    NOT NULL,
    said       TEXT    NOT NULL,
    candidates INTEGER NOT NULL,
    demo       INTEGER NOT NULL,
    first_seen BIGINT  NOT NULL,
    last_seen  BIGINT  NOT NULL,
    UNIQUE (host, protocol, port)
);

CREATE TABLE scan (
    id         BIGINT PRIMARY KEY,
    kind       TEXT COLLATE "C" NOT NULL,
    site       TEXT    NOT NULL,
    targets    TEXT    NOT NULL,
    profile    TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    asked_by   TEXT    NOT NULL,
    created    BIGINT  NOT NULL,
    started    BIGINT  NOT NULL,
    completed  BIGINT  NOT NULL,
    scanners   TEXT    NOT NULL,
    catalogue  TEXT    NOT NULL,
    generation BIGINT  NOT NULL,
    hosts      INTEGER NOT NULL,
    silent     INTEGER NOT NULL,
    services   INTEGER NOT NULL,
    findings   INTEGER NOT NULL,
    demo       INTEGER NOT NULL
);

-- How each host answered a scan and where; place is its address, or its name where it has none; host is NULL for one that is silent and not known.
CREATE TABLE scan_host (
    scan    BIGINT NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
    place   TEXT   NOT NULL,
    address TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    host    BIGINT REFERENCES host (id) ON DELETE CASCADE,
    status  TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    ports   TEXT   NOT NULL,
    PRIMARY KEY (scan, place)
);
CREATE INDEX scan_host_host ON scan_host (host);

-- What was completely looked at: ports are ranges ("22,80-90").
CREATE TABLE look (
    id       BIGINT PRIMARY KEY,
    host     BIGINT NOT NULL REFERENCES host (id) ON DELETE CASCADE,
    sensor   TEXT   NOT NULL,
    scan     BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    protocol TEXT   NOT NULL,
    ports    TEXT   NOT NULL,
    open     TEXT   NOT NULL,
    known    TEXT   NOT NULL,
    checks   BYTEA
);
CREATE INDEX look_host ON look (host, at);
CREATE INDEX look_scan ON look (scan);

-- Long texts once, by SHA-256.
CREATE TABLE text (hash BYTEA PRIMARY KEY, body TEXT NOT NULL);

CREATE TABLE finding (
    id                BIGINT PRIMARY KEY,
    host              BIGINT  NOT NULL REFERENCES host (id) ON DELETE CASCADE,
    protocol          TEXT    NOT NULL,
    port              INTEGER NOT NULL,
    component         TEXT    NOT NULL,
    weakness          TEXT    NOT NULL,
    withdrawn         BIGINT  NOT NULL,
    triage            TEXT    NOT NULL,
    triage_until      BIGINT  NOT NULL,
    triage_by         TEXT    NOT NULL,
    triage_at         BIGINT  NOT NULL,
    triage_note       TEXT    NOT NULL,
    demo              INTEGER NOT NULL,
    state             TEXT    NOT NULL,
    first_seen        BIGINT  NOT NULL,
    last_seen         BIGINT  NOT NULL,
    closed_at         BIGINT  NOT NULL,
    closed_by         TEXT    NOT NULL,
    closing           TEXT    NOT NULL,
    title             TEXT    NOT NULL,
    remedy            TEXT    NOT NULL,
    location          TEXT    NOT NULL,
    vector            TEXT    NOT NULL,
    vector_by         TEXT    NOT NULL,
    status            TEXT    NOT NULL,
    confidence        INTEGER NOT NULL,
    reason            TEXT    NOT NULL,
    severity          TEXT    NOT NULL,
    cvss              DOUBLE PRECISION,
    cvss_version      TEXT    NOT NULL,
    cvss_source       TEXT    NOT NULL,
    cvss_vector       TEXT    NOT NULL,
    epss              DOUBLE PRECISION,
    epss_percentile   DOUBLE PRECISION,
    kev               INTEGER NOT NULL,
    exploited         INTEGER NOT NULL,
    exploited_source  TEXT    NOT NULL,
    score             DOUBLE PRECISION,
    score_partial     INTEGER NOT NULL,
    likelihood        DOUBLE PRECISION,
    likelihood_source TEXT    NOT NULL,
    decision          TEXT    NOT NULL,
    decision_since    BIGINT  NOT NULL,
    due               BIGINT  NOT NULL,
    forensics         INTEGER NOT NULL,
    assumed           TEXT    NOT NULL,
    derived           TEXT    NOT NULL,
    exposed           INTEGER NOT NULL,
    exposed_why       TEXT    NOT NULL,
    rank_key          TEXT COLLATE "C" NOT NULL,
    UNIQUE (host, protocol, port, component, weakness)
);
CREATE INDEX finding_rank ON finding (rank_key, id);
CREATE INDEX finding_weakness ON finding (weakness);

CREATE TABLE evidence (
    id         BIGINT PRIMARY KEY,
    finding    BIGINT  NOT NULL REFERENCES finding (id) ON DELETE CASCADE,
    sensor     TEXT    NOT NULL,
    chk        TEXT    NOT NULL,
    first_seen BIGINT  NOT NULL,
    last_seen  BIGINT  NOT NULL,
    first_scan BIGINT  NOT NULL,
    last_scan  BIGINT  NOT NULL,
    status     TEXT    NOT NULL,
    confidence INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    criteria   TEXT    NOT NULL,
    needs      TEXT    NOT NULL,
    fixed_in   TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    output     BYTEA,
    location   TEXT    NOT NULL,
    remedy     TEXT    NOT NULL,
    vector     TEXT    NOT NULL
);
CREATE INDEX evidence_finding ON evidence (finding);
CREATE INDEX evidence_first_scan ON evidence (first_scan);
CREATE INDEX evidence_last_scan ON evidence (last_scan);

-- Raw reports: zstd, by the SHA-256 (hex) of what the tool wrote.
CREATE TABLE blob (
    hash   TEXT   PRIMARY KEY,
    size   BIGINT NOT NULL,
    stored BYTEA   NOT NULL
);

-- One row per raw report that was read: its ledger. report is NULL when the raw report is not kept any more.
CREATE TABLE ledger (
    id            BIGINT PRIMARY KEY,
    scan          BIGINT  NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
    file          TEXT    NOT NULL,
    tool          TEXT    NOT NULL,
    report        TEXT,
    records       INTEGER NOT NULL,
    expanded      INTEGER NOT NULL,
    hosts         INTEGER NOT NULL,
    hosts_up      INTEGER NOT NULL,
    services      INTEGER NOT NULL,
    new           INTEGER NOT NULL,
    merged        INTEGER NOT NULL,
    informational INTEGER NOT NULL,
    dropped       TEXT    NOT NULL,
    cves          INTEGER NOT NULL,
    matched       INTEGER NOT NULL,
    unknown       INTEGER NOT NULL,
    at            BIGINT  NOT NULL
);
CREATE INDEX ledger_scan ON ledger (scan);
