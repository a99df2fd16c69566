package cwe

import (
	"slices"

	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

// add appends to a list of ids, once each and not without end.
func add(list []string, id string) []string {
	if id == "" || len(list) >= maxList || slices.Contains(list, id) {
		return list
	}
	return append(list, id)
}

// pattern is a CAPEC attack pattern: which weaknesses it uses and which techniques of ATT&CK it is.
type pattern struct {
	id, status       string
	cwes, techniques []string
}

// readCAPEC gives one part of a weakness for each CWE that a pattern names, when the whole file is read.
func readCAPEC(d *feed.Records, file feed.File, sink feed.Sink) error {
	parts := map[string]intel.Weakness{}
	for d.Object(); d.More(); {
		if string(d.Key()) != "objects" {
			d.Skip()
			continue
		}
		err := d.Each(jsonstream.Array, func() (string, error) {
			p := readPattern(d)
			if d.Err() == nil && p.status != "Deprecated" && p.status != "Obsolete" {
				p.addTo(parts)
			}
			if len(parts) > maxWeaknesses {
				return "", fault.Invalid("%s: more than %d weaknesses", file.Name, maxWeaknesses)
			}
			return p.id, nil
		})
		if err != nil {
			return err
		}
	}
	if err := end(d); err != nil {
		return err
	}
	if len(parts) == 0 {
		return fault.Invalid("%s: no attack pattern that names a weakness, this is no CAPEC bundle", file.Name)
	}
	return give(parts, sink)
}

// addTo notes the pattern with each of its weaknesses.
func (p pattern) addTo(parts map[string]intel.Weakness) {
	if p.id == "" {
		return // not a pattern of CAPEC: a course of action, a marking, …
	}
	for _, id := range p.cwes {
		w := parts[id]
		w.ID = id
		w.CAPECs = add(w.CAPECs, p.id)
		for _, t := range p.techniques {
			w.Techniques = add(w.Techniques, t)
		}
		parts[id] = w
	}
}

// give passes the parts on in the order of their numbers.
func give(parts map[string]intel.Weakness, sink feed.Sink) error {
	ids := make([]string, 0, len(parts))
	for id := range parts {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, intel.CompareIDs)
	for _, id := range ids {
		w := parts[id]
		slices.SortFunc(w.CAPECs, intel.CompareIDs)
		slices.SortFunc(w.Techniques, intel.CompareIDs)
		if err := sink.Weakness(w); err != nil {
			return err
		}
	}
	return nil
}

func readPattern(d *feed.Records) (p pattern) {
	for d.Object(); d.More(); {
		switch string(d.Key()) {
		case "x_capec_status":
			p.status = d.Word()
		case "external_references":
			p.readReferences(d)
		default:
			d.Skip()
		}
	}
	return p
}

// readReferences keeps the pattern's own id, its weaknesses and its techniques; all others are literature.
func (p *pattern) readReferences(d *feed.Records) {
	for d.Array(); d.More(); {
		var source, id string
		for d.Object(); d.More(); {
			switch string(d.Key()) {
			case "source_name":
				source = d.Word()
			case "external_id":
				id = d.Word()
			default:
				d.Skip()
			}
		}
		switch source {
		case "capec":
			p.id = entryID("CAPEC-", id)
		case "cwe":
			p.cwes = add(p.cwes, entryID("CWE-", id))
		case "ATTACK":
			if intel.IsTechniqueID(id) {
				p.techniques = add(p.techniques, id)
			}
		}
	}
}
