package catalogue

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/cve"
	"github.com/patchscout/patchscout/internal/intel"
	"github.com/patchscout/patchscout/internal/priority"
)

// Standing is what a CVE is filtered and sorted by and that depends on other feeds than the records'. It is judged
// without a host: exposed.
type Standing struct {
	KEV, Ransomware bool
	EPSS            *float64
	Exploits        ExploitBits
	Estimated       bool // the likelihood is an estimate, not EPSS
	// RankKey orders by decision, likelihood and score, ascending: a digit, seven, seven (priority.RankKey).
	RankKey int64
}

// rankStep is one more than a part of a RankKey can be.
const rankStep = 10_000_000

// LikelihoodKey falls as the likelihood rises; unknown is last.
func (s Standing) LikelihoodKey() int64 { return s.RankKey / rankStep % rankStep }

// ScoreKey falls as the priority score rises; unknown is last.
func (s Standing) ScoreKey() int64 { return s.RankKey % rankStep }

// ExploitBits say what kinds of public exploits there are.
type ExploitBits uint16

// The bits, stored in the databases: never renumber.
const (
	ExploitDB ExploitBits = 1 << iota
	ExploitMetasploit
	ExploitNuclei
	ExploitVerified
	ExploitRemote
	ExploitLocal
	ExploitWebapps
	ExploitDos
	ExploitOther // a source that has no bit of its own
)

// ExploitNames are the words for the bits, as filters take them.
var ExploitNames = map[string]ExploitBits{
	"exploitdb": ExploitDB, "metasploit": ExploitMetasploit, "nuclei": ExploitNuclei, "verified": ExploitVerified,
	"remote": ExploitRemote, "local": ExploitLocal, "webapps": ExploitWebapps, "dos": ExploitDos,
}

func exploitBits(exploits []intel.Exploit) (bits ExploitBits) {
	for _, x := range exploits {
		switch x.Source {
		case "exploitdb", "metasploit", "nuclei":
			bits |= ExploitNames[x.Source]
		default:
			bits |= ExploitOther
		}
		switch x.Kind {
		case "remote", "local", "webapps", "dos":
			bits |= ExploitNames[x.Kind]
		}
		if x.Verified {
			bits |= ExploitVerified
		}
	}
	return bits
}

// Stand judges a record by what is known of its use.
func Stand(r *cve.Record, f intel.Facts, now time.Time) Standing {
	v := priority.Assess(priority.Input{Record: r, Facts: f, Now: now, Exposure: priority.Exposure{Exposed: true}})
	s := Standing{
		KEV: f.KEV != nil, Ransomware: f.KEV != nil && f.KEV.Ransomware, EPSS: v.EPSS, Exploits: exploitBits(f.Exploits),
		Estimated: v.Likelihood != nil && v.LikelihoodSource != priority.FromEPSS,
	}
	s.RankKey, _ = strconv.ParseInt(priority.RankKey(v.Decision, v.Likelihood, v.Score), 10, 64) // 15 digits
	return s
}

// decisions by the first digit of a RankKey.
var decisions = []string{"act", "attend", "plan", "track"}

// DecisionRank is the first digit of the RankKeys of a decision, -1 of no decision.
func DecisionRank(decision string) int { return slices.Index(decisions, decision) }

// DecisionOf is the decision of a first digit, "" of none.
func DecisionOf(rank int) string {
	if rank < 0 || rank >= len(decisions) {
		return ""
	}
	return decisions[rank]
}

// SeverityCode is how a severity is stored: the order of urgency, 0 for unknown.
func SeverityCode(severity string) int {
	switch severity {
	case "critical":
		return 5
	case "high":
		return 4
	case "medium":
		return 3
	case "low":
		return 2
	case "info":
		return 1
	default:
		return 0
	}
}

// standings are the facts of all CVEs, held while a whole catalogue is written.
type standings struct {
	kev      map[cve.ID]intel.KEV
	epss     map[cve.ID]intel.EPSS
	ssvc     map[cve.ID]intel.SSVC
	exploits map[cve.ID][]intel.Exploit
}

func loadStandings(w Writer) (s standings, err error) {
	if s.kev, err = w.KEV().All(); err != nil {
		return s, err
	}
	if s.epss, err = w.EPSS().All(); err != nil {
		return s, err
	}
	if s.ssvc, err = w.SSVC().All(); err != nil {
		return s, err
	}
	all, err := w.Exploits().All()
	s.exploits = make(map[cve.ID][]intel.Exploit, len(all))
	for k, x := range all {
		s.exploits[k.CVE] = append(s.exploits[k.CVE], x)
	}
	return s, err
}

// facts returns what is known of one CVE. The order of its exploits is not fixed.
func (s *standings) facts(id cve.ID) (f intel.Facts) {
	if k, ok := s.kev[id]; ok {
		f.KEV = &k
	}
	if e, ok := s.epss[id]; ok {
		f.EPSS = &e
	}
	if v, ok := s.ssvc[id]; ok {
		f.SSVC = &v
	}
	f.Exploits = s.exploits[id]
	return f
}

// touch notes what a changed row of a list is about, where a CVE's standing depends on it.
func (l *loading) touch(key any) {
	switch k := key.(type) {
	case cve.ID:
		l.touched = append(l.touched, k)
	case ExploitKey:
		l.touched = append(l.touched, k.CVE)
	}
}

// metaScored is the day of which the stored scores are.
const metaScored = "scored"

// rescore judges anew what was published lately, once a day: the score's recency falls for 30 days without anything
// being loaded.
func (s *Syncer) rescore(ctx context.Context) error {
	today := s.now().UTC().Format(time.DateOnly)
	if scored, err := s.Target.Meta(ctx, metaScored); err != nil || scored == today {
		return err
	}
	return s.Target.Change(ctx, func(w Writer) error {
		recent, err := w.PublishedSince(s.now().AddDate(0, 0, -32).Unix())
		if err != nil {
			return err
		}
		if err := restand(ctx, w, recent, s.now()); err != nil {
			return err
		}
		return w.SetMeta(metaScored, today)
	})
}

// standByEPSS lets every CVE stand by the scores that are stored now: in one statement, since a new day of EPSS moves
// nearly all of them, and one by one only those that have none any more.
func (l *loading) standByEPSS(ctx context.Context, w Writer) error {
	if err := w.StandByEPSS(); err != nil {
		return err
	}
	unscored, err := w.Unscored()
	if err != nil {
		return err
	}
	return restand(ctx, w, unscored, l.Now())
}

// restand judges stored CVEs anew after something that is known of their use has changed.
func restand(ctx context.Context, w Writer, ids []cve.ID, now time.Time) error {
	slices.Sort(ids)
	for chunk := range slices.Chunk(slices.Compact(ids), batchSize) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := restandFew(w, chunk, now); err != nil {
			return err
		}
	}
	return nil
}

func restandFew(w Writer, ids []cve.ID, now time.Time) error {
	records := make([]*cve.Record, 0, len(ids))
	err := w.Records(ids, func(id cve.ID, stored []byte) error {
		r, err := Decode(id, stored)
		records = append(records, r)
		return err
	})
	if err != nil || len(records) == 0 { // lists mostly load before records
		return err
	}
	facts, err := w.Facts(ids)
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := w.Stand(r.ID, Stand(r, facts[r.ID], now)); err != nil {
			return err
		}
	}
	return nil
}

// TechniqueBits are those of Row.Techniques that stand for a technique; a parent includes its sub-techniques.
func TechniqueBits(id string) (bits uint32) {
	for _, rule := range intel.Rules() {
		if rule.Technique == id || strings.HasPrefix(rule.Technique, id+".") {
			bits |= 1 << rule.Bit
		}
	}
	return bits
}
