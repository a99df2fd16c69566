package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The limits of the assistant over a whole catalogue and an estate of askFindings.
const (
	askFindings = 100_000
	askEach     = 5   // how often each question is asked
	maxWords    = 150 // ms until the first words, p95
	maxWhole    = 150 // ms, p95 of each kind of questions
	maxAskCold  = 1000
	maxIndexCPU = 8   // s, of the catalogue's texts
	maxIndexMem = 200 // MB, the peak of the process that makes it
)

// askedOf are questions by what answers them.
var askedOf = map[string][]string{
	"counts": {"How many open findings are critical?", "How many findings in KEV are there in site branch?", "How many hosts have the tag pci?", "How many findings of OpenSSH are overdue?"},
	"lists":  {"Which hosts have critical findings?", "List the findings in KEV with a CVSS over 9", "Which hosts run nginx?", "Top 10 hosts by critical findings"},
	"facts":  {"What is the CVSS score of CVE-2014-0160?", "Is CVE-2021-44228 exploited?", "When was CVE-2017-0144 added to KEV?", "Are we affected by log4shell?"},
	"change": {"What changed in the last 7 days?", "What should I fix first?", "Which site has the most findings?"},
	"texts": {"path traversal in a VPN gateway that reads session files", "heap overflow in a font parser of the browser", "SQL injection in the login of a hospital system",
		"router web interface command injection ping", "deserialization in a message broker", "use after free in the printer spooler"},
}

// assistant measures answers of a running server without a language model, as the UI has them streamed, and of the command.
func (b *bench) assistant(ctx context.Context) error {
	fmt.Printf("\nassistant, %d findings and all feeds, without a language model\n", askFindings)
	from, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	on := &database{name: "SQLite", dir: filepath.Join(b.work, "ask")}
	before := b.findings
	b.findings = askFindings
	defer func() { b.findings = before }()
	if err := b.fill(ctx, on); err != nil {
		return err
	}
	// The catalogue's file can be copied: no process has it open.
	if err := copyFile(filepath.Join(from.dir, "catalogue.db"), filepath.Join(on.dir, "catalogue.db")); err != nil {
		return err
	}
	if err := b.askIndex(ctx, on); err != nil {
		return err
	}
	if err := b.askServer(ctx, on); err != nil {
		return err
	}
	cold, err := measureOften(ctx, 5, b.patchscout, append(on.flags(), "ask", "How many open findings are critical?")...)
	if err != nil {
		return err
	}
	floor, err := measureOften(ctx, 5, b.patchscout, "version")
	if err != nil {
		return err
	}
	b.figure("patchscout ask, a process, median of 5", ms(cold), maxAskCold*max(1, b.slack), "ms")
	b.note("the same, times patchscout version", float64(cold)/float64(floor), "")
	return nil
}

// askIndex has a command make the index of the catalogue.
func (b *bench) askIndex(ctx context.Context, on *database) error {
	begin, err := b.own(ctx, on, nil, "version")
	if err != nil {
		return err
	}
	cves, err := b.own(ctx, on, nil, "cve", "search", "path traversal gateway")
	if err != nil {
		return err
	}
	b.figure("text index of the catalogue, CPU", (cves.cpu - begin.cpu).Seconds(), maxIndexCPU*max(1, b.slack), "s")
	b.figure("text index of the catalogue, peak", cves.peak/mega, maxIndexMem, "MB")
	return nil
}

func (b *bench) askServer(ctx context.Context, on *database) error {
	token, err := b.token(ctx, on)
	if err != nil {
		return err
	}
	s, err := b.serve(ctx, on)
	if err != nil {
		return err
	}
	defer s.stop() //nolint:errcheck // what it did was measured
	time.Sleep(serverRests)
	b.figure("server ready after", ms(s.ready), serverReady*max(1, b.slack), "ms")
	b.note("server idle over this estate, nothing asked yet", residentOf(s.pid)/mega, "MB")
	idle, err := cpuOf(s.pid)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := s.indexed(ctx, token); err != nil {
		return err
	}
	used, err := cpuOf(s.pid)
	if err != nil {
		return err
	}
	b.note("all texts indexed, CPU of the whole server", (used - idle).Seconds(), "s")
	b.note("all texts indexed, within", time.Since(begin).Seconds(), "s")
	b.note("the server's memory then", residentOf(s.pid)/mega, "MB")
	var firsts []time.Duration
	for _, kind := range []string{"counts", "lists", "facts", "change", "texts"} {
		var wholes []time.Duration
		for range askEach {
			for _, q := range askedOf[kind] {
				first, whole, err := s.question(ctx, token, q)
				if err != nil {
					return fmt.Errorf("%q: %w", q, err)
				}
				firsts, wholes = append(firsts, first), append(wholes, whole)
			}
		}
		b.note("whole answer, "+kind+", p50", ms(quantile(wholes, 0.5)), "ms")
		b.figure("whole answer, "+kind+", p95", ms(quantile(wholes, 0.95)), maxWhole*max(1, b.slack), "ms")
	}
	if err := b.askOneByOne(ctx, s, token); err != nil {
		return err
	}
	b.note("the server's memory after all questions", residentOf(s.pid)/mega, "MB")
	b.note("first words, p50", ms(quantile(firsts, 0.5)), "ms")
	b.figure("first words, p95", ms(quantile(firsts, 0.95)), maxWords*max(1, b.slack), "ms")
	return nil
}

// askOneByOne names the questions that take longer than their kind may.
func (b *bench) askOneByOne(ctx context.Context, s *served, token string) error {
	for _, kind := range slices.Sorted(maps.Keys(askedOf)) {
		for _, q := range askedOf[kind] {
			var wholes []time.Duration
			for range askEach {
				_, whole, err := s.question(ctx, token, q)
				if err != nil {
					return fmt.Errorf("%q: %w", q, err)
				}
				wholes = append(wholes, whole)
			}
			if middle := quantile(wholes, 0.5); ms(middle) > maxWhole {
				fmt.Printf("  slow: %-60.60q %.0f ms\n", q, ms(middle))
			}
		}
	}
	return nil
}

// indexed waits until every part of the texts is current.
func (s *served) indexed(ctx context.Context, token string) error {
	ctx, end := context.WithTimeout(ctx, 2*time.Minute)
	defer end()
	for {
		if _, _, err := s.question(ctx, token, askedOf["texts"][0]); err != nil {
			return err
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/v1/chat/state", nil)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		var state struct{ Index []struct{ Current bool } }
		err = json.NewDecoder(resp.Body).Decode(&state)
		_ = resp.Body.Close()
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(state.Index, func(p struct{ Current bool }) bool { return !p.Current }) {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// question asks for a stream, and says when its first words came and when it was whole.
func (s *served) question(ctx context.Context, token, text string) (first, whole time.Duration, err error) {
	body, err := json.Marshal(map[string]any{"message": text, "keep": false})
	if err != nil {
		return 0, 0, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/api/v1/chat/query", bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	begin := time.Now()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("answer %s", resp.Status)
	}
	in := bufio.NewScanner(resp.Body)
	in.Buffer(nil, 4<<20)
	for in.Scan() {
		switch event, _ := strings.CutPrefix(in.Text(), "event: "); event {
		case "text":
			if first == 0 {
				first = time.Since(begin)
			}
		case "answer":
			whole = time.Since(begin)
		case "error":
			return 0, 0, fmt.Errorf("the stream ended with an error")
		}
	}
	return first, whole, in.Err()
}
