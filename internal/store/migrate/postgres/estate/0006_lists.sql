-- +goose Up
-- What lists filter, sort and group by, derived from the other tables and kept column by column, so that any filter over
-- a million findings reads a few megabytes. See docs/decisions/0016-lists.md.

-- A block is 4,096 ids: finding id / 4096. data holds one number for each; lo and hi are the least and the greatest that
-- are not 0. A block that holds nothing but 0 has no row. stamp is the estate's generation that wrote the row.
CREATE TABLE list_column (
    col   INTEGER NOT NULL,
    block INTEGER NOT NULL,
    lo    BIGINT  NOT NULL,
    hi    BIGINT  NOT NULL,
    stamp BIGINT  NOT NULL,
    data  BYTEA   NOT NULL,
    PRIMARY KEY (col, block)
);
-- The numbers are packed already.
ALTER TABLE list_column ALTER COLUMN data SET STORAGE EXTERNAL;

-- The texts that columns hold by number, which starts at 1 and has no gaps. hash is the first 16 bytes of SHA-256.
CREATE TABLE list_word (
    id   BIGINT PRIMARY KEY,
    hash BYTEA NOT NULL UNIQUE,
    uses SMALLINT NOT NULL,
    body TEXT NOT NULL
);
-- The same for searching: of 1,024 words each its uses (a byte each, by id) and the texts in lower case, a line each.
CREATE TABLE list_words (
    block BIGINT PRIMARY KEY,
    uses  BYTEA NOT NULL,
    body  BYTEA NOT NULL
);

-- Findings whose columns are not up to date. The transaction that puts them here brings them up to date before it ends.
CREATE TABLE list_stale (finding BIGINT PRIMARY KEY);
INSERT INTO list_stale (finding) SELECT id FROM finding;

CREATE INDEX host_words ON host (owner, criticality, tags, id);
DROP INDEX finding_rank;

-- +goose StatementBegin
CREATE FUNCTION list_finding_stale() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO list_stale (finding) SELECT id FROM changed ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER list_finding_insert AFTER INSERT ON finding REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION list_finding_stale();
CREATE TRIGGER list_finding_update AFTER UPDATE ON finding REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION list_finding_stale();
CREATE TRIGGER list_finding_delete AFTER DELETE ON finding REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION list_finding_stale();

-- +goose StatementBegin
CREATE FUNCTION list_host_stale() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO list_stale (finding) SELECT id FROM finding WHERE host = new.id ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER list_host_update AFTER UPDATE OF address, site ON host
    FOR EACH ROW WHEN (old.address <> new.address OR old.site <> new.site) EXECUTE FUNCTION list_host_stale();

-- +goose StatementBegin
CREATE FUNCTION list_service_stale() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO list_stale (finding) SELECT id FROM finding
            WHERE host = new.host AND protocol = new.protocol AND port = new.port ON CONFLICT DO NOTHING;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO list_stale (finding) SELECT id FROM finding
            WHERE host = old.host AND protocol = old.protocol AND port = old.port ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER list_service_insert AFTER INSERT ON service FOR EACH ROW EXECUTE FUNCTION list_service_stale();
CREATE TRIGGER list_service_delete AFTER DELETE ON service FOR EACH ROW EXECUTE FUNCTION list_service_stale();
CREATE TRIGGER list_service_update AFTER UPDATE OF host, protocol, port, name, product ON service
    FOR EACH ROW WHEN (old.name <> new.name OR old.product <> new.product OR old.host <> new.host OR old.protocol <> new.protocol
        OR old.port <> new.port) EXECUTE FUNCTION list_service_stale();
