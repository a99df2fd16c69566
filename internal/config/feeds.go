package config

import (
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/patchscout/patchscout/internal/fault"
)

// NamedFeed is a feed with the name that users write.
type NamedFeed struct {
	Name string
	Feed
}

// All lists every feed in the order in which they load: what speaks of CVEs comes before the CVEs themselves, so that
// a record is judged once, when it arrives.
func (f Feeds) All() []NamedFeed {
	nvd := Feed{Enabled: f.NVD.Enabled, URL: f.NVD.URL, Schedule: f.NVD.Schedule}
	return []NamedFeed{
		{"kev", f.KEV}, {"epss", f.EPSS}, {"exploitdb", f.ExploitDB}, {"metasploit", f.Metasploit}, {"nuclei", f.Nuclei},
		{"attack", f.Attack}, {"ctid", f.CTID}, {"cwe", f.CWE}, {"urlhaus", f.URLhaus}, {"threatfox", f.ThreatFox},
		{"feodo", f.Feodo}, {"malwarebazaar", f.MalwareBazaar}, {"cvelist", f.CVEList}, {"nvd", nvd},
	}
}

// EnabledFeeds lists the feeds that are on, in the order in which they load.
func (c Config) EnabledFeeds() []string {
	var names []string
	for _, f := range c.Feeds.All() {
		if f.Enabled {
			names = append(names, f.Name)
		}
	}
	return names
}

// defaultFeeds has every feed on. The schedules follow the publishers' own rhythm: NVD changes its "modified" file
// every two hours, CISA adds to KEV within the day, EPSS and the exploit lists are made daily, ATT&CK, CTID and CWE a
// few times a year; abuse.ch's lists change by the minute and age fast. "@every" spreads the users of a publisher over
// the day, as a time of day would not.
func defaultFeeds() Feeds {
	hours := func(n string) Feed { return Feed{Enabled: true, Schedule: "@every " + n + "h"} }
	return Feeds{
		NVD: NVDFeed{Enabled: true, Schedule: "@every 2h"}, CVEList: hours("168"), KEV: hours("6"), EPSS: hours("24"),
		ExploitDB: hours("24"), Metasploit: hours("24"), Nuclei: hours("24"), Attack: hours("168"), CTID: hours("168"),
		CWE: hours("168"), URLhaus: hours("6"), ThreatFox: hours("6"), Feodo: hours("6"), MalwareBazaar: hours("6"),
	}
}

// Schedule says when a feed is due.
type Schedule struct{ times cron.Schedule }

// minInterval keeps a mistyped schedule from asking a publisher all the time.
const minInterval = time.Minute

// ParseSchedule reads a schedule as cron writes it ("30 4 * * 1-5": minute, hour, day of month, month, day of week, in
// local time), one of @hourly, @daily, @weekly, @monthly, @yearly, or "@every 6h". "" is a schedule that never comes.
// Else the error is fault.Invalid.
func ParseSchedule(text string) (Schedule, error) {
	if text == "" {
		return Schedule{}, nil
	}
	const want = `want "@every 6h", "@daily" or five fields such as "30 4 * * *"`
	if len(text) > 200 || strings.Contains(text, "TZ=") { // the library does not survive every time zone
		return Schedule{}, fault.Invalid("%.40q: %s", text, want)
	}
	times, err := cron.ParseStandard(text)
	if err != nil {
		return Schedule{}, fault.Invalid("%.40q: %s", text, want)
	}
	s := Schedule{times}
	if every, ok := times.(cron.ConstantDelaySchedule); ok && every.Delay < minInterval {
		return Schedule{}, fault.Invalid("%.40q: at most once a minute", text)
	}
	if s.Next(time.Now()).IsZero() { // "0 0 30 2 *"
		return Schedule{}, fault.Invalid("%.40q: that day never comes", text)
	}
	return s, nil
}

// Next is when the schedule comes next after a time; zero for one that never comes.
func (s Schedule) Next(after time.Time) time.Time {
	if s.times == nil {
		return time.Time{}
	}
	return s.times.Next(after.Local())
}

// gaps are looked at for Interval: a week of a daily schedule that leaves weekends out.
const gaps = 8

// Interval is the longest time between two of the schedule's next times, 0 for one that never comes.
func (s Schedule) Interval(from time.Time) time.Duration {
	var longest time.Duration
	at := s.Next(from)
	for range gaps {
		next := s.Next(at)
		if at.IsZero() || next.IsZero() {
			break
		}
		longest = max(longest, next.Sub(at))
		at = next
	}
	return longest
}
