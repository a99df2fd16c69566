package attackpath

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
)

// csv reads a table whose first line names its columns: from, to, action and, where wanted, ports and note. Ports of one
// rule are separated by blanks or semicolons. Lines that begin with # say nothing.
func (f *policyFile) csv(data []byte) error {
	r := csv.NewReader(bytes.NewReader(data))
	r.Comment = '#'
	r.TrimLeadingSpace = true
	r.ReuseRecord = true
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		return f.csvError(err)
	}
	columns, err := f.columns(head)
	if err != nil {
		return err
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return f.csvError(err)
		}
		rule := map[string]placed{}
		for i, name := range columns {
			line, _ := r.FieldPos(i)
			rule[name] = placed{text: strings.TrimSpace(row[i]), line: line}
		}
		p := rule["ports"]
		p.list = portFields(p.text)
		rule["ports"] = p
		if err := f.addRule("", rule); err != nil {
			return err
		}
	}
}

var csvColumns = []string{"from", "to", "ports", "action", "note"}

func (f *policyFile) columns(head []string) (out []string, err error) {
	for _, name := range head {
		name = strings.ToLower(strings.TrimSpace(name))
		switch {
		case !slices.Contains(csvColumns, name):
			return nil, f.wrong(1, "", "unknown column %q: want %s", clip(name), strings.Join(csvColumns, ", "))
		case slices.Contains(out, name):
			return nil, f.wrong(1, name, "is there twice")
		}
		out = append(out, name)
	}
	for _, name := range []string{"from", "to", "action"} {
		if !slices.Contains(out, name) {
			return nil, f.wrong(1, "", "column %s is missing", name)
		}
	}
	return out, nil
}

func (f *policyFile) csvError(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return f.wrong(p.Line, "", "%w", p.Err)
	}
	return f.wrong(0, "", "%w", err)
}
