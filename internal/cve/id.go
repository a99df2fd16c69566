package cve

import (
	"strconv"
	"strings"

	"github.com/patchscout/patchscout/internal/fault"
)

// ID is a CVE identifier as one ordered number: year<<32 | sequence. It sorts as people expect
// (CVE-2024-9999 before CVE-2024-10000), is the primary key in both databases, and prints as "CVE-YYYY-NNNN".
// The zero ID means none.
type ID int64

// NewID builds an ID from its year and sequence number.
func NewID(year, sequence uint32) ID { return ID(int64(year)<<32 | int64(sequence)) }

// ParseID reads "CVE-2024-6387" in any case. Anything else is fault.Invalid, naming the text.
func ParseID(s string) (ID, error) {
	bad := func() (ID, error) {
		return 0, fault.Invalid("CVE id %q: want CVE-YYYY-NNNN", clip(s))
	}
	if len(s) < len("CVE-1999-0001") || !strings.EqualFold(s[:4], "CVE-") || s[8] != '-' {
		return bad()
	}
	year, ok := digits(s[4:8])
	if !ok || year < 1999 || year > 2999 {
		return bad()
	}
	seq, ok := digits(s[9:])
	if !ok {
		return bad()
	}
	return NewID(year, seq), nil
}

// digits reads one to ten decimal digits that fit 32 bits.
func digits(s string) (uint32, bool) {
	if s == "" || len(s) > 10 {
		return 0, false
	}
	n := uint64(0)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return uint32(n), n <= 1<<32-1
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// Year is the year in the identifier, which is not always the year of publication.
func (id ID) Year() int { return int(id >> 32) }

// String prints the id with at least four digits of sequence, "" for the zero ID.
func (id ID) String() string {
	if id == 0 {
		return ""
	}
	var b [24]byte
	return string(id.Append(b[:0]))
}

// Append appends what String prints of an ID that is not zero.
func (id ID) Append(b []byte) []byte {
	b = append(b, "CVE-"...)
	b = strconv.AppendInt(b, int64(id>>32), 10)
	b = append(b, '-')
	seq := int64(id & 0xffffffff)
	for limit := int64(1000); limit > 1 && seq < limit; limit /= 10 {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, seq, 10)
}

// MarshalText writes the printed form; it is what JSON shows.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the printed form.
func (id *ID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseID(string(b))
	return err
}
