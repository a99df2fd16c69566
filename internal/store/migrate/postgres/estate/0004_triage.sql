-- +goose Up
-- What people and their rules say of findings and hosts, and the history of it.

-- own is what people said themselves of assignee and labels (finding) or tags, owner, criticality and exposure (host), as
-- JSON, '' is nothing; the columns of these names are that and what rules add.
ALTER TABLE finding ADD COLUMN own TEXT NOT NULL DEFAULT '';
ALTER TABLE host ADD COLUMN own TEXT NOT NULL DEFAULT '';
UPDATE host SET own = '{"exposed":true}' WHERE exposed = 1;
UPDATE host SET own = '{"exposed":false}' WHERE exposed = 0;
CREATE INDEX finding_triage_rule ON finding (triage_rule) WHERE triage_rule <> 0;

-- about is finding or host; selects and says are JSON. hits is how many it had an effect on when the rules were last applied.
CREATE TABLE rule (
    id       BIGINT PRIMARY KEY,
    about    TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    created  BIGINT  NOT NULL,
    who      TEXT    NOT NULL,
    expires  BIGINT  NOT NULL,
    enabled  INTEGER NOT NULL,
    source   TEXT    NOT NULL,
    selects  TEXT    NOT NULL,
    says     TEXT    NOT NULL,
    hits     BIGINT  NOT NULL
);
CREATE INDEX rule_source ON rule (source);

-- Only ever added to. what is finding, host, rule or sensor; item its id, under which it was known then: see redirect.
CREATE TABLE change (
    id      BIGINT PRIMARY KEY,
    what    TEXT   NOT NULL,
    item    BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    who     TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    was     TEXT   NOT NULL,
    became  TEXT   NOT NULL,
    note    TEXT   NOT NULL,
    rule    BIGINT NOT NULL
);
CREATE INDEX change_item ON change (what, item, id);

-- The organisation's terms by which sla_due was computed, so that new terms are applied once.
CREATE TABLE terms (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL);
