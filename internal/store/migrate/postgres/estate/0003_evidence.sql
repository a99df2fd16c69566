-- +goose Up
-- What the reports of every scanner say beyond versions and checks, and what each scan saw, so that it can be taken back.

ALTER TABLE host ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE host ADD COLUMN criticality TEXT NOT NULL DEFAULT '';

-- kind is vulnerability or compliance; result, benchmark and reference belong to the latter. severity_by says who gave the
-- severity. remedy_key groups what one action fixes. rule is the rule that set the triage, 0 is a person.
ALTER TABLE finding ADD COLUMN kind TEXT NOT NULL DEFAULT 'vulnerability';
ALTER TABLE finding ADD COLUMN result TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN benchmark TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN reference TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN cwes TEXT NOT NULL DEFAULT '[]';
ALTER TABLE finding ADD COLUMN severity_by TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN remedy_key TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN remedy_name TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN fixed_in TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN chk TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN assignee TEXT NOT NULL DEFAULT '';
ALTER TABLE finding ADD COLUMN labels TEXT NOT NULL DEFAULT '[]';
ALTER TABLE finding ADD COLUMN sla_due BIGINT NOT NULL DEFAULT 0;
ALTER TABLE finding ADD COLUMN triage_rule BIGINT NOT NULL DEFAULT 0;

ALTER TABLE evidence ADD COLUMN policy TEXT NOT NULL DEFAULT '';
ALTER TABLE evidence ADD COLUMN severity TEXT NOT NULL DEFAULT '';
ALTER TABLE evidence ADD COLUMN cwes TEXT NOT NULL DEFAULT '[]';
ALTER TABLE evidence ADD COLUMN refs TEXT NOT NULL DEFAULT '[]';
ALTER TABLE evidence ADD COLUMN result TEXT NOT NULL DEFAULT '';
ALTER TABLE evidence ADD COLUMN benchmark TEXT NOT NULL DEFAULT '';
ALTER TABLE evidence ADD COLUMN reference TEXT NOT NULL DEFAULT '';

ALTER TABLE look ADD COLUMN policy TEXT NOT NULL DEFAULT '';

-- What one report said of one host: said is the host and its services as JSON, seen the findings and checks that it saw.
-- place tells reports of one host apart (its addresses).
CREATE TABLE sighting (
    scan   BIGINT NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
    host   BIGINT NOT NULL REFERENCES host (id) ON DELETE CASCADE,
    sensor TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    place  TEXT   NOT NULL,
    said   BYTEA  NOT NULL,
    seen   BYTEA  NOT NULL,
    PRIMARY KEY (scan, host, sensor, at, place)
);
CREATE INDEX sighting_host ON sighting (host, at);

-- Ids that were joined into another: what was known under the old one is found under the new one.
CREATE TABLE redirect (
    what TEXT   NOT NULL, -- finding, host
    old  BIGINT NOT NULL,
    new  BIGINT NOT NULL,
    at   BIGINT NOT NULL,
    PRIMARY KEY (what, old)
);

-- Large raw reports are kept in pieces, so that no reader or writer holds one whole.
CREATE TABLE blob_part (
    hash   TEXT    NOT NULL REFERENCES blob (hash) ON DELETE CASCADE,
    n      INTEGER NOT NULL,
    stored BYTEA  NOT NULL,
    PRIMARY KEY (hash, n)
);
ALTER TABLE blob ADD COLUMN at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX ledger_report ON ledger (report);

-- A person's word that ends findings until they are seen again: host_retired (host), by_person (host and finding),
-- sensor_retired (site and sensor).
CREATE TABLE decree (
    id      BIGINT PRIMARY KEY,
    site    BIGINT NOT NULL REFERENCES site (id) ON DELETE CASCADE,
    host    BIGINT REFERENCES host (id) ON DELETE CASCADE,
    finding BIGINT REFERENCES finding (id) ON DELETE CASCADE,
    sensor  TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    reason  TEXT   NOT NULL,
    who     TEXT   NOT NULL,
    note    TEXT   NOT NULL
);
CREATE INDEX decree_host ON decree (host);
CREATE INDEX decree_sensor ON decree (site, sensor) WHERE host IS NULL;
