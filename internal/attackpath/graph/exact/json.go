package exact

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/patchscout/patchscout/internal/fault"
)

// parse reads one JSON document and nothing behind it. encoding/json takes the last of two members of one name: here that is
// an error, since whoever wrote the file meant both.
func parse(data []byte) (any, error) {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if !utf8.Valid(data) {
		return nil, fault.Invalid("it is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	p := &parser{decoder: d, data: data}
	v, err := p.value("", 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.Invalid("line %d: something stands behind the end of the document", p.line())
	}
	return v, nil
}

type parser struct {
	decoder *json.Decoder
	data    []byte
}

func (p *parser) value(field string, depth int) (any, error) {
	token, err := p.decoder.Token()
	if err != nil {
		return nil, p.syntax(err)
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth >= maxDepth {
		return nil, fault.Invalid("line %d: nested deeper than %d", p.line(), maxDepth)
	}
	if delim == '{' {
		return p.object(field, depth+1)
	}
	return p.list(field, depth+1)
}

func (p *parser) object(field string, depth int) (any, error) {
	members := map[string]any{}
	for p.decoder.More() {
		token, err := p.decoder.Token()
		if err != nil {
			return nil, p.syntax(err)
		}
		name, _ := token.(string) // Token lets nothing else stand there
		inner := name
		if field != "" {
			inner = field + "." + name
		}
		if _, twice := members[name]; twice {
			return nil, fault.Invalid("%.200s: it stands there twice, again in line %d", inner, p.line())
		}
		if members[name], err = p.value(inner, depth); err != nil {
			return nil, err
		}
	}
	_, err := p.decoder.Token()
	return members, p.syntax(err)
}

func (p *parser) list(field string, depth int) (any, error) {
	list := []any{}
	for p.decoder.More() {
		v, err := p.value(fmt.Sprintf("%s[%d]", field, len(list)), depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := p.decoder.Token()
	return list, p.syntax(err)
}

func (p *parser) syntax(err error) error {
	var bad *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fault.Invalid("line %d: the document ends too early", p.lineAt(int64(len(p.data))))
	case errors.As(err, &bad):
		return fault.Invalid("line %d: %w", p.lineAt(bad.Offset), err)
	}
	return fault.Invalid("line %d: %w", p.line(), err)
}

func (p *parser) line() int { return p.lineAt(p.decoder.InputOffset()) }

func (p *parser) lineAt(offset int64) int {
	offset = min(max(offset, 0), int64(len(p.data)))
	return 1 + bytes.Count(p.data[:offset], []byte("\n"))
}
