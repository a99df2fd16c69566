package main

import (
	"cmp"
	"context"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/explain"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/cvelist"
	"github.com/patchscout/patchscout/internal/feed/epss"
	"github.com/patchscout/patchscout/internal/feed/exploitdb"
	"github.com/patchscout/patchscout/internal/feed/kev"
	"github.com/patchscout/patchscout/internal/feed/metasploit"
	"github.com/patchscout/patchscout/internal/feed/nuclei"
	"github.com/patchscout/patchscout/internal/feed/nvd"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/priority"
)

// eras of CVEs by the year in the id, both ends included.
var eras = [][2]int{{1999, 2005}, {2006, 2012}, {2013, 2017}, {2018, 2021}, {2022, 2026}}

// candidate is a record of which a sample is drawn. Records are large, so only those that may be drawn are kept.
type candidate struct {
	record *cve.Record
	order  uint64
}

// stratum is what is sampled evenly: an era, a kind of record and a CWE.
type stratum struct {
	era  int
	kind string
	cwe  string
}

// keepEach bounds how many records of a stratum are kept while reading.
const keepEach = 3

// world is everything that was read.
type world struct {
	feed.Nothing
	seed   uint64
	strata map[stratum][]candidate

	kev       map[cve.ID]*intel.KEV
	epss      map[cve.ID]*intel.EPSS
	exploits  map[cve.ID][]intel.Exploit
	ssvc      map[cve.ID]*intel.SSVC
	weakness  map[string]intel.Weakness
	loaded    map[string]time.Time
	newestKEV time.Time
	reading   string                 // the feed
	assigned  map[cve.ID]bool        // records as their assigners wrote them
	wanted    map[cve.ID]*cve.Record // nil: a sample
}

func newWorld(seed uint64) *world {
	return &world{
		seed: seed, strata: map[stratum][]candidate{}, kev: map[cve.ID]*intel.KEV{}, epss: map[cve.ID]*intel.EPSS{},
		exploits: map[cve.ID][]intel.Exploit{}, ssvc: map[cve.ID]*intel.SSVC{}, weakness: map[string]intel.Weakness{},
		loaded: map[string]time.Time{}, assigned: map[cve.ID]bool{},
	}
}

// publishers in the order in which they are read: the kind of a record is known when its use is.
func publishers() []feed.Publisher {
	return []feed.Publisher{
		kev.Reader{}, epss.Reader{}, exploitdb.Reader{}, metasploit.Reader{}, nuclei.Reader{}, cvelist.Reader{}, nvd.Reader{},
	}
}

func (w *world) load(ctx context.Context, dir string) error {
	if err := w.loadCWE(dir); err != nil {
		return err
	}
	defer func() {
		if _, ok := w.loaded["kev"]; ok {
			w.loaded["kev"] = w.newestKEV
		}
	}()
	for _, p := range publishers() {
		w.reading = p.Feed()
		g, err := feed.Gather(ctx, feed.Options{Publishers: []feed.Publisher{p}, From: dir})
		if err != nil {
			return err
		}
		for _, gathered := range g.Feeds {
			if gathered.Err != nil {
				return gathered.Err
			}
			for _, file := range gathered.Files {
				if err := feed.ReadFile(ctx, p, file, w); err != nil {
					return err
				}
			}
			if len(gathered.Files) > 0 {
				w.loaded[p.Feed()] = time.Time{}
			}
		}
	}
	return nil
}

// KEV also dates the list by its newest entry.
func (w *world) KEV(k intel.KEV) error {
	w.kev[k.CVE] = &k
	if k.Added.After(w.newestKEV) {
		w.newestKEV = k.Added
	}
	return nil
}

func (w *world) EPSS(e intel.EPSS) error { w.epss[e.CVE] = &e; return nil }
func (w *world) SSVC(s intel.SSVC) error { w.ssvc[s.CVE] = &s; return nil }
func (w *world) Exploit(e intel.Exploit) error {
	w.exploits[e.CVE] = append(w.exploits[e.CVE], e)
	return nil
}
func (w *world) Weakness(v intel.Weakness) error { w.weakness[v.ID] = v; return nil }

// want asks for these CVEs in place of a sample.
func (w *world) want(list string) error {
	for text := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		id, err := cve.ParseID(text)
		if err != nil {
			return err
		}
		if w.wanted == nil {
			w.wanted = map[cve.ID]*cve.Record{}
		}
		w.wanted[id] = &cve.Record{ID: id}
	}
	return nil
}

func (w *world) CVE(r *cve.Record) error {
	if w.wanted != nil {
		if w.wanted[r.ID] != nil {
			w.wanted[r.ID] = r
		}
		return nil
	}
	if w.reading == "cvelist" {
		w.assigned[r.ID] = true
		r.Origins = []cve.Origin{{Field: cve.FieldTitle, Source: w.reading}} // as merging does
	} else if w.assigned[r.ID] {
		return nil // one explanation of each
	}
	s := w.stratumOf(r)
	list := append(w.strata[s], candidate{r, w.hash(r.ID)})
	slices.SortFunc(list, func(a, b candidate) int { return cmp.Compare(a.order, b.order) })
	w.strata[s] = list[:min(len(list), keepEach)]
	return nil
}

// hash orders records by chance, the same for the same seed.
func (w *world) hash(id cve.ID) uint64 {
	h := fnv.New64a()
	for _, v := range []uint64{w.seed, uint64(id)} {
		var b [8]byte
		for i := range b {
			b[i] = byte(v >> (8 * i))
		}
		h.Write(b[:])
	}
	x := h.Sum64() // FNV mixes its last bytes badly: finish as splitmix64 does
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	return x
}

func (w *world) stratumOf(r *cve.Record) stratum {
	s := stratum{kind: w.kindOf(r), cwe: "none"}
	for i, era := range eras {
		if y := r.ID.Year(); y >= era[0] && y <= era[1] {
			s.era = i
		}
	}
	if len(r.CWEs) > 0 {
		s.cwe = r.CWEs[0]
	}
	return s
}

func (w *world) kindOf(r *cve.Record) string {
	switch m, scored := r.Score(); {
	case r.Rejected():
		return "rejected"
	case w.assigned[r.ID]:
		return "cve list"
	case w.kev[r.ID] != nil:
		return "exploited"
	case !scored && len(r.Configurations) == 0:
		return "text only"
	case !scored:
		return "unscored"
	case m.Version == "4.0":
		return "cvss 4"
	case len(w.exploits[r.ID]) > 0:
		return "attack code"
	case m.Version == "2.0":
		return "cvss 2"
	case len(r.Configurations) == 0:
		return "no products"
	default:
		return "plain"
	}
}

// draw takes n records: from each era alike, in it from each kind alike, in that from as many CWEs as there are.
func (w *world) draw(n int) []*cve.Record {
	var out []*cve.Record
	for _, id := range slices.Sorted(maps.Keys(w.wanted)) {
		out = append(out, w.wanted[id])
	}
	if out != nil {
		return out
	}
	for era := range eras {
		kinds := map[string][]candidate{}
		for round := range keepEach {
			var layer []candidate
			for s, list := range w.strata {
				if s.era == era && round < len(list) {
					layer = append(layer, list[round])
				}
			}
			slices.SortFunc(layer, func(a, b candidate) int { return cmp.Compare(a.order, b.order) })
			for _, c := range layer {
				kind := w.kindOf(c.record)
				kinds[kind] = append(kinds[kind], c)
			}
		}
		out = append(out, takeEvenly(kinds, n/len(eras))...)
	}
	return out
}

func takeEvenly(kinds map[string][]candidate, n int) []*cve.Record {
	var names []string
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	var out []*cve.Record
	for len(out) < n {
		before := len(out)
		for _, name := range names {
			if list := kinds[name]; len(list) > 0 && len(out) < n && (name != "rejected" || count(out) < 2) {
				out = append(out, list[0].record)
				kinds[name] = list[1:]
			}
		}
		if len(out) == before {
			break
		}
	}
	return out
}

// count is how many rejected records were drawn; two of an era are enough.
func count(records []*cve.Record) (n int) {
	for _, r := range records {
		if r.Rejected() {
			n++
		}
	}
	return n
}

// input is what the product would explain with.
func (w *world) input(r *cve.Record, now time.Time) explain.Input {
	facts := intel.Facts{KEV: w.kev[r.ID], EPSS: w.epss[r.ID], SSVC: w.ssvc[r.ID], Exploits: w.exploits[r.ID]}
	return explain.Input{
		ID: r.ID, Record: r, Facts: facts, Loaded: w.loaded, Weaknesses: w.weakness, Name: catalogue.DisplayName,
		Verdict: priority.Assess(priority.Input{Record: r, Facts: facts, Now: now}),
	}
}
