-- +goose Up
-- Which hosts changed, or what is known of their names, services and looks, since a generation of the estate: what a process
-- keeps of all hosts is brought up to date by them alone. stamp is the generation that the change made; 0 is one whose
-- transaction has not ended. Hosts that are gone stay, so that who keeps them learns it.
CREATE TABLE host_stamp (host INTEGER PRIMARY KEY, stamp BIGINT NOT NULL);
CREATE INDEX host_stamp_stamp ON host_stamp (stamp);

-- +goose StatementBegin
CREATE TRIGGER stamp_host_insert AFTER INSERT ON host BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = new.id AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT new.id, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = new.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_host_update AFTER UPDATE ON host BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = new.id AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT new.id, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = new.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_host_delete AFTER DELETE ON host BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = old.id AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT old.id, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = old.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_identifier_insert AFTER INSERT ON identifier BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = new.host AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT new.host, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = new.host);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_identifier_delete AFTER DELETE ON identifier BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = old.host AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT old.host, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = old.host);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_service_insert AFTER INSERT ON service BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = new.host AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT new.host, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = new.host);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_service_update AFTER UPDATE ON service BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = new.host AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT new.host, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = new.host);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_service_delete AFTER DELETE ON service BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = old.host AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT old.host, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = old.host);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_look_insert AFTER INSERT ON look BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = new.host AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT new.host, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = new.host);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_look_update AFTER UPDATE ON look BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = new.host AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT new.host, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = new.host);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_look_delete AFTER DELETE ON look BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = old.host AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT old.host, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = old.host);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_service_left AFTER UPDATE OF host ON service WHEN old.host <> new.host BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = old.host AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT old.host, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = old.host);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_look_left AFTER UPDATE OF host ON look WHEN old.host <> new.host BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = old.host AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT old.host, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = old.host);
END;
-- +goose StatementEnd
