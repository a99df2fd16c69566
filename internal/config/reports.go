package config

import "github.com/patchscout/patchscout/internal/fault"

// Reports says how long raw reports are kept, without credentials, to be read again. 0 sets no limit.
type Reports struct {
	Newest int `koanf:"newest"` // of each tool and set of targets
	Days   int `koanf:"days"`   // after which one goes
	MaxMB  int `koanf:"max_mb"` // of all together, packed
}

func defaultReports() Reports { return Reports{Newest: 3, Days: 180, MaxMB: 2048} }

func (r Reports) validate() error {
	for _, f := range []struct {
		key       string
		got, most int
	}{{"newest", r.Newest, 1_000_000}, {"days", r.Days, 36_500}, {"max_mb", r.MaxMB, 1 << 30}} {
		if f.got < 0 || f.got > f.most {
			return fault.Invalid("reports.%s %d: want 0 for no limit, to %d", f.key, f.got, f.most)
		}
	}
	return nil
}
