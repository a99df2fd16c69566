package report

import (
	"encoding/json"
	"io"
)

// Stream writes findings as they come, so that no list need fit memory. It is not for concurrent use.
type Stream interface {
	Add(f Finding) error
	// End writes what follows the last finding. What was written is a whole document only then.
	End() error
}

// StreamFormats are the formats of NewStream with their media types.
var StreamFormats = map[string]string{
	"csv": "text/csv; charset=utf-8", "json": "application/json", "ndjson": "application/x-ndjson", "sarif": "application/sarif+json",
}

// NewStream returns a writer of a format: csv as CSV writes it; json, one document as FindingList; ndjson, a finding a
// line; sarif as SARIF writes it, with its parts in another order. It buffers nothing that grows with the number of
// findings, but for sarif the weaknesses that there are.
func NewStream(w io.Writer, format, toolVersion string) Stream {
	switch format {
	case "csv":
		return newCSVStream(w)
	case "sarif":
		return NewSARIFStream(w, Run{Status: "completed"}, toolVersion)
	case "ndjson":
		return lineStream{w}
	}
	return &jsonStream{w: w, head: `{"findings":[`, tail: func(n int) any {
		return struct {
			Total int     `json:"total"`
			Next  *string `json:"next"`
		}{Total: n}
	}}
}

type lineStream struct{ w io.Writer }

func (s lineStream) Add(f Finding) error { return JSONLine(s.w, f) }
func (s lineStream) End() error          { return nil }

// NewScanStream writes the document of a scan: its run and hosts at once, its findings as they come.
func NewScanStream(w io.Writer, s Scan) (Stream, error) {
	run, err := json.Marshal(s.Scan)
	if err != nil {
		return nil, err
	}
	hosts, err := json.Marshal(s.Hosts)
	if err != nil {
		return nil, err
	}
	head := `{"scan":` + string(escapeHarmful(run)) + `,"hosts":` + string(escapeHarmful(hosts)) + `,"findings":[`
	return &jsonStream{w: w, head: head, tail: func(int) any { return struct{}{} }}, nil
}

// jsonStream is a JSON object whose last list comes item by item.
type jsonStream struct {
	w    io.Writer
	head string
	n    int
	tail func(n int) any // the fields after the list
}

func (s *jsonStream) Add(f Finding) error { return s.add(f) }

func (s *jsonStream) add(item any) error {
	before := ",\n"
	if s.n == 0 {
		before = s.head + "\n"
	}
	s.n++
	if _, err := io.WriteString(s.w, before); err != nil {
		return err
	}
	return JSONLine(s.w, item)
}

func (s *jsonStream) End() error {
	if s.n == 0 {
		if _, err := io.WriteString(s.w, s.head); err != nil {
			return err
		}
	}
	tail, err := json.Marshal(s.tail(s.n))
	if err != nil {
		return err
	}
	if tail = tail[1:]; len(tail) > 1 {
		tail = append([]byte{','}, tail...)
	}
	_, err = s.w.Write(append(append([]byte("]"), tail...), '\n'))
	return err
}

// sarifStream is SARIF, a finding at a time: the results first, then the rules that they name.
type sarifStream struct {
	jsonStream
	index map[string]int
	rules []sarifRule
}

// NewSARIFStream writes the confirmed findings of a run as SARIF 2.1.0.
func NewSARIFStream(w io.Writer, run Run, toolVersion string) Stream {
	s := &sarifStream{index: map[string]int{}, rules: []sarifRule{}}
	s.w, s.head = w, `{"$schema":"`+sarifSchema+`","version":"2.1.0","runs":[{"results":[`
	s.tail = func(int) any {
		driver := sarifDriver{Name: "PatchScout", Version: toolVersion, InformationURI: sarifInformation, Rules: s.rules}
		return struct {
			Tool        sarifTool         `json:"tool"`
			Invocations []sarifInvocation `json:"invocations"`
		}{sarifTool{driver}, []sarifInvocation{invocation(run)}}
	}
	return s
}

func (s *sarifStream) Add(f Finding) error {
	if !f.Confirmed(0) {
		return nil
	}
	id := f.weakness()
	if _, known := s.index[id]; !known {
		s.index[id] = len(s.rules)
		s.rules = append(s.rules, rule(id, f))
	}
	return s.add(result(s.index[id], f))
}

func (s *sarifStream) End() error {
	if err := s.jsonStream.End(); err != nil {
		return err
	}
	_, err := io.WriteString(s.w, "]}\n")
	return err
}
