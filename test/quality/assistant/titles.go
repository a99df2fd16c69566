package main

import (
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/feed/exploitdb"
	"github.com/patchscout/patchscout/internal/feed/kev"
	"github.com/patchscout/patchscout/internal/feed/metasploit"
	"github.com/patchscout/patchscout/internal/intel"
)

// How often the CVE that a title is about must come first, and among the first ten, in parts of a hundred.
const (
	wantFirst = 60
	wantTen   = 82
)

// wantSearched is how long searching the texts for a title may take, 95 of 100 times.
const wantSearched = 20 * time.Millisecond

// title is what somebody else calls a vulnerability, without its id.
type title struct {
	source string
	text   string
	cves   []string
	order  uint64 // by chance, the same each time
}

// tuning is the half that may be looked at while the search is made better; the other one is reported.
func (t title) tuning() bool { return t.order%2 == 1 }

// shelf gathers titles; the same text of one source is one title with all its CVEs.
type shelf struct {
	feed.Nothing
	titles map[[2]string]*title
}

func (s *shelf) add(source, text string, id string) {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" || cveID.MatchString(text) || strings.Contains(strings.ToLower(text), "cve-") {
		return
	}
	key := [2]string{source, text}
	if s.titles[key] == nil {
		h := fnv.New64a()
		_, _ = io.WriteString(h, id)
		x := h.Sum64()
		x ^= x >> 30 // FNV mixes its last bytes badly: as splitmix64 ends
		x *= 0xbf58476d1ce4e5b9
		x ^= x >> 27
		s.titles[key] = &title{source: source, text: text, order: x}
	}
	s.titles[key].cves = append(s.titles[key].cves, id)
}

// KEV and Exploit are told by the readers of the feeds.
func (s *shelf) KEV(k intel.KEV) error {
	s.add("kev", k.Name, k.CVE.String())
	return nil
}

func (s *shelf) Exploit(e intel.Exploit) error {
	s.add(e.Source, e.Title, e.CVE.String())
	return nil
}

// readTitles draws so many of each source by chance; 0 is all.
func readTitles(ctx context.Context, dir string, most int) ([]title, error) {
	s := &shelf{titles: map[[2]string]*title{}}
	for _, p := range []feed.Publisher{kev.Reader{}, exploitdb.Reader{}, metasploit.Reader{}} {
		g, err := feed.Gather(ctx, feed.Options{Publishers: []feed.Publisher{p}, From: dir})
		if err != nil {
			return nil, err
		}
		for _, gathered := range g.Feeds {
			for _, file := range gathered.Files {
				if err := feed.ReadFile(ctx, p, file, s); err != nil {
					return nil, err
				}
			}
		}
	}
	if err := s.templates(dir); err != nil {
		return nil, err
	}
	sources := map[string][]title{}
	for _, t := range s.titles {
		sources[t.source] = append(sources[t.source], *t)
	}
	var out []title
	for _, source := range slices.Sorted(maps.Keys(sources)) {
		list := sources[source]
		slices.SortFunc(list, func(a, b title) int { return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.text, b.text)) })
		if most > 0 {
			list = list[:min(most, len(list))]
		}
		out = append(out, list...)
	}
	return out, nil
}

// templates are Nuclei's, whose reader leaves their names out.
func (s *shelf) templates(dir string) error {
	path := ""
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), "cves.json") && strings.Contains(p, "nuclei") {
			path = p
		}
		return err
	})
	if err != nil || path == "" {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var body io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if body, err = gzip.NewReader(file); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
	}
	for in := json.NewDecoder(body); ; {
		var t struct {
			ID   string
			Info struct{ Name string }
		}
		if err := in.Decode(&t); err == io.EOF { //nolint:errorlint // Decode returns it bare
			return nil
		} else if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		if id, err := cve.ParseID(t.ID); err == nil {
			s.add("nuclei", t.Info.Name, id.String())
		}
	}
}

// found is a title with the place of its CVE among those that the answer names; 0 is not there.
type found struct {
	title
	asked
	place int
}

func (r *runner) askTitles(ctx context.Context, titles []title) (out []found, err error) {
	for _, t := range titles {
		// Records that this catalogue does not have cannot be found.
		known, err := r.truth.knows(ctx, t.cves)
		if err != nil {
			return out, err
		}
		if !known {
			continue
		}
		a, err := r.ask(ctx, t.text, "")
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		if err != nil {
			a.answer.Answer = "error: " + err.Error()
		}
		out = append(out, found{t, a, placeOf(t.cves, a)})
	}
	return out, nil
}

// hideEach: of so many titles one is asked once more without its records.
const (
	hideEach = 5
	gone     = -1 // the place of what was hidden
)

// askHidden asks titles whose records cannot be found: no answer is right, and confidence has to tell.
func (r *runner) askHidden(ctx context.Context, titles []found) (out []found, err error) {
	for i := 0; i < len(titles); i += hideEach {
		t := titles[i].title
		a, err := r.ask(ctx, t.text, "", t.cves...)
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		if err != nil {
			a.answer.Refused = true
		}
		out = append(out, found{t, a, gone})
	}
	return out, nil
}

// placeOf is where the first of the CVEs stands among those that an answer lists or cites.
func placeOf(ids []string, a asked) int {
	var order []string
	add := func(id string) {
		if !slices.Contains(order, id) {
			order = append(order, id)
		}
	}
	for _, s := range a.answer.Sources {
		if s.Kind == "cve" {
			add(s.ID)
		}
	}
	if a.answer.Facts != nil {
		for _, f := range a.answer.Facts.Items {
			if f.Kind == "cve" {
				add(f.ID)
			}
		}
	}
	return 1 + slices.IndexFunc(order, func(id string) bool { return slices.Contains(ids, id) })
}

// tellTitles reports the half that nobody tunes on.
func tellTitles(w io.Writer, all []found) (missed int) {
	sources := map[string][2]*score{}
	count := func(name string, place int) {
		if _, ok := sources[name]; !ok {
			sources[name] = [2]*score{{}, {}}
		}
		sources[name][0].add(place == 1)
		sources[name][1].add(place >= 1 && place <= 10)
	}
	var answers []asked
	for _, f := range all {
		half := "reporting half: "
		if f.tuning() {
			half = "tuning half: "
		}
		count(half+"all", f.place)
		count(half+f.source, f.place)
		answers = append(answers, f.asked)
	}
	fmt.Fprintln(w, "\ntitles that name no CVE")
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		one, ten := sources[name][0], sources[name][1]
		mark := ""
		if name == "reporting half: all" {
			mark = "ok"
			if one.percent() < wantFirst || ten.percent() < wantTen {
				mark = "MISSED"
				missed++
			}
		}
		fmt.Fprintf(w, "  %-28s first %5.1f %%  among ten %5.1f %%  of %d  %s\n", name, one.percent(), ten.percent(), one.all, mark)
	}
	searched := part(answers, 0.95, asked.found)
	fmt.Fprintf(w, "  searched: median %s, 95 of 100 within %s (limit %s)\n", part(answers, 0.5, asked.found), searched, wantSearched)
	fmt.Fprintf(w, "  answered: median %s, 95 of 100 within %s\n", part(answers, 0.5, asked.whole), part(answers, 0.95, asked.whole))
	return missed
}

// showTitles prints titles of the tuning half that do not find their CVE first.
func showTitles(w io.Writer, all []found, most int) {
	for _, f := range all {
		if most == 0 {
			return
		}
		if f.tuning() && f.place != 1 {
			fmt.Fprintf(w, "%s: %s (%s) is number %d; read as %s (%s): %s\n", f.source, f.text, f.cves[0], f.place, f.answer.Understood, f.answer.Kind, short(f.answer.Answer))
			most--
		}
	}
}
