package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/asset"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// estateWith fills an estate with hosts that have findings of CVE-2024-1000, -1001, ….
func estateWith(t *testing.T, eng *storetest.Engine, hosts, findings int) (*store.Estate, []int64) {
	t.Helper()
	e := eng.Open(t).Estate()
	var ids []int64
	for part := range slices.Chunk(slices.Collect(seq(hosts)), 50) {
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			for _, i := range part {
				h := oneHost(fmt.Sprintf("10.%d.%d.%d", i/65536, i/256%256, i%256))
				if err := tx.SaveHost(ctx, h); err != nil {
					return err
				}
				for j := range findings {
					f := oneFinding(h.ID, 22, fmt.Sprintf("CVE-2024-%d", 1000+j), "0")
					if err := tx.SaveFinding(ctx, f, nil); err != nil {
						return err
					}
					ids = append(ids, f.ID)
				}
			}
			return nil
		})
	}
	return e, ids
}

func seq(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func TestWhatPeopleSayIsKeptAndReadBack(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e, ids := estateWith(t, eng, 1, 3)
		want := finding.Triage{State: finding.Accepted, Until: day1.Truncate(24 * time.Hour), By: "local:anna", At: day1, Note: "later"}
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			found, err := tx.FindingsByID(ctx, ids[:2])
			if err != nil || len(found) != 2 {
				return fmt.Errorf("%d findings: %w", len(found), err)
			}
			for _, f := range found {
				f.Triage, f.Assignee, f.Labels, f.SLADue = want, "bob", []string{"a", "b"}, day1.Truncate(24*time.Hour)
				f.Own.Assign("bob", day1)
				f.Own.Relabel([]string{"a"}, []string{"c"})
				if err := tx.SaveWords(ctx, f); err != nil {
					return err
				}
				if err := tx.AddChange(ctx, finding.Change{What: finding.OfFinding, Item: f.ID, At: day1, By: "local:anna", Kind: finding.ChangeTriage, To: "accepted", Note: "later"}); err != nil {
					return err
				}
			}
			return nil
		})
		for _, id := range ids[:2] {
			f, err := e.Finding(ctx, auth.Everything(), id)
			if err != nil || f.Triage != want || f.Assignee != "bob" || !slices.Equal(f.Labels, []string{"a", "b"}) || !f.SLADue.Equal(day1.Truncate(24*time.Hour)) ||
				!slices.Equal(f.Own.Labels, []string{"a"}) || !slices.Equal(f.Own.Without, []string{"c"}) || !f.Own.AssignedAt.Equal(day1) || len(f.Evidence) != 1 {
				t.Errorf("%v %+v %+v", err, f.Triage, f.Own)
			}
		}
		if f, err := e.Finding(ctx, auth.Everything(), ids[2]); err != nil || f.Triage.Spoken() || f.Assignee != "" {
			t.Errorf("another finding: %v %+v", err, f.Triage)
		}
		changes, err := e.Changes(ctx, auth.Everything(), finding.OfFinding, ids[0])
		if err != nil || len(changes) != 1 || changes[0].By != "local:anna" || changes[0].Note != "later" || !changes[0].At.Equal(day1) {
			t.Errorf("%+v %v", changes, err)
		}
		if sensors, err := e.Sensors(ctx, auth.Everything()); err != nil || !slices.Equal(sensors, []string{"native"}) {
			t.Errorf("%v %v", sensors, err)
		}
	})
}

func TestRulesAreKeptCachedAndForgotten(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e, _ := estateWith(t, eng, 2, 2)
		yes := true
		rule := finding.Rule{Name: "lab", Created: day1, By: "local:anna", Expires: day1.Truncate(24 * time.Hour), Enabled: true, Source: finding.SourcePerson,
			Where: finding.RuleWhere{Host: 2, Weaknesses: []string{"CVE-2024-1000"}, Ports: []string{"22/tcp"}},
			Says:  finding.RuleSays{State: finding.FalsePositive, Reason: "no", Labels: []string{"x"}}}
		hosts := asset.Rule{Name: "dmz", Created: day1, By: "local:anna", Enabled: true, Source: finding.SourcePerson,
			Where: asset.RuleWhere{Hosts: []string{"10.0.0.0/8"}, Sites: []string{"default"}}, Says: asset.RuleSays{Exposed: &yes, Tags: []string{"dmz"}}}
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			if err := tx.SaveRule(ctx, &rule); err != nil {
				return err
			}
			return tx.SaveHostRule(ctx, &hosts)
		})
		ofFindings, err := e.FindingRules(ctx, auth.Everything())
		if err != nil {
			t.Fatal(err)
		}
		same(t, []finding.Rule{rule}, ofFindings)
		ofHosts, err := e.HostRules(ctx, auth.Everything())
		if err != nil {
			t.Fatal(err)
		}
		same(t, []asset.Rule{hosts}, ofHosts)
		ready := func() (rules *finding.Rules) {
			t.Helper()
			update(t, e, func(ctx context.Context, tx *store.EstateTx) (err error) {
				rules, err = tx.Rules(ctx)
				return err
			})
			return rules
		}
		first := ready()
		if first.Len() != 1 || first != ready() {
			t.Error("rules that did not change are read once")
		}
		if got, all, err := e.RuleHosts(ctx, auth.Everything(), ofFindings); err != nil || all || !slices.Equal(got, []int64{2}) {
			t.Errorf("%v %v %v", got, all, err)
		}
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error { return tx.EnableRule(ctx, rule.ID, false) })
		if f, _, err := e.Rule(ctx, auth.Everything(), rule.ID); err != nil || f.Enabled || ready() == first {
			t.Errorf("%+v %v", f, err)
		}
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error { return tx.RemoveRule(ctx, rule.ID) })
		if ready().Len() != 0 {
			t.Error("a removed rule is still used")
		}
		for _, change := range []func(tx *store.EstateTx) error{
			func(tx *store.EstateTx) error { return tx.RemoveRule(ctx, rule.ID) },
			func(tx *store.EstateTx) error { return tx.EnableRule(ctx, 99, true) },
		} {
			if err := e.Update(ctx, change); fault.KindOf(err) != fault.KindNotFound {
				t.Error(err)
			}
		}
		another := rule
		another.ID = 0
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error { return tx.SaveRule(ctx, &another) })
		if another.ID <= hosts.ID {
			t.Errorf("number %d was given before", another.ID)
		}
	})
}

func TestWhatAPersonSaysOfAHostIsKeptApartFromRules(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e, _ := estateWith(t, eng, 2, 1)
		no := false
		update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
			hosts, err := tx.HostsByID(ctx, []int64{1})
			if err != nil {
				return err
			}
			h := hosts[0]
			h.Own = asset.Own{Tags: []string{"mine"}, Without: []string{"net"}, Owner: "anna", Exposed: &no}
			h.Tags, h.Owner, h.Exposed, h.Criticality = []string{"by rule", "mine"}, "anna", &no, "high"
			return tx.SaveHostWords(ctx, h)
		})
		got, err := e.Host(ctx, auth.Everything(), 1)
		if err != nil || got.Owner != "anna" || got.Own.Owner != "anna" || !slices.Equal(got.Own.Without, []string{"net"}) || got.Own.Exposed == nil || got.Criticality != "high" {
			t.Errorf("%+v %v", got, err)
		}
		for name, f := range map[string]store.HostFilter{"owner": {Owner: "anna"}, "tag": {Tag: "mine"}, "criticality": {Criticality: "high"}} {
			if found, err := e.Hosts(ctx, auth.Everything(), f); err != nil || len(found) != 1 || found[0].ID != 1 {
				t.Errorf("%s: %d %v", name, len(found), err)
			}
		}
		if found, err := e.Hosts(ctx, auth.Everything(), store.HostFilter{Tag: "min"}); err != nil || len(found) != 0 {
			t.Errorf("a part of a tag: %d %v", len(found), err)
		}
	})
}

// The organisation's promise: 100,000 findings in half a minute.
func TestTenThousandFindingsAreTriagedInSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		e, ids := estateWith(t, eng, 500, 20)
		began := time.Now()
		for part := range slices.Chunk(ids, 1200) {
			update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
				found, err := tx.FindingsByID(ctx, part)
				if err != nil {
					return err
				}
				for _, f := range found {
					f.Triage = finding.Triage{State: finding.OutOfScope, By: "local:anna", At: day1, Note: "lab"}
					if err := tx.SaveWords(ctx, f); err != nil {
						return err
					}
					if err := tx.AddChange(ctx, finding.Change{What: finding.OfFinding, Item: f.ID, At: day1, By: "local:anna", Kind: finding.ChangeTriage, To: "out_of_scope"}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		took := time.Since(began)
		t.Logf("%d findings: %s", len(ids), took.Round(time.Millisecond))
		if took > 15*time.Second {
			t.Errorf("took %s", took)
		}
	})
}
