package nvd

import (
	"strings"
	"sync"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/jsonstream"
)

// IsRecord says whether a JSON object with these members is a record for ReadRecord.
func IsRecord(has func(member string) bool) bool {
	return has("cve") || has("vulnStatus") || has("sourceIdentifier") || has("id") && has("descriptions")
}

var parsers = sync.Pool{New: func() any {
	return &parser{d: jsonstream.New(strings.NewReader(""), jsonstream.Limits{String: maxString, Record: maxRecord})}
}}

// ReadRecord gives the one record that raw holds to sink.CVE, or rejects it: {"cve":{…}} as in NVD's lists, or the
// object within. place names raw for Sink.Reject ("feed.ndjson line 17"). The error is the sink's own. The sink keeps
// nothing of raw.
func ReadRecord(place string, raw []byte, sink feed.Sink) error {
	p := parsers.Get().(*parser)
	defer func() { p.d.Reset(nil); parsers.Put(p) }() // raw is the caller's
	p.d.Reset(raw)
	rec := p.single(raw)
	if p.d.End(); p.d.Err() != nil {
		id := ""
		if p.id != 0 {
			id = p.id.String()
		}
		sink.Reject(jsonstream.RejectionAt(place, id, p.field, p.d.Err()))
		return nil
	}
	return sink.CVE(rec)
}

// single reads either shape: the outer one has a member "cve".
func (p *parser) single(raw []byte) *cve.Record {
	outer := false
	for p.d.Object(); p.d.More() && !outer; {
		outer = string(p.d.Key()) == "cve"
		p.d.Skip()
	}
	p.d.Reset(raw)
	if outer {
		return p.vulnerability()
	}
	p.begin()
	rec := p.record()
	if rec.ID == 0 {
		p.d.Reject("record without a CVE id")
	}
	return rec
}
