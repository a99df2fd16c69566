-- +goose Up
-- Conversations with the assistant, which peers of it an administrator accepted, and what an index of the estate's texts
-- must read again. Nothing of the estate depends on conversations: writing one changes no generation.

-- name is what its owner calls a conversation by. account is NULL where nobody has to log in; who names the owner then.
CREATE TABLE chat_session (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    account   INTEGER REFERENCES account (id) ON DELETE CASCADE,
    who       TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    title     TEXT    NOT NULL,
    started   BIGINT  NOT NULL,
    last      BIGINT  NOT NULL
);
CREATE UNIQUE INDEX chat_session_name ON chat_session (coalesce(account, 0), who, name);
CREATE INDEX chat_session_account ON chat_session (account);
CREATE INDEX chat_session_last ON chat_session (last);

-- context and answer are JSON; good is 1, 0 or, without feedback, NULL.
CREATE TABLE chat_message (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    session     INTEGER NOT NULL REFERENCES chat_session (id) ON DELETE CASCADE,
    at          BIGINT  NOT NULL,
    question    TEXT    NOT NULL,
    context     TEXT    NOT NULL,
    answer      TEXT    NOT NULL,
    good        INTEGER,
    comment     TEXT    NOT NULL,
    feedback_at BIGINT  NOT NULL
);
CREATE INDEX chat_message_session ON chat_message (session, id);

-- peer is model, embeddings or vectors; it holds for one address.
CREATE TABLE assistant_consent (
    peer TEXT   PRIMARY KEY,
    url  TEXT   NOT NULL,
    who  TEXT   NOT NULL,
    at   BIGINT NOT NULL
);

-- The identity of the estate: an index of another one's texts is none of this. A restored backup is another one.
CREATE TABLE estate_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);

-- Findings and hosts that are gone, or left a site, and scans that changed or are gone, as host_stamp has what changed.
CREATE TABLE text_change (
    kind  TEXT   NOT NULL, -- finding, host, scan
    id    BIGINT NOT NULL,
    site  BIGINT NOT NULL,
    stamp BIGINT NOT NULL,
    PRIMARY KEY (kind, id, site)
) WITHOUT ROWID;
CREATE INDEX text_change_stamp ON text_change (stamp);

-- +goose StatementBegin
CREATE TRIGGER stamp_finding_insert AFTER INSERT ON finding BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = new.host AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT new.host, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = new.host);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_finding_update AFTER UPDATE ON finding
    WHEN old.title <> new.title OR old.weakness <> new.weakness OR old.component <> new.component OR old.host <> new.host
        OR old.location <> new.location OR old.remedy_name <> new.remedy_name OR old.protocol <> new.protocol OR old.port <> new.port BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = new.host AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT new.host, 0 WHERE NOT EXISTS (SELECT 1 FROM host_stamp WHERE host = new.host);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_evidence_insert AFTER INSERT ON evidence BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = (SELECT host FROM finding WHERE id = new.finding) AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT host, 0 FROM finding
        WHERE id = new.finding AND NOT EXISTS (SELECT 1 FROM host_stamp s WHERE s.host = finding.host);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER stamp_evidence_update AFTER UPDATE ON evidence WHEN old.output IS NOT new.output OR old.finding <> new.finding BEGIN
    UPDATE host_stamp SET stamp = 0 WHERE host = (SELECT host FROM finding WHERE id = new.finding) AND stamp <> 0;
    INSERT INTO host_stamp (host, stamp) SELECT host, 0 FROM finding
        WHERE id = new.finding AND NOT EXISTS (SELECT 1 FROM host_stamp s WHERE s.host = finding.host);
END;
-- +goose StatementEnd

-- What goes with its host is noted while the host still says which site it was of.
-- +goose StatementBegin
CREATE TRIGGER text_host_delete BEFORE DELETE ON host BEGIN
    UPDATE text_change SET stamp = 0 WHERE kind = 'host' AND id = old.id AND site = old.site AND stamp <> 0;
    INSERT INTO text_change (kind, id, site, stamp) SELECT 'host', old.id, old.site, 0
        WHERE NOT EXISTS (SELECT 1 FROM text_change WHERE kind = 'host' AND id = old.id AND site = old.site);
    INSERT INTO text_change (kind, id, site, stamp) SELECT 'finding', f.id, old.site, 0 FROM finding f
        WHERE f.host = old.id AND NOT EXISTS (SELECT 1 FROM text_change c WHERE c.kind = 'finding' AND c.id = f.id AND c.site = old.site);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER text_host_site AFTER UPDATE OF site ON host WHEN old.site <> new.site BEGIN
    UPDATE text_change SET stamp = 0 WHERE site = old.site AND stamp <> 0
        AND (kind = 'host' AND id = old.id OR kind = 'finding' AND id IN (SELECT id FROM finding WHERE host = old.id));
    INSERT INTO text_change (kind, id, site, stamp) SELECT 'host', old.id, old.site, 0
        WHERE NOT EXISTS (SELECT 1 FROM text_change WHERE kind = 'host' AND id = old.id AND site = old.site);
    INSERT INTO text_change (kind, id, site, stamp) SELECT 'finding', f.id, old.site, 0 FROM finding f
        WHERE f.host = old.id AND NOT EXISTS (SELECT 1 FROM text_change c WHERE c.kind = 'finding' AND c.id = f.id AND c.site = old.site);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER text_finding_delete AFTER DELETE ON finding BEGIN
    INSERT INTO text_change (kind, id, site, stamp) SELECT 'finding', old.id, h.site, 0 FROM host h
        WHERE h.id = old.host AND NOT EXISTS (SELECT 1 FROM text_change c WHERE c.kind = 'finding' AND c.id = old.id AND c.site = h.site);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER text_finding_host AFTER UPDATE OF host ON finding WHEN old.host <> new.host BEGIN
    INSERT INTO text_change (kind, id, site, stamp) SELECT 'finding', old.id, o.site, 0 FROM host o JOIN host n ON n.id = new.host
        WHERE o.id = old.host AND o.site <> n.site
        AND NOT EXISTS (SELECT 1 FROM text_change c WHERE c.kind = 'finding' AND c.id = old.id AND c.site = o.site);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER text_scan_insert AFTER INSERT ON scan BEGIN
    INSERT INTO text_change (kind, id, site, stamp) SELECT 'scan', new.id, coalesce((SELECT id FROM site WHERE name = new.site), 0), 0
        WHERE NOT EXISTS (SELECT 1 FROM text_change WHERE kind = 'scan' AND id = new.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER text_scan_update AFTER UPDATE ON scan WHEN old.status <> new.status OR old.targets <> new.targets OR old.scanners <> new.scanners
    OR old.reason <> new.reason OR old.completed <> new.completed BEGIN
    UPDATE text_change SET stamp = 0 WHERE kind = 'scan' AND id = new.id AND stamp <> 0;
    INSERT INTO text_change (kind, id, site, stamp) SELECT 'scan', new.id, coalesce((SELECT id FROM site WHERE name = new.site), 0), 0
        WHERE NOT EXISTS (SELECT 1 FROM text_change WHERE kind = 'scan' AND id = new.id);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER text_scan_delete AFTER DELETE ON scan BEGIN
    UPDATE text_change SET stamp = 0 WHERE kind = 'scan' AND id = old.id AND stamp <> 0;
    INSERT INTO text_change (kind, id, site, stamp) SELECT 'scan', old.id, coalesce((SELECT id FROM site WHERE name = old.site), 0), 0
        WHERE NOT EXISTS (SELECT 1 FROM text_change WHERE kind = 'scan' AND id = old.id);
END;
-- +goose StatementEnd
