package report

import (
	"cmp"
	"context"
	"io"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

// openvex reads OpenVEX documents (openvex.dev, 0.0.x and 0.2.0). A record is a statement.
type openvex struct{}

// Name implements scan.Reader.
func (openvex) Name() string { return "openvex" }

// Detect implements scan.Reader.
func (openvex) Detect(head []byte) bool {
	found := outline(head)
	return strings.Contains(found["@context"], "openvex") ||
		has(found, "statements[].vulnerability", "statements[].status") || has(found, "statements[].products", "statements[].status")
}

// Read implements scan.Reader.
func (openvex) Read(ctx context.Context, raw io.Reader, emit func(finding.Event) error) error {
	kept, err := keep("openvex", raw)
	if err != nil {
		return err
	}
	defer kept.close()
	r := openvexReport{o: newOut(emit)}
	if err := kept.pass(ctx, "openvex", r.document); err != nil && !cut(err) {
		return err
	}
	if !r.known && kept.size > 0 {
		if err := kept.pass(ctx, "openvex", r.document); err != nil {
			return err
		}
		return fault.Invalid("not an OpenVEX document: its context is another")
	}
	r.telling = true
	return kept.pass(ctx, "openvex", r.document)
}

type openvexReport struct {
	o              *out
	known, telling bool
	author         string
	at             time.Time
}

func (r *openvexReport) document(d *jsonstream.Decoder) error {
	for d.Object(); d.More(); {
		d.Done()
		switch key := string(d.Key()); {
		case key == "@context":
			for _, s := range texts(d, 10) {
				r.known = r.known || strings.Contains(s, "openvex")
			}
		case key == "author":
			r.author = word(d)
		case key == "timestamp", key == "last_updated":
			r.at = later(r.at, moment(word(d)))
		case key == "statements" && r.telling:
			var s openvexStatement
			if err := records(d, r.o, func() { s = readOpenVEX(d) }, func() error { return r.tell(&s) }); err != nil {
				return err
			}
		default:
			d.Skip()
		}
	}
	return nil
}

type openvexStatement struct {
	ids      []string // of the vulnerability: its name first
	products []string
	parts    []string
	status   string
	reasons  [4]string // justification, impact, notes, action
	author   string
	at       time.Time
}

func readOpenVEX(d *jsonstream.Decoder) (s openvexStatement) {
	members(d, func(key string) {
		switch key {
		case "vulnerability":
			s.readVulnerability(d)
		case "products":
			elements(d, func() { s.products = more(s.products, s.readProduct(d)) })
		case "subcomponents": // 0.0.x: of all products
			elements(d, func() { s.parts = more(s.parts, s.readProduct(d)) })
		case "status":
			s.status = strings.ToLower(word(d))
		case "justification":
			s.reasons[0] = strings.ReplaceAll(word(d), "_", " ")
		case "impact_statement":
			s.reasons[1] = text(d, 4<<10)
		case "status_notes":
			s.reasons[2] = text(d, 4<<10)
		case "action_statement":
			s.reasons[3] = text(d, 4<<10)
		case "supplier":
			s.author = word(d)
		case "timestamp", "last_updated":
			s.at = later(s.at, moment(word(d)))
		default:
			d.Skip()
		}
	})
	return s
}

// readVulnerability reads "CVE-…", or {"@id":…,"name":"CVE-…","aliases":[…]}.
func (s *openvexStatement) readVulnerability(d *jsonstream.Decoder) {
	if d.Kind() != jsonstream.Object {
		s.ids = append(s.ids, word(d))
		return
	}
	var name, id string
	var aliases []string
	members(d, func(key string) {
		switch key {
		case "name":
			name = word(d)
		case "@id":
			id = word(d)
		case "aliases":
			aliases = texts(d, maxReferences)
		default:
			d.Skip()
		}
	})
	s.ids = append(append(s.ids, name, id), aliases...)
}

// readProduct reads "pkg:…", or {"@id":…,"identifiers":{"purl":…,"cpe23":…},"subcomponents":[…]}.
func (s *openvexStatement) readProduct(d *jsonstream.Decoder) (names []string) {
	if d.Kind() != jsonstream.Object {
		return products(word(d))
	}
	id := ""
	members(d, func(key string) {
		switch key {
		case "@id":
			id = word(d)
		case "identifiers":
			members(d, func(key string) {
				switch key {
				case "purl", "cpe22", "cpe23":
					names = more(names, products(word(d)))
				default:
					d.Skip()
				}
			})
		case "subcomponents":
			elements(d, func() { s.parts = more(s.parts, s.readProduct(d)) })
		default:
			d.Skip()
		}
	})
	if strings.HasPrefix(id, "pkg:") || strings.HasPrefix(id, "cpe:") || len(names) == 0 {
		names = more(names, products(id))
	}
	return names
}

// maxProducts bounds what one statement may name.
const maxProducts = 20_000

// more adds names that are not yet there; of a long list only the last ones are looked at.
func more(list, names []string) []string {
	for _, name := range names {
		seen := false
		for _, old := range list[max(0, len(list)-200):] {
			seen = seen || old == name
		}
		if !seen && name != "" && len(list) < maxProducts {
			list = append(list, name)
		}
	}
	return list
}

// products is an id as a list, empty where there is none.
func products(id string) []string {
	if id == "" {
		return nil
	}
	return []string{id}
}

func (r *openvexReport) tell(s *openvexStatement) error {
	at := s.at
	if at.IsZero() {
		at = r.at
	}
	return state(r.o, finding.Statement{CVE: firstCVE(s.ids), Products: s.products, Parts: s.parts, Status: vexStatus(s.status),
		Reason: sentences(s.reasons[:]...), Author: cmp.Or(r.author, s.author), At: at})
}

// firstCVE is the first CVE that a list of ids names.
func firstCVE(ids []string) cve.ID {
	if found := finding.CVEsIn(strings.Join(ids, " ")); len(found) > 0 {
		return found[0]
	}
	return 0
}

// state tells of a statement that says enough.
func state(o *out, s finding.Statement) error {
	switch {
	case s.CVE == 0:
		return o.drop("a statement on a vulnerability without a CVE id")
	case s.Status == "":
		return o.drop("a statement without a known status")
	case len(s.Products) == 0:
		return o.drop("a statement that names no product")
	}
	return o.emit(finding.Event{Statement: &s})
}

// vexStatus knows the words of OpenVEX, CycloneDX and CSAF, "" for others.
func vexStatus(word string) finding.VEXStatus {
	switch strings.ReplaceAll(word, "-", "_") {
	case "not_affected", "false_positive", "known_not_affected":
		return finding.VEXNotAffected
	case "affected", "exploitable", "known_affected", "first_affected", "last_affected":
		return finding.VEXAffected
	case "fixed", "resolved", "resolved_with_pedigree", "first_fixed":
		return finding.VEXFixed
	case "under_investigation", "in_triage":
		return finding.VEXPending
	}
	return ""
}
