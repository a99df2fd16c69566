-- +goose Up
-- Which hosts changed, or what is known of their names, services and looks, since a generation of the estate: what a process
-- keeps of all hosts is brought up to date by them alone. stamp is the generation that the change made; 0 is one whose
-- transaction has not ended. Hosts that are gone stay, so that who keeps them learns it.
CREATE TABLE host_stamp (host BIGINT PRIMARY KEY, stamp BIGINT NOT NULL);
CREATE INDEX host_stamp_stamp ON host_stamp (stamp);

-- +goose StatementBegin
CREATE FUNCTION stamp_host() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO host_stamp (host, stamp) SELECT DISTINCT id, 0 FROM changed
        ON CONFLICT (host) DO UPDATE SET stamp = 0 WHERE host_stamp.stamp <> 0;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION stamp_part() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO host_stamp (host, stamp) SELECT DISTINCT host, 0 FROM changed
        ON CONFLICT (host) DO UPDATE SET stamp = 0 WHERE host_stamp.stamp <> 0;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER stamp_host_insert AFTER INSERT ON host REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_host();
CREATE TRIGGER stamp_host_update AFTER UPDATE ON host REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_host();
CREATE TRIGGER stamp_host_delete AFTER DELETE ON host REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_host();
CREATE TRIGGER stamp_identifier_insert AFTER INSERT ON identifier REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_part();
CREATE TRIGGER stamp_identifier_delete AFTER DELETE ON identifier REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_part();
CREATE TRIGGER stamp_service_insert AFTER INSERT ON service REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_part();
CREATE TRIGGER stamp_service_update AFTER UPDATE ON service REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_part();
CREATE TRIGGER stamp_service_delete AFTER DELETE ON service REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_part();
CREATE TRIGGER stamp_look_insert AFTER INSERT ON look REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_part();
CREATE TRIGGER stamp_look_update AFTER UPDATE ON look REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_part();
CREATE TRIGGER stamp_look_delete AFTER DELETE ON look REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_part();
CREATE TRIGGER stamp_service_left AFTER UPDATE ON service REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_part();
CREATE TRIGGER stamp_look_left AFTER UPDATE ON look REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_part();
