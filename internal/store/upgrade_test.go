package store_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// A catalogue of the first version has CVEs in one table; everything else about them must appear.
func TestACatalogueOfTheFirstVersionIsBroughtUp(t *testing.T) {
	storetest.Run(t, func(t *testing.T, e *storetest.Engine) {
		db, err := store.OpenAt(t.Context(), e.Options(), 1)
		if err != nil {
			t.Fatal(err)
		}
		fillFirst(t, db, e.Name)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		s := e.Open(t)
		syncer := catalogue.Syncer{Target: s.Catalogue()}
		if err := syncer.Upgrade(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, f := range map[string]catalogue.Filter{
			"all": {}, "its weakness": {CWE: "CWE-79"}, "its severity": {Severities: []string{"medium"}},
			"in KEV": {KEV: true, Sort: catalogue.SortDecision}, "a word": {Words: "widget"},
		} {
			page, err := s.Catalogue().Search(t.Context(), f)
			if err != nil || len(page.Hits) != 1 || page.Hits[0].Record.ID != cve.NewID(2020, 1234) {
				t.Errorf("%s: %+v, %v", name, page.Hits, err)
			}
		}
		if asked, err := s.Catalogue().Meta(t.Context(), catalogue.MetaStanding); err != nil || asked != "" {
			t.Errorf("it still asks to be brought up: %q, %v", asked, err)
		}
		if stats, err := s.Catalogue().Stats(t.Context()); err != nil || stats.Records != 1 {
			t.Errorf("stats %+v, %v", stats, err)
		}
	})
}

func fillFirst(t *testing.T, db *sql.DB, engine string) {
	t.Helper()
	r := &cve.Record{ID: cve.NewID(2020, 1234), Status: "Analyzed", Published: time.Unix(1.6e9, 0).UTC(), Modified: time.Unix(1.7e9, 0).UTC(),
		Description: "A widget shows scripts of others.", CWEs: []string{"CWE-79"},
		Metrics: []cve.Metric{{Version: "3.1", Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", Score: 6.1, Provider: cve.ProviderNVD}}}
	var e catalogue.Encoder
	stored, hash := e.Encode(nil, r)
	insert := `INSERT INTO cve (id, published, modified, status, cvss, cvss_version, cvss_source, configured, hash, record`
	values := `) VALUES ($1, $2, $3, 'Analyzed', 6.1, '3.1', 'nvd@nist.gov', 0, $4, $5`
	if engine == "postgres" {
		insert, values = insert+`, words`, values+`, to_tsvector('simple', 'widget')`
	}
	for _, statement := range []struct {
		text string
		args []any
	}{
		{insert + values + `)`, []any{int64(r.ID), r.Published.Unix(), r.Modified.Unix(), int64(hash), stored}},
		{`INSERT INTO kev (cve, vendor, product, name, added, ransomware, action) VALUES ($1, 'acme', 'widget', '', 0, 0, '')`, []any{int64(r.ID)}},
		{`INSERT INTO meta (key, value) VALUES ('origin', 'feeds'), ('summary:nvd', '1 0')`, nil},
	} {
		if _, err := db.ExecContext(t.Context(), statement.text, statement.args...); err != nil {
			t.Fatalf("%s: %v", statement.text, err)
		}
	}
}
