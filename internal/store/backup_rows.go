package store

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/patchscout/patchscout/internal/fault"
)

// The rows of a part: the number of columns and their names, then the values of each row, to the end. Numbers are
// varints. A value is one byte of its kind and
//
//	0 null
//	1 integer   zigzag varint
//	2 real      8 bytes, big end first
//	3 text      length, bytes
//	4 bytes     length, bytes

const (
	valueNull = iota
	valueInt
	valueReal
	valueText
	valueBytes
)

// What a part may hold, so that a hostile one cannot ask for more memory than there is. The longest value that is stored
// is a piece of a raw report, of 4 MiB; those of old versions are longer.
const (
	maxColumns = 200
	maxName    = 63
	maxValue   = 256 << 20
)

func appendHeader(b *bytes.Buffer, columns []string) {
	b.Write(binary.AppendUvarint(nil, uint64(len(columns))))
	for _, name := range columns {
		b.Write(binary.AppendUvarint(nil, uint64(len(name))))
		b.WriteString(name)
	}
}

func appendRow(b *bytes.Buffer, values []any) error {
	for _, value := range values {
		switch v := value.(type) {
		case nil:
			b.WriteByte(valueNull)
		case int64:
			b.WriteByte(valueInt)
			b.Write(binary.AppendVarint(b.AvailableBuffer(), v))
		case bool:
			b.WriteByte(valueInt)
			n := int64(0)
			if v {
				n = 1
			}
			b.Write(binary.AppendVarint(b.AvailableBuffer(), n))
		case float64:
			b.WriteByte(valueReal)
			b.Write(binary.BigEndian.AppendUint64(b.AvailableBuffer(), math.Float64bits(v)))
		case string:
			b.WriteByte(valueText)
			b.Write(binary.AppendUvarint(b.AvailableBuffer(), uint64(len(v))))
			b.WriteString(v)
		case []byte:
			b.WriteByte(valueBytes)
			b.Write(binary.AppendUvarint(b.AvailableBuffer(), uint64(len(v))))
			b.Write(v)
		default:
			return fmt.Errorf("a value of type %T", value)
		}
	}
	return nil
}

// rowReader reads a part. Its errors are fault.Invalid: what cannot be read was not written by us.
type rowReader struct {
	r       *bufio.Reader
	columns []string
}

var errPart = fault.Invalid("the archive is damaged: a part of it is not rows")

func newRowReader(r io.Reader) (*rowReader, error) {
	p := &rowReader{r: bufio.NewReaderSize(r, 64<<10)}
	n, err := binary.ReadUvarint(p.r)
	if err != nil || n == 0 || n > maxColumns {
		return nil, errPart
	}
	for range n {
		name, err := p.bytes(maxName)
		if err != nil {
			return nil, err
		}
		p.columns = append(p.columns, string(name))
	}
	return p, nil
}

// row reads the next row into values; io.EOF is the end of the part.
func (p *rowReader) row(values []any) error {
	if _, err := p.r.Peek(1); errors.Is(err, io.EOF) {
		return io.EOF
	}
	for i := range values {
		v, err := p.value()
		if err != nil {
			return err
		}
		values[i] = v
	}
	return nil
}

func (p *rowReader) value() (any, error) {
	kind, err := p.r.ReadByte()
	if err != nil {
		return nil, errPart
	}
	switch kind {
	case valueNull:
		return nil, nil //nolint:nilnil // NULL is a value
	case valueInt:
		n, err := binary.ReadVarint(p.r)
		if err != nil {
			return nil, errPart
		}
		return n, nil
	case valueReal:
		var b [8]byte
		if _, err := io.ReadFull(p.r, b[:]); err != nil {
			return nil, errPart
		}
		return math.Float64frombits(binary.BigEndian.Uint64(b[:])), nil
	case valueText:
		b, err := p.bytes(maxValue)
		return string(b), err
	case valueBytes:
		return p.bytes(maxValue)
	}
	return nil, errPart
}

// bytes takes room as bytes come, not as many as the length promises.
func (p *rowReader) bytes(most uint64) ([]byte, error) {
	n, err := binary.ReadUvarint(p.r)
	if err != nil || n > most {
		return nil, errPart
	}
	if n <= 64<<10 {
		b := make([]byte, n)
		if _, err := io.ReadFull(p.r, b); err != nil {
			return nil, errPart
		}
		return b, nil
	}
	var b bytes.Buffer
	if got, err := io.CopyN(&b, p.r, int64(n)); err != nil || got != int64(n) {
		return nil, errPart
	}
	return b.Bytes(), nil
}
