package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/epss"
	"github.com/patchscout/patchscout/internal/feed/exploitdb"
	"github.com/patchscout/patchscout/internal/feed/kev"
	"github.com/patchscout/patchscout/internal/feed/metasploit"
	"github.com/patchscout/patchscout/internal/feed/nvd"
	"github.com/patchscout/patchscout/internal/intel"
)

// row is one CVE as the day knew it, and whether it entered KEV after it.
type row struct {
	id        cve.ID
	published time.Time
	metric    cve.Metric
	cwes      []string
	epss      float64
	exploits  []intel.Exploit // dated on the day or before
	proven    []intel.Exploit // of these, the ones that were certainly published by then
	entered   bool
}

// counts says what became of the CVEs and the evidence, for the note.
type counts struct {
	cves, later, rejected, unscored, noEPSS, listed int
	positives, withExploit, kevWithoutRow           int
	exploits, undatedModules, laterExploits         int
	modules, provenModules                          int
	epssFile, kevNewest                             string
}

// world is what the feeds hold of the CVEs in question.
type world struct {
	feed.Nothing
	protocol
	n        counts
	records  []row
	epss     map[cve.ID]float64
	kev      map[cve.ID]time.Time
	exploits map[cve.ID][]intel.Exploit
	changed  map[string]time.Time // Metasploit module -> its last change
}

func (p protocol) load(ctx context.Context) (*world, error) {
	w := &world{protocol: p, epss: map[cve.ID]float64{}, kev: map[cve.ID]time.Time{}, exploits: map[cve.ID][]intel.Exploit{}}
	publishers := []feed.Publisher{nvd.Reader{}, kev.Reader{}, epss.Reader{}, exploitdb.Reader{}, metasploit.Reader{}}
	g, err := feed.Gather(ctx, feed.Options{Publishers: publishers, From: p.feeds, Feeds: []string{
		"nvd", "kev", "epss", "exploitdb", "metasploit"}})
	if err != nil {
		return nil, err
	}
	for i, found := range g.Feeds {
		if found.Err != nil {
			return nil, found.Err
		}
		for _, file := range w.choose(found) {
			if err := feed.ReadFile(ctx, publishers[i], file, w); err != nil {
				return nil, err
			}
			if found.Feed == "metasploit" {
				if w.changed, err = lastChanges(ctx, file); err != nil {
					return nil, err
				}
			}
		}
	}
	return w, nil
}

// choose keeps the files that the protocol may read: NVD's of its years, EPSS's newest of the day or before.
func (w *world) choose(g feed.Gathered) []feed.File {
	switch g.Feed {
	case "nvd":
		return slices.DeleteFunc(g.Files, func(f feed.File) bool {
			var year int
			_, err := fmt.Sscanf(f.Name, "nvdcve-2.0-%d.json", &year)
			return err != nil || year < w.from || year > w.to
		})
	case "epss":
		files := slices.DeleteFunc(g.Files, func(f feed.File) bool {
			day, ok := feed.Date(strings.TrimSuffix(strings.TrimPrefix(f.Name, "epss_scores-"), ".csv"))
			return !ok || day.After(w.day)
		})
		if len(files) > 1 {
			files = files[len(files)-1:]
		}
		return files
	}
	return g.Files
}

func (w *world) mine(id cve.ID) bool { return id.Year() >= w.from && id.Year() <= w.to }

// CVE implements feed.Sink.
func (w *world) CVE(r *cve.Record) error {
	if !w.mine(r.ID) {
		return nil
	}
	w.n.cves++
	metric, scored := r.Score()
	switch {
	case r.Published.After(w.day.AddDate(0, 0, 1).Add(-1)):
		w.n.later++
	case r.Rejected():
		w.n.rejected++
	case !scored:
		w.n.unscored++
	default:
		w.records = append(w.records, row{id: r.ID, published: r.Published, metric: metric, cwes: r.CWEs})
	}
	return nil
}

// EPSS implements feed.Sink.
func (w *world) EPSS(e intel.EPSS) error {
	if w.mine(e.CVE) {
		w.epss[e.CVE] = e.Score
	}
	w.n.epssFile = fmt.Sprintf("%s of %s", e.Model, e.Date.Format(time.DateOnly))
	return nil
}

// KEV implements feed.Sink.
func (w *world) KEV(k intel.KEV) error {
	if w.mine(k.CVE) {
		w.kev[k.CVE] = k.Added
	}
	if day := k.Added.Format(time.DateOnly); day > w.n.kevNewest {
		w.n.kevNewest = day
	}
	return nil
}

// Exploit implements feed.Sink.
func (w *world) Exploit(x intel.Exploit) error {
	if w.mine(x.CVE) {
		w.exploits[x.CVE] = append(w.exploits[x.CVE], x)
	}
	return nil
}

// lastChanges reads the one field of Metasploit's list that the product has no use for: when each module was last
// changed. One that was not changed after a day existed on it.
func lastChanges(ctx context.Context, file feed.File) (map[string]time.Time, error) {
	r, err := file.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	body, err := feed.Begin(file, r)
	if err != nil {
		return nil, err
	}
	var list map[string]struct {
		Changed string `json:"mod_time"`
	}
	if err := json.NewDecoder(io.LimitReader(body, 256<<20)).Decode(&list); err != nil {
		return nil, fmt.Errorf("read %s: %w", file.Name, err)
	}
	changed := map[string]time.Time{}
	for name, m := range list {
		if day, ok := feed.Date(m.Changed); ok {
			changed[name] = day
		}
	}
	return changed, nil
}

// rows joins the feeds: the CVEs that all arms can order, with labels, in the order of their ids.
func (w *world) rows() []row {
	var out []row
	for _, r := range w.records {
		score, ok := w.epss[r.id]
		added, listed := w.kev[r.id]
		switch {
		case !ok:
			w.n.noEPSS++
			continue
		case listed && !added.After(w.day):
			w.n.listed++
			continue
		}
		r.epss, r.entered = score, listed
		r.exploits, r.proven = w.dated(w.exploits[r.id])
		if r.entered {
			w.n.positives++
			w.n.withExploit += min(len(r.exploits), 1)
		}
		out = append(out, r)
	}
	w.n.kevWithoutRow = len(w.kev) - w.n.listed - w.n.positives
	slices.SortFunc(out, func(a, b row) int { return cmp.Compare(a.id, b.id) })
	return out
}

// dated keeps the exploits whose date is the day or before.
func (w *world) dated(all []intel.Exploit) (dated, proven []intel.Exploit) {
	inIndex := slices.ContainsFunc(all, func(x intel.Exploit) bool {
		return x.Source == "exploitdb" && strings.Contains(x.Title, "(Metasploit)") && w.known(x.Published)
	})
	for _, x := range all {
		switch {
		case x.Published.IsZero():
			w.n.undatedModules++
			continue
		case !w.known(x.Published):
			w.n.laterExploits++
			continue
		}
		dated = append(dated, x)
		w.n.exploits++
		if x.Source == "metasploit" {
			w.n.modules++
			if !inIndex && !w.known(w.changed[x.Key]) {
				continue
			}
			w.n.provenModules++
		}
		proven = append(proven, x)
	}
	return dated, proven
}

// known says whether a date is on the day or before.
func (w *world) known(date time.Time) bool { return !date.IsZero() && !date.After(w.day) }
