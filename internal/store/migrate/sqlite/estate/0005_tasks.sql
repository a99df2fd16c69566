-- +goose Up
-- What a scan is cut into, and who works on it. Beats change scan_control and not the generation.

-- hosts, found and skipped are JSON as estate_task.go writes them. ended and report are set before what the tool said is
-- committed, status after it.
CREATE TABLE task (
    scan     BIGINT  NOT NULL REFERENCES scan (id) ON DELETE CASCADE,
    n        INTEGER NOT NULL,
    scanner  TEXT    NOT NULL,
    stage    INTEGER NOT NULL,
    hosts    TEXT    NOT NULL,
    status   TEXT    NOT NULL,
    attempts INTEGER NOT NULL,
    started  BIGINT  NOT NULL,
    finished BIGINT  NOT NULL,
    version  TEXT    NOT NULL,
    error    TEXT    NOT NULL,
    ended    TEXT    NOT NULL,
    report   TEXT    NOT NULL,
    dropped  TEXT    NOT NULL,
    found    TEXT    NOT NULL,
    skipped  TEXT    NOT NULL,
    PRIMARY KEY (scan, n)
);

-- The request, with the addresses that its names led to, for whoever continues the scan. It is apart from scan_control,
-- which is written every second.
CREATE TABLE scan_job (
    scan BIGINT PRIMARY KEY REFERENCES scan (id) ON DELETE CASCADE,
    job  TEXT   NOT NULL
);

-- owner is the process that works on the scan, '' is none; it was alive at beat. wanted is pause, cancel or ''.
CREATE TABLE scan_control (
    scan    BIGINT  PRIMARY KEY REFERENCES scan (id) ON DELETE CASCADE,
    owner   TEXT    NOT NULL,
    beat    BIGINT  NOT NULL,
    wanted  TEXT    NOT NULL,
    paused  INTEGER NOT NULL,
    percent REAL    NOT NULL,
    stage   TEXT    NOT NULL,
    eta     BIGINT  NOT NULL,
    done    INTEGER NOT NULL,
    total   INTEGER NOT NULL
);
