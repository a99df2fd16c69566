package attackpath

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// notices say what is assumed of the whole, and what to do about it.
func (m *Model) notices() (out []string) {
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	m.noticeReach(say)
	m.noticeSites(say)
	m.noticeEntries(say)
	m.noticeGoals(say)
	m.noticeScenarios(say)
	for k := noStep; k < skipKinds; k++ {
		if n := m.counts[k]; n > 0 {
			say("%s", skipWords(k, n))
		}
	}
	if n := len(m.Stale()); n > 0 {
		say("%s about nothing that is there now; %s kept, since it may return.", plural(n, "correction is", "corrections are"), pick(n, "it is", "they are"))
	}
	return out
}

// EntryNotices are those of the notices that say where attackers begin, for answers that begin elsewhere.
func (m *Model) EntryNotices() (out []string) {
	m.noticeEntries(func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) })
	return out
}

func (m *Model) noticeReach(say func(string, ...any)) {
	say("Hosts of one site are taken to reach each other's open ports where no rule says otherwise.")
	switch rules := len(m.estate.Policy.Rules); {
	case m.estate.Assume.Flat && rules == 0:
		say("No network policy is declared and assume=flat: every site is taken to reach every other. A policy says what really is let through.")
	case m.estate.Assume.Flat:
		say("Where %s, every site is taken to reach every other (assume=flat).", silent(rules))
	case rules == 0:
		say("No network policy is declared: a site is taken to reach only itself (assume=site). A policy says what else is let through.")
	default:
		say("Where %s, a site is taken to reach only itself (assume=site).", silent(rules))
	}
}

// noticeSites says which rules name sites that are not there, as happens when a site goes.
func (m *Model) noticeSites(say func(string, ...any)) {
	rules, sites := 0, []string{}
	for i := range m.estate.Policy.Rules {
		named := 0
		for _, site := range []string{m.estate.Policy.Rules[i].From.Site, m.estate.Policy.Rules[i].To.Site} {
			if site == "" || m.knownSite(site) || m.reach.siteParts[site] != nil {
				continue
			}
			if named = 1; !slices.Contains(sites, site) {
				sites = append(sites, site)
			}
		}
		rules += named
	}
	if rules > 0 {
		say("%s that %s not there (%s), and so %s nothing.", plural(rules, "rule of the policy names a site", "rules of the policy name sites"), pick(len(sites), "is", "are"),
			strings.Join(sites[:min(len(sites), 5)], ", "), pick(rules, "decides", "decide"))
	}
}

func silent(rules int) string {
	if rules == 1 {
		return "the policy's rule says nothing"
	}
	return fmt.Sprintf("none of the policy's %d rules says anything", rules)
}

func (m *Model) noticeEntries(say func(string, ...any)) {
	sites := 0
	for _, e := range m.entries {
		switch {
		case e.Assumed:
			sites++
		case e.Kind == FromUser:
			say("Whoever has %s is taken to try it from the internet.", m.entryName(e.Entry))
		}
	}
	if len(m.estate.Assume.From) == 0 && sites == 0 {
		say("Attackers begin in the internet, which reaches open ports of %s. What one could do who is inside is asked with: --from site:NAME", plural(int(m.internet), "host", "hosts"))
	}
	if sites > 0 {
		say("The internet reaches no open port, so that attackers are taken to stand inside %s. Name an entry point to ask otherwise.", plural(sites, "site", "sites, each by itself"))
	}
}

func (m *Model) noticeGoals(say func(string, ...any)) {
	switch m.goalMode {
	case important:
		say("No host is tagged jewel: hosts of criticality high and critical stand for them. Tag one with: patchscout assets tag HOST jewel")
	case allHosts:
		if len(m.hosts) > 0 {
			say("No host is tagged jewel or of high criticality: all hosts count alike. Tag what matters with: patchscout assets tag HOST jewel")
		}
	}
}

func (m *Model) noticeScenarios(say func(string, ...any)) {
	if m.estate.Assume.Reuse {
		say("Scenario credential reuse: an administrator's credentials of one host are taken to work on the others of its site.")
	}
	if m.estate.Assume.Secrets {
		say("Scenario secrets read: what can be read of a service is taken to hold a login of its host.")
	}
}

func skipWords(k skip, n int) string {
	one := plural(n, "finding gives", "findings give") + " attackers no step: "
	switch k {
	case noStep:
		return one + pick(n, "it stops", "they stop") + " a service at most, or nothing is known of what " + pick(n, "it does", "they do") + "."
	case noPort:
		return one + "usable over the network, but no open port of the host is known."
	case noService:
		return one + "in a package of which no service is known to answer."
	case noClient:
		return one + "somebody must open something, and nobody is known to sit at the host. The policy's clients say where people sit."
	case needsRoot:
		return one + "only an administrator of the host can use " + pick(n, "it", "them") + "."
	case noGain:
		return one + "usable only by who has the same already."
	default:
		return one + "somebody corrected " + pick(n, "it", "them") + " to never."
	}
}

func plural(n int, one, many string) string { return strconv.Itoa(n) + " " + pick(n, one, many) }

func pick(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
