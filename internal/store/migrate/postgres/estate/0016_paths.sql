-- +goose Up
-- What people say of attack paths, and when the risk of findings was worked out. The policy of the network is a setting.

-- edge names what it is about (attackpath.EdgeKey) with the ids that were good then: see redirect. It refers to nothing, so
-- that a person's word outlives what is made anew. chance is NULL unless says is 'chance'.
CREATE TABLE path_correction (
    id     BIGINT PRIMARY KEY,
    edge   TEXT   NOT NULL,
    says   TEXT   NOT NULL,
    chance DOUBLE PRECISION,
    note   TEXT   NOT NULL,
    who    TEXT   NOT NULL,
    at     BIGINT NOT NULL
);

-- One row, once paths ran over the whole estate: for which generation, and which generation writing it made. What each finding
-- takes off the risk is column 31 of list_column, written in the same transaction: 0 is not worked out, others are one more
-- than the bits of the number as a float of 32 bits. Lists made anew need not have it; then it is worked out anew.
CREATE TABLE path_run (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    at         BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    written    BIGINT NOT NULL
);
