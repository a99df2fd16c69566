-- +goose Up
-- What people keep of the pages: their views, and when they looked last. And when findings were away, for the trend.

-- search is what stands behind the page's path in its address. account is NULL where nobody has to log in, and of a shared
-- view whose owner was removed; who names the owner then.
CREATE TABLE saved_view (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    account INTEGER REFERENCES account (id) ON DELETE SET NULL,
    who     TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    page    TEXT    NOT NULL,
    search  TEXT    NOT NULL,
    shared  INTEGER NOT NULL,
    created BIGINT  NOT NULL
);
CREATE UNIQUE INDEX saved_view_name ON saved_view (coalesce(account, 0), who, page, name);
CREATE INDEX saved_view_account ON saved_view (account);

CREATE TABLE visit (
    account INTEGER PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    at      BIGINT NOT NULL
);

-- When a finding was away: ended and seen again later, oldest first ("1793512800000-1793599200000+", + was fixed, - ended
-- for another reason). '' is never, '?' is not worked out yet: it follows from evidence, looks and decrees.
ALTER TABLE finding ADD COLUMN lapses TEXT NOT NULL DEFAULT '';
UPDATE finding SET lapses = '?' WHERE state = 'reopened'
    OR state IN ('fixed', 'closed') AND (
        EXISTS (SELECT 1 FROM evidence e JOIN evidence o ON o.finding = e.finding AND o.id > e.id WHERE e.finding = finding.id)
        OR EXISTS (SELECT 1 FROM decree d WHERE d.host = finding.host OR d.host IS NULL));
CREATE INDEX finding_lapses ON finding (host) WHERE lapses = '?';

-- The lists now know when a finding ended.
INSERT INTO list_stale (finding) SELECT id FROM finding WHERE closed_at > 0 AND id NOT IN (SELECT finding FROM list_stale);
