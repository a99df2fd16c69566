-- +goose Up
-- A CVE's record and everything that it is filtered, sorted and judged by part company: the second is a tenth of the first.
CREATE TABLE cve_fact (
    id           BIGINT PRIMARY KEY,
    published    BIGINT  NOT NULL,
    modified     BIGINT  NOT NULL,
    rejected     INTEGER NOT NULL,
    severity     INTEGER NOT NULL, -- 5 critical … 1 info, 0 unknown
    cvss         DOUBLE PRECISION,
    configured   INTEGER NOT NULL,
    feeds        TEXT    NOT NULL, -- whose parts the record holds, blank-separated
    nvd_modified BIGINT  NOT NULL, -- these two are of NVD's part
    nvd_hash     BIGINT  NOT NULL,
    techniques   BIGINT  NOT NULL, -- bits of the rules that derive techniques
    kev          INTEGER NOT NULL,
    ransomware   INTEGER NOT NULL,
    epss         DOUBLE PRECISION,
    exploits     INTEGER NOT NULL, -- bits
    estimated    INTEGER NOT NULL, -- the likelihood is
    likelihood   BIGINT  NOT NULL, -- keys: ascending is most urgent first
    score        BIGINT  NOT NULL,
    rank         BIGINT  NOT NULL
);
INSERT INTO cve_fact SELECT id, published, modified, CASE status WHEN 'Rejected' THEN 1 ELSE 0 END, 0, cvss, configured, 'nvd', modified, hash, 0, 0, 0, NULL, 0, 0, 9999999, 9999999, 999999999999999 FROM cve;
CREATE INDEX cve_fact_published ON cve_fact (published, id);
CREATE INDEX cve_fact_likelihood ON cve_fact (likelihood, id DESC);
CREATE INDEX cve_fact_score ON cve_fact (score, id DESC);
CREATE INDEX cve_fact_rank ON cve_fact (rank, id DESC);
-- Few CVEs have an exploit, or an EPSS score where EPSS is old.
CREATE INDEX cve_fact_exploits ON cve_fact (exploits) WHERE exploits <> 0;
CREATE INDEX cve_fact_epss ON cve_fact (epss) WHERE epss IS NOT NULL;

CREATE TABLE cve_cwe (cve BIGINT NOT NULL, cwe INTEGER NOT NULL, PRIMARY KEY (cve, cwe));
CREATE INDEX cve_cwe_cwe ON cve_cwe (cwe, cve);

-- Which CVEs a generation changed in place, for indexes that are kept elsewhere. A catalogue that was built anew begins
-- an empty list.
CREATE TABLE cve_change (generation BIGINT NOT NULL, cve BIGINT NOT NULL, PRIMARY KEY (generation, cve));

ALTER TABLE cve ALTER COLUMN words SET STORAGE EXTERNAL; -- compressing them takes longer than reading them
DROP INDEX cve_published;
ALTER TABLE cve DROP COLUMN published, DROP COLUMN modified, DROP COLUMN status, DROP COLUMN cvss, DROP COLUMN cvss_version,
    DROP COLUMN cvss_source, DROP COLUMN configured, DROP COLUMN hash;

-- What is stored must be judged anew by the program; a new catalogue has nothing to judge.
INSERT INTO meta (key, value) SELECT 'standing', 'stale' WHERE EXISTS (SELECT 1 FROM cve);
INSERT INTO meta (key, value) SELECT 'summary:everything', value FROM meta WHERE key = 'summary:nvd';
