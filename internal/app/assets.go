package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/report"
	"github.com/patchscout/patchscout/internal/request"
	"github.com/patchscout/patchscout/internal/scan/intake"
	"github.com/patchscout/patchscout/internal/store"
)

// TagRequest is request.Tag.
type TagRequest = request.Tag

// hostWord is what is said of one host.
type hostWord struct {
	on, off     []string
	owner       *string
	criticality *string
	exposed     *bool
	setExposed  bool
}

// Tag keeps what a person says of hosts and judges their findings anew where that matters.
func (a *App) Tag(ctx context.Context, req TagRequest) (_ report.Swept, err error) {
	defer func() { a.auditEnd(ctx, "host.tag", strings.Join(req.Hosts, ", "), strings.Join(req.Tags, ", "), err) }()
	word, err := tagWord(req)
	if err != nil {
		return report.Swept{}, err
	}
	var ids []int64
	for _, text := range req.Hosts {
		id, err := a.hostID(ctx, text, req.Site)
		if err != nil {
			return report.Swept{}, err
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	words := map[int64]hostWord{}
	for _, id := range ids {
		words[id] = word
	}
	_, swept, err := a.sayOfHosts(ctx, words)
	return swept, err
}

// TagWords parts what stands behind `assets tag` into hosts and tags, so that `assets tag web1 jewel` reads as it is said: the
// first is a host, and of the others those are that are numbers, addresses or known names; so is what looks like a name of the
// network, which is then said to be missing. The rest are tags, unless the flag named some already.
func (a *App) TagWords(ctx context.Context, words []string, site string, flagged bool) (hosts, tags []string, err error) {
	for i, word := range words {
		if i > 0 && strings.HasPrefix(word, "-") {
			tags = append(tags, word)
			continue
		}
		if i == 0 || flagged || strings.ContainsAny(word, ".:") || strings.Trim(word, "0123456789") == "" {
			hosts = append(hosts, word)
			continue
		}
		_, err := a.hostID(ctx, word, site)
		known := err == nil || fault.KindOf(err) == fault.KindConflict
		switch {
		case !known && fault.KindOf(err) != fault.KindNotFound:
			return nil, nil, err
		case known && asset.IsJewel([]string{word}):
			return nil, nil, fault.Invalid("%s is a tag, and a host is called so: say --tag %s, or name the host by its number", word, word)
		case known:
			hosts = append(hosts, word)
		default:
			tags = append(tags, word)
		}
	}
	return hosts, tags, nil
}

func tagWord(r TagRequest) (w hostWord, err error) {
	if w.on, w.off, err = splitLabels(r.Tags); err != nil {
		return w, err
	}
	plainJewel(w.on)
	plainJewel(w.off)
	if r.Criticality != nil {
		word, err := asset.ReadCriticality(*r.Criticality)
		if err != nil {
			return w, err
		}
		w.criticality = &word
	}
	w.owner = r.Owner
	if w.exposed, w.setExposed, err = readExposed(r.Exposed); err != nil {
		return w, err
	}
	if len(w.on)+len(w.off) == 0 && w.owner == nil && w.criticality == nil && !w.setExposed {
		return w, fault.Invalid("say something of the hosts: a tag, --owner, --criticality or --exposed")
	}
	return w, nil
}

// plainJewel writes the tag that attack paths know as they do.
func plainJewel(tags []string) {
	for i := range tags {
		if asset.IsJewel(tags[i : i+1]) {
			tags[i] = asset.JewelTag
		}
	}
}

// readExposed reads yes, no and unset; "" says nothing.
func readExposed(text string) (exposed *bool, said bool, err error) {
	yes, no := true, false
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "":
		return nil, false, nil
	case "yes", "true", "1":
		return &yes, true, nil
	case "no", "false", "0":
		return &no, true, nil
	case "unset":
		return nil, true, nil
	}
	return nil, false, fault.Invalid("exposed %q: want yes, no or unset", text)
}

func (w hostWord) apply(own *asset.Own) {
	own.Retag(w.on, w.off)
	if w.owner != nil {
		own.Owner = finding.Cut(strings.TrimSpace(*w.owner), 255)
	}
	if w.criticality != nil {
		own.Criticality = *w.criticality
	}
	if w.setExposed {
		own.Exposed = w.exposed
	}
}

// sayOfHosts keeps the words, some hundred hosts at a time, and then judges anew the findings of those whose exposure
// changed and applies the rules to those whose tags did.
func (a *App) sayOfHosts(ctx context.Context, words map[int64]hostWord) (changed map[int64]bool, doc report.Swept, err error) {
	changed = map[int64]bool{}
	ids := make([]int64, 0, len(words))
	for id := range words {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var exposed, tagged []int64
	for part := range slices.Chunk(ids, 500) {
		var said hostsSaid
		if err := a.store.Estate().Update(ctx, func(tx *store.EstateTx) (err error) {
			said, err = a.sayOf(ctx, tx, part, words)
			return err
		}); err != nil {
			return changed, doc, err
		}
		for _, id := range said.changed {
			changed[id] = true
		}
		doc.Hosts += len(part)
		exposed, tagged = append(exposed, said.exposed...), append(tagged, said.tagged...)
	}
	doc.Assets = len(changed)
	if len(exposed) > 0 {
		doc.Rerated, err = a.assessor().Resettle(ctx, exposed)
	}
	if err == nil && len(tagged) > 0 {
		swept, sweepErr := a.assessor().Sweep(ctx, tagged, false)
		doc.Findings, err = swept.Findings, sweepErr
	}
	return changed, doc, err
}

// hostsSaid are the hosts of which something else is said now.
type hostsSaid struct{ changed, exposed, tagged []int64 }

func (a *App) sayOf(ctx context.Context, tx *store.EstateTx, ids []int64, words map[int64]hostWord) (said hostsSaid, err error) {
	hosts, err := tx.HostsByID(ctx, ids)
	if err != nil {
		return said, err
	}
	rules, err := tx.Rules(ctx)
	if err != nil {
		return said, err
	}
	for _, h := range hosts {
		before := *h
		words[h.ID].apply(&h.Own)
		rules.Hosts.Apply(h, a.now())
		changes := hostChanges(&before, h)
		if len(changes) == 0 && sameOwn(before.Own, h.Own) {
			continue
		}
		said.changed = append(said.changed, h.ID)
		if err := tx.SaveHostWords(ctx, h); err != nil {
			return said, err
		}
		for _, c := range changes {
			c.What, c.Item, c.At, c.By = finding.OfHost, h.ID, a.now().UTC(), a.who.Name
			switch c.Kind {
			case finding.ChangeExposed:
				said.exposed = append(said.exposed, h.ID)
			case finding.ChangeTags:
				said.tagged = append(said.tagged, h.ID)
			}
			if err := tx.AddChange(ctx, c); err != nil {
				return said, err
			}
		}
	}
	return said, nil
}

func sameOwn(a, b asset.Own) bool {
	return slices.Equal(a.Tags, b.Tags) && slices.Equal(a.Without, b.Without) && a.Owner == b.Owner && a.Criticality == b.Criticality &&
		sayExposed(a.Exposed) == sayExposed(b.Exposed)
}

func hostChanges(before, after *asset.Host) (out []finding.Change) {
	for _, c := range []finding.Change{
		{Kind: finding.ChangeTags, From: strings.Join(before.Tags, " "), To: strings.Join(after.Tags, " ")},
		{Kind: finding.ChangeOwner, From: before.Owner, To: after.Owner},
		{Kind: finding.ChangeCriticality, From: before.Criticality, To: after.Criticality},
		{Kind: finding.ChangeExposed, From: sayExposed(before.Exposed), To: sayExposed(after.Exposed)},
	} {
		if c.From != c.To {
			out = append(out, c)
		}
	}
	return out
}

func sayExposed(e *bool) string {
	switch {
	case e == nil:
		return ""
	case *e:
		return "yes"
	}
	return "no"
}

func sayHost(s asset.RuleSays) string {
	var out []string
	for _, one := range [][2]string{{"owner", s.Owner}, {"tags", strings.Join(s.Tags, ", ")}, {"criticality", s.Criticality}, {"exposed", sayExposed(s.Exposed)}} {
		if one[1] != "" {
			out = append(out, one[0]+" "+one[1])
		}
	}
	return strings.Join(out, "; ")
}

// HostRuleRequest is request.HostRule.
type HostRuleRequest = request.HostRule

// AddHostRule makes a rule about hosts and applies it to those that are known.
func (a *App) AddHostRule(ctx context.Context, req HostRuleRequest) (_ report.Triaged, err error) {
	defer func() { a.auditEnd(ctx, "rule.add", "hosts "+strings.Join(req.Places, ", "), req.Name, err) }()
	doc := report.Triaged{Rules: []int64{}}
	exposed, _, err := readExposed(req.Exposed)
	if err != nil {
		return doc, err
	}
	if req.Criticality, err = asset.ReadCriticality(req.Criticality); err != nil {
		return doc, err
	}
	r := asset.Rule{Name: finding.Cut(strings.TrimSpace(req.Name), 255), Created: a.now().UTC().Truncate(time.Millisecond), By: a.who.Name, Enabled: true,
		Source: finding.SourcePerson, Where: asset.RuleWhere{Sites: req.Sites, Hosts: req.Places},
		Says: asset.RuleSays{Owner: strings.TrimSpace(req.Owner), Tags: req.Tags, Criticality: req.Criticality, Exposed: exposed}}
	if r.Expires, err = parseDay("until", req.Until); err != nil {
		return doc, err
	}
	if err := r.Validate(); err != nil {
		return doc, err
	}
	if !r.Active(a.now()) {
		return doc, fault.InvalidOption("until", " %s is over", req.Until)
	}
	for _, site := range r.Where.Sites {
		if err := a.checkExist(ctx, 0, site); err != nil {
			return doc, err
		}
	}
	if r.Where.Sites, err = a.bound(r.Where.Sites); err != nil {
		return doc, err
	}
	if _, err := a.addHostRules(ctx, []*asset.Rule{&r}); err != nil {
		return doc, err
	}
	doc.Rules = append(doc.Rules, r.ID)
	hosts, err := a.allHosts(ctx)
	if err != nil {
		return doc, err
	}
	swept, err := a.assessor().Sweep(ctx, hosts, false)
	doc.Swept = &report.Swept{Hosts: swept.Hosts, Findings: swept.Findings, Assets: swept.Assets, Rerated: swept.Rerated}
	return doc, err
}

// addHostRules keeps rules about hosts; one that says the same of the same hosts is not made twice. It answers how many are new.
func (a *App) addHostRules(ctx context.Context, rules []*asset.Rule) (added int, err error) {
	for part := range slices.Chunk(rules, 1000) {
		n := 0
		if err := a.store.Estate().Update(ctx, func(tx *store.EstateTx) error {
			n = 0
			known, err := tx.HostRuleList(ctx)
			if err != nil {
				return err
			}
			byWhere := map[string][]asset.Rule{}
			for _, k := range known {
				byWhere[fmt.Sprint(k.Where)] = append(byWhere[fmt.Sprint(k.Where)], k)
			}
			for _, r := range part {
				same := byWhere[fmt.Sprint(r.Where)]
				if i := slices.IndexFunc(same, func(k asset.Rule) bool { return k.Enabled && k.Expires.Equal(r.Expires) && k.Same(r) }); i >= 0 {
					r.ID = same[i].ID
					continue
				}
				if err := a.replaceHostRule(ctx, tx, same, r); err != nil {
					return err
				}
				n++
			}
			return nil
		}); err != nil {
			return added, err
		}
		added += n
	}
	return added, nil
}

// replaceHostRule keeps a rule; those of the same file on the same host give way to it.
func (a *App) replaceHostRule(ctx context.Context, tx *store.EstateTx, same []asset.Rule, r *asset.Rule) error {
	for _, k := range same {
		if strings.HasPrefix(r.Source, sourceCSV) && strings.HasPrefix(k.Source, sourceCSV) {
			if err := tx.RemoveRule(ctx, k.ID); err != nil {
				return err
			}
		}
	}
	r.ID = 0
	if err := tx.SaveHostRule(ctx, r); err != nil {
		return err
	}
	return tx.AddChange(ctx, ruleChange(r.ID, r.By, r.Created, "added", strings.Join(append(slices.Clone(r.Where.Hosts), r.Where.Sites...), ", ")+": "+sayHost(r.Says)))
}

// sourceCSV is who made the rules that stand for hosts that are not known yet.
const sourceCSV = "csv:"

// maxAssetRows bounds a file of hosts.
const maxAssetRows = 1_000_000

// ImportAssets reads a CSV file of hosts (docs/triage.md): columns address or name, and site, owner, tags, criticality,
// exposed. A row says what a person says of the host; an empty field says nothing. A row of a host that is not known yet
// becomes a rule about it, so that it counts on the day on which the host is first seen.
func (a *App) ImportAssets(ctx context.Context, path, site string, stdin io.Reader) (_ report.AssetImport, err error) {
	file, err := openFile(path, stdin)
	if err != nil {
		return report.AssetImport{File: path, Refused: []report.Dropped{}, Problems: []report.Problem{}}, fault.Invalid("%s: no such file", path)
	}
	defer file.Close()
	return a.ReadAssets(ctx, path, site, file)
}

// hostColumns are what a column that names the host may be called.
var hostColumns = []string{"address", "name", "host", "hostname", "ip"}

// assetRow is a row that was understood.
type assetRow struct {
	place string
	site  string
	host  int64 // 0 is not known
	word  hostWord
}

func (a *App) readAssets(ctx context.Context, file io.Reader, site string, doc *report.AssetImport) (rows []assetRow, err error) {
	table := intake.NewTable("assets", file, 0)
	if err := table.Header(); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(hostColumns, table.Has) || !slices.ContainsFunc([]string{"owner", "tags", "criticality", "exposed"}, table.Has) {
		return nil, fault.Invalid("%s: want a column address or name, and one of owner, tags, criticality, exposed", doc.File)
	}
	refused := map[string]int{}
	known, err := a.hostIndex(ctx)
	if err != nil {
		return nil, err
	}
	for {
		_, err := table.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if doc.Records++; doc.Records > maxAssetRows {
			return nil, fault.Invalid("more than %d rows", maxAssetRows)
		}
		row, reason, err := a.readAsset(table, site, known)
		if err != nil {
			refused[reason]++
			if len(doc.Problems) < 20 {
				doc.Problems = append(doc.Problems, report.Problem{Target: "line " + strconv.Itoa(table.Line()), Reason: err.Error()})
			}
			continue
		}
		rows = append(rows, row)
	}
	for _, reason := range sortedKeys(refused) {
		doc.Refused = append(doc.Refused, report.Dropped{Reason: reason, Count: refused[reason]})
	}
	return rows, nil
}

// hostIndex finds hosts by what rows call them.
type hostIndex map[string][]*asset.Host

func (a *App) hostIndex(ctx context.Context) (hostIndex, error) {
	hosts, err := a.store.Estate().Hosts(ctx, a.who.View, store.HostFilter{})
	x := hostIndex{}
	for _, h := range hosts {
		for _, id := range h.Identifiers {
			if (id.Kind == asset.Address || id.Kind == asset.Name) && !slices.Contains(x[id.Value], h) {
				x[id.Value] = append(x[id.Value], h)
			}
		}
	}
	return x, err
}

// find returns the host of a site ("" is any) with an address or name: of several in one site the one seen last.
func (x hostIndex) find(site, value string) (*asset.Host, error) {
	var best *asset.Host
	for _, h := range x[value] {
		switch {
		case site != "" && h.Site != site:
		case best != nil && best.Site != h.Site:
			return nil, fault.Invalid("%s is a host in %s and in %s: name the site", value, best.Site, h.Site)
		case best == nil || h.LastSeen.After(best.LastSeen):
			best = h
		}
	}
	return best, nil
}

// readAsset reads one row; reason is for the ledger.
func (a *App) readAsset(table *intake.Table, site string, known hostIndex) (row assetRow, reason string, err error) {
	text := table.Get(hostColumns...)
	if text == "" {
		return row, "names no host", fault.Invalid("names no host")
	}
	place, err := asset.ParsePlace(text)
	if err != nil {
		return row, "a host that is no address, network or name", err
	}
	row.place, row.site = place.String(), either(table.Get("site"), site)
	if row.site != "" && !a.who.View.Sees(row.site) {
		return row, "a site that does not exist", fault.Invalid("site %q does not exist", row.site)
	}
	host, err := known.find(row.site, row.place)
	if err != nil {
		return row, "a host that is in several sites", err
	}
	if host != nil {
		row.host = host.ID
	}
	row.word, err = assetWord(table)
	return row, "a value that is not understood", err
}

func assetWord(table *intake.Table) (w hostWord, err error) {
	req := TagRequest{Tags: strings.FieldsFunc(table.Get("tags"), func(r rune) bool { return strings.ContainsRune(" ;|,", r) }),
		Exposed: table.Get("exposed")}
	if owner := table.Get("owner"); owner != "" {
		req.Owner = &owner
	}
	if c := strings.ToLower(table.Get("criticality")); c != "" {
		req.Criticality = &c
	}
	return tagWord(req)
}

// then says what a later row says of the same host.
func (w hostWord) then(later hostWord) hostWord {
	w.on, w.off = append(asset.Minus(w.on, later.off), later.on...), append(asset.Minus(w.off, later.on), later.off...)
	if later.owner != nil {
		w.owner = later.owner
	}
	if later.criticality != nil {
		w.criticality = later.criticality
	}
	if later.setExposed {
		w.exposed, w.setExposed = later.exposed, true
	}
	return w
}

func (a *App) keepAssets(ctx context.Context, rows []assetRow, doc *report.AssetImport) error {
	words := map[int64]hostWord{}
	var rules []*asset.Rule
	for _, r := range rows {
		if r.host != 0 {
			words[r.host] = words[r.host].then(r.word)
			continue
		}
		rule := a.assetRule(r, doc.File)
		var err error
		if rule.Where.Sites, err = a.bound(rule.Where.Sites); err != nil {
			return err
		}
		rules = append(rules, rule)
	}
	changed, swept, err := a.sayOfHosts(ctx, words)
	doc.Rerated = swept.Rerated
	if err != nil {
		return err
	}
	for _, r := range rows {
		switch {
		case r.host == 0:
			doc.Kept++
		case changed[r.host]:
			doc.Changed++
		default:
			doc.Unchanged++
		}
	}
	added, err := a.addHostRules(ctx, rules)
	if err != nil || added == 0 {
		return err
	}
	hosts, err := a.allHosts(ctx)
	if err != nil {
		return err
	}
	again, err := a.assessor().Sweep(ctx, hosts, false) // a row may name a network
	doc.Rerated += again.Rerated
	return err
}

// assetRule is a row about a host that is not known yet.
func (a *App) assetRule(r assetRow, file string) *asset.Rule {
	rule := &asset.Rule{Name: r.place, Created: a.now().UTC().Truncate(time.Millisecond), By: a.who.Name, Enabled: true, Source: finding.Cut(sourceCSV+file, 255),
		Where: asset.RuleWhere{Hosts: []string{r.place}}, Says: asset.RuleSays{Tags: asset.Union(r.word.on), Exposed: r.word.exposed}}
	if r.site != "" {
		rule.Where.Sites = []string{r.site}
	}
	if r.word.owner != nil {
		rule.Says.Owner = *r.word.owner
	}
	if r.word.criticality != nil {
		rule.Says.Criticality = *r.word.criticality
	}
	return rule
}

// RetireHost ends all findings of hosts, until they answer again. preview only counts.
func (a *App) RetireHost(ctx context.Context, hosts []string, site, reason string, preview bool) (ended int, err error) {
	defer func() {
		if !preview {
			a.auditEnd(ctx, "host.retire", strings.Join(hosts, ", "), reason, err)
		}
	}()
	bySite := map[string][]int64{}
	for _, text := range hosts {
		id, err := a.hostID(ctx, text, site)
		if err != nil {
			return 0, err
		}
		h, err := a.store.Estate().Host(ctx, a.who.View, id)
		if err != nil {
			return 0, err
		}
		if !slices.Contains(bySite[h.Site], id) {
			bySite[h.Site] = append(bySite[h.Site], id)
		}
	}
	d := a.decree(finding.HostRetired, reason)
	for name, ids := range bySite {
		n := 0
		if preview {
			n, err = a.assessor().Preview(ctx, d, ids)
		} else {
			n, err = a.assessor().Decree(ctx, name, d, ids)
		}
		ended += n
		if err != nil {
			return ended, err
		}
	}
	return ended, nil
}
