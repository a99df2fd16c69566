-- +goose Up
-- What the server does in the background (internal/job), and when schedules fired. None of it is in a list that is kept,
-- so that writing it leaves the generation as it is.

-- key '' and scan 0 are none. run_at 0 is at once, whatever the clock does. fence rises with each lease. Times are those
-- of the database server where there is one. The row is written every second while the job runs; what is long is in
-- job_body.
CREATE TABLE job (
    id           BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         TEXT    NOT NULL,
    lane         TEXT    NOT NULL,
    site         TEXT    NOT NULL,
    scan         BIGINT  NOT NULL,
    key          TEXT    NOT NULL,
    priority     INTEGER NOT NULL,
    who          TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    attempt      INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    run_at       BIGINT  NOT NULL,
    created      BIGINT  NOT NULL,
    started      BIGINT  NOT NULL,
    finished     BIGINT  NOT NULL,
    worker       TEXT    NOT NULL,
    fence        BIGINT  NOT NULL,
    beat         BIGINT  NOT NULL,
    cancel       INTEGER NOT NULL,
    percent      DOUBLE PRECISION NOT NULL,
    stage        TEXT    NOT NULL,
    error        TEXT    NOT NULL
) WITH (fillfactor = 70);

-- beat, percent and stage are in no index, so that a beat moves none.
CREATE UNIQUE INDEX job_key ON job (key) WHERE key <> '' AND state IN ('queued', 'running');
CREATE INDEX job_queued ON job (lane, kind, priority, id) WHERE state = 'queued';
CREATE INDEX job_state ON job (state, id);
CREATE INDEX job_scan ON job (scan, id) WHERE scan <> 0;
CREATE INDEX job_finished ON job (finished) WHERE finished <> 0;

-- args and result are JSON, '' is none.
CREATE TABLE job_body (
    job    BIGINT PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,
    args   TEXT NOT NULL,
    result TEXT NOT NULL
);

-- The moment for which each schedule fired last; whoever moves it on is the one who fires.
CREATE TABLE schedule (
    name  TEXT PRIMARY KEY,
    fired BIGINT NOT NULL
);

-- One row: what tells this installation from others, by which schedules are spread.
CREATE TABLE installation (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL);
