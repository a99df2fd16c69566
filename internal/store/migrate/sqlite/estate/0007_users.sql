-- +goose Up
-- Who may ask, and who asked what. Nothing here can be used to log in: passwords are argon2id, sessions and tokens SHA-256.
-- Times are milliseconds since 1970, 0 is none; sites and scopes are JSON lists.

-- password is '' where only OpenID Connect logs in: issuer and subject.
CREATE TABLE account (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT    NOT NULL UNIQUE,
    password    TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    all_sites   INTEGER NOT NULL,
    sites       TEXT    NOT NULL,
    disabled    INTEGER NOT NULL,
    must_change INTEGER NOT NULL,
    issuer      TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    created     BIGINT  NOT NULL,
    login       BIGINT  NOT NULL
);
CREATE UNIQUE INDEX account_subject ON account (issuer, subject) WHERE issuer <> '';

-- idle is when it ends unless it is used, ends when it does in any case.
CREATE TABLE session (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    hash    BLOB    NOT NULL UNIQUE,
    account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created BIGINT  NOT NULL,
    used    BIGINT  NOT NULL,
    idle    BIGINT  NOT NULL,
    ends    BIGINT  NOT NULL,
    address TEXT    NOT NULL
);
CREATE INDEX session_account ON session (account);
CREATE INDEX session_idle ON session (idle);

-- A worker's token has the role worker and a site, and belongs to nobody.
CREATE TABLE token (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    hash      BLOB    NOT NULL UNIQUE,
    account   INTEGER REFERENCES account (id) ON DELETE CASCADE,
    name      TEXT    NOT NULL,
    role      TEXT    NOT NULL,
    site      TEXT    NOT NULL,
    all_sites INTEGER NOT NULL,
    sites     TEXT    NOT NULL,
    scopes    TEXT    NOT NULL,
    created   BIGINT  NOT NULL,
    who       TEXT    NOT NULL,
    expires   BIGINT  NOT NULL,
    used      BIGINT  NOT NULL,
    address   TEXT    NOT NULL,
    revoked   BIGINT  NOT NULL
);
CREATE INDEX token_account ON token (account);
CREATE INDEX token_worker ON token (site) WHERE site <> '';

-- Logins that failed, by the hash of what they are counted for: a name, an address, or both.
CREATE TABLE login_failure (
    hash     BLOB    PRIMARY KEY,
    failures INTEGER NOT NULL,
    last     BIGINT  NOT NULL,
    wait     BIGINT  NOT NULL
);
CREATE INDEX login_failure_last ON login_failure (last);

-- Logins with an OpenID provider that are under way, by the hash of their state.
CREATE TABLE login_flow (
    hash     BLOB    PRIMARY KEY,
    browser  BLOB    NOT NULL,
    nonce    TEXT   NOT NULL,
    verifier TEXT   NOT NULL,
    target   TEXT   NOT NULL,
    ends     BIGINT NOT NULL
);

-- Only ever added to, until it is too old.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      BIGINT NOT NULL,
    who     TEXT   NOT NULL,
    kind    TEXT   NOT NULL,
    account BIGINT NOT NULL,
    token   BIGINT NOT NULL,
    address TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    outcome TEXT   NOT NULL,
    detail  TEXT   NOT NULL
);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_who ON audit (who, id);
CREATE INDEX audit_action ON audit (action, id);
