-- +goose Up
-- What may be scanned by people of a server beside loopback and private networks, and what may not.

-- target is a network, address, host name or *.DOMAIN; deny 1 forbids it. site '' is every site, role '' everybody who may
-- scan, account NULL everybody. expires is the last UTC day, 0 is never.
CREATE TABLE scope_rule (
    id      INTEGER PRIMARY KEY,
    target  TEXT    NOT NULL,
    deny    INTEGER NOT NULL,
    site    TEXT    NOT NULL,
    role    TEXT    NOT NULL,
    account INTEGER REFERENCES account (id) ON DELETE CASCADE,
    note    TEXT    NOT NULL,
    who     TEXT    NOT NULL,
    at      BIGINT  NOT NULL,
    expires BIGINT  NOT NULL
);
CREATE INDEX scope_rule_account ON scope_rule (account);
