-- +goose Up
-- Who runs tools: the workers in other networks (lane is their site) and the server's own processes (lane ''), and the raw
-- reports that the former have sent. None of it is in a list that is kept. Times are as in job.

-- scanners is a JSON list of {"name","version","error","parallel"}.
CREATE TABLE worker (
    lane     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    version  TEXT    NOT NULL,
    scanners TEXT    NOT NULL,
    capacity INTEGER NOT NULL,
    started  BIGINT  NOT NULL,
    seen     BIGINT  NOT NULL,
    PRIMARY KEY (lane, name)
);

-- The raw report of a job that is not finished yet; one that another worker has by now has a row for each fence.
CREATE TABLE tool_report (
    job   BIGINT NOT NULL,
    fence BIGINT NOT NULL,
    hash  TEXT   NOT NULL,
    PRIMARY KEY (job, fence)
);
