package nikto

import (
	"io"
	"strings"

	"github.com/patchscout/patchscout/internal/scan/intake"
)

// readCSV reads rows of host, ip, port, references (or "OSVDB-n"), method, uri, message. There is no row of column names:
// "Nikto - v2.6.1/" begins a run, a row with only a banner a host. Runs may be appended to one file.
func (d *document) readCSV(piece io.Reader) error {
	t := intake.NewTable(Name, piece, ',')
	t.Backslashes()
	var s *site
	for {
		row, err := t.Next()
		if err != nil {
			if s != nil && err == io.EOF { //nolint:errorlint // Next returns it bare
				return d.finish(s, false)
			}
			if err == io.EOF { //nolint:errorlint // Next returns it bare
				return nil
			}
			return err
		}
		if len(row) == 1 && strings.HasPrefix(row[0], "Nikto - v") {
			continue
		}
		if len(row) < 7 {
			d.items++
			if err := d.drop("malformed row", 1); err != nil {
				return err
			}
			continue
		}
		unsafed(row)
		if strings.EqualFold(row[0], "host") && strings.EqualFold(row[2], "port") {
			continue // somebody has named the columns
		}
		if s, err = d.row(s, row); err != nil {
			return err
		}
	}
}

// row is one of a host: its banner, or an item.
func (d *document) row(s *site, row []string) (*site, error) {
	next := &site{target: target{host: strings.Clone(row[0])}}
	next.identify(row[1], row[2])
	if s == nil || s.host != next.host || s.addr != next.addr || s.port != next.port {
		if s != nil {
			if err := d.finish(s, false); err != nil {
				return s, err
			}
		}
		s = next
	}
	if row[3] == "" && row[4] == "" && row[5] == "" { // the banner
		return s, nil
	}
	i := &item{refs: row[3], method: row[4], uri: row[5], msg: strings.Join(row[6:], ",")}
	return s, d.item(s, i)
}

// unsafed takes off the quote that Nikto puts before what a spreadsheet would take for a formula.
func unsafed(row []string) {
	for i, field := range row {
		if len(field) > 1 && field[0] == '\'' && strings.ContainsRune("=+@-", rune(field[1])) {
			row[i] = field[1:]
		}
	}
}
