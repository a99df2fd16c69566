-- +goose Up
-- One row: the counter that every writing transaction bumps. Caches are keyed by it.
CREATE TABLE generation (id INTEGER PRIMARY KEY CHECK (id = 1), n BIGINT NOT NULL);
INSERT INTO generation (id, n) VALUES (1, 1);
