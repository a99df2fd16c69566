package store_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/patchscout/patchscout/internal/attackpath"
	"github.com/patchscout/patchscout/internal/auth"
	"github.com/patchscout/patchscout/internal/catalogue"
	"github.com/patchscout/patchscout/internal/fault"
	"github.com/patchscout/patchscout/internal/feed"
	"github.com/patchscout/patchscout/internal/finding"
	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

// lived is data of both halves: hosts with findings, users with a session and a token, CVEs.
func lived(t *testing.T, eng *storetest.Engine) *store.Store {
	t.Helper()
	estateWith(t, eng, 30, 3)
	s := eng.Open(t)
	sc := &script{feed: "nvd", files: map[string]func(feed.Sink) error{"a.json": send(append(manyMade(50), regresshion(), log4shell())...)}}
	sync1(t, s, sc, false, sc.file("a.json", "1", 1))
	u := addUser(t, s.Estate(), "anna", auth.Analyst, auth.OfSites("default"))
	k := &auth.Keeper{Rows: s.Estate(), Now: time.Now, Idle: time.Hour, Longest: 24 * time.Hour}
	login(t, k, "anna", pass)
	err := s.Exec(t.Context(), `INSERT INTO token (hash, account, name, role, site, all_sites, sites, scopes, created, who, expires, used, address, revoked)
		VALUES (?, ?, 'ci', 'viewer', '', 1, '[]', '[]', 1, 'anna', 0, 0, '', 0)`, []byte{0, 1, 0xff}, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	livedPaths(t, s.Estate())
	return s
}

// livedPaths corrects an edge, and keeps the risk of all that attack paths may lead over.
func livedPaths(t *testing.T, e *store.Estate) {
	t.Helper()
	a, err := e.AttackEstate(t.Context(), auth.Everything(), 0)
	if err != nil {
		t.Fatal(err)
	}
	figures, first := map[int64]float64{}, int64(0)
	for _, h := range a.Hosts {
		for _, f := range h.Flaws {
			figures[f.Finding], first = 0, f.Finding
		}
	}
	figures[first] = 0.25
	if err := e.SetRisk(t.Context(), day1, a.Generation, figures); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Correct(t.Context(), auth.Everything(), attackpath.Correction{Edge: attackpath.FindingEdge(first), Says: attackpath.SaysChance, P: 0.1, By: "anna", At: day1}); err != nil {
		t.Fatal(err)
	}
}

func backedUp(t *testing.T, s *store.Store, o store.BackupOptions) []byte {
	t.Helper()
	var archive bytes.Buffer
	if _, err := s.Backup(t.Context(), &archive, o); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

func engines(t *testing.T) map[string]func(testing.TB) *storetest.Engine {
	t.Helper()
	return map[string]func(testing.TB) *storetest.Engine{"sqlite": storetest.NewSQLite, "postgres": storetest.NewPostgres}
}

// What changes by being restored: nobody is logged in, and caches of before do not count.
var changed = []string{"estate/session", "estate/login_failure", "estate/token", "estate/generation", "catalogue/generation", "catalogue/meta"}

func content(t *testing.T, s *store.Store) map[string][]string {
	t.Helper()
	all, err := s.Dump(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range changed {
		delete(all, name)
	}
	return all
}

func TestBackupComesBackOnEitherEngine(t *testing.T) {
	for fromName, from := range engines(t) {
		source := lived(t, from(t))
		archive := backedUp(t, source, store.BackupOptions{Program: "test"})
		want := content(t, source)
		for toName, to := range engines(t) {
			t.Run(fromName+" to "+toName, func(t *testing.T) {
				eng := to(t)
				done, err := store.Restore(t.Context(), eng.Options(), bytes.NewReader(archive), store.RestoreOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if done.Manifest.Rows("estate") == 0 || done.Manifest.Rows("catalogue") == 0 || len(done.Old) > 0 {
					t.Errorf("restored %+v", done)
				}
				s := eng.Open(t)
				if diff := cmp.Diff(want, content(t, s)); diff != "" {
					t.Error(diff)
				}
				restoredWorks(t, eng, s)
			})
		}
	}
}

// restoredWorks uses what a restore must have made anew: indexes, triggers, numbers that go on.
func restoredWorks(t *testing.T, eng *storetest.Engine, s *store.Store) {
	ctx := t.Context()
	all, err := s.Dump(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(all["estate/session"]) > 0 || len(all["estate/token"]) != 1 {
		t.Errorf("sessions %v, tokens %v: want none, and the token revoked", all["estate/session"], all["estate/token"])
	}
	if err := s.Exec(ctx, `DELETE FROM token WHERE revoked = 0`); err != nil {
		t.Fatal(err)
	}
	if after, _ := s.Dump(ctx); len(after["estate/token"]) != 1 {
		t.Error("a token can still be used")
	}
	if got := searched(t, s, catalogue.Filter{Words: "signal handler"}); len(got) != 1 {
		t.Errorf("searching finds %v", got)
	}
	e := s.Estate()
	update(t, e, func(ctx context.Context, tx *store.EstateTx) error {
		h := oneHost("10.9.9.9")
		if err := tx.SaveHost(ctx, h); err != nil {
			return err
		}
		return tx.SaveFinding(ctx, oneFinding(h.ID, 22, "CVE-2024-1000", "0"), nil)
	})
	counts, err := e.CountFindings(ctx, auth.Everything(), finding.Filter{})
	if err != nil || counts.Total != 91 {
		t.Errorf("%d findings are listed (%v), want 90 and a new one", counts.Total, err)
	}
	list, total, err := e.RiskRanking(ctx, auth.Everything(), finding.Filter{}, 5)
	if err != nil || total != 1 || *list[0].RiskRemoved != 0.25 {
		t.Errorf("what takes most off the risk: %d %+v, %v", total, list, err)
	}
	if said, err := e.PathCorrections(ctx, auth.Everything()); err != nil || len(said) != 1 || said[0].P != 0.1 || said[0].Edge != attackpath.FindingEdge(list[0].ID) {
		t.Errorf("words on edges: %+v, %v", said, err)
	}
	addUser(t, e, "bob", auth.Viewer, auth.Everything())
	again := eng.Open(t) // another process
	sc := &script{feed: "nvd", files: map[string]func(feed.Sink) error{"b.json": send(manyMade(60)...)}}
	if run := sync1(t, again, sc, false, sc.file("b.json", "2", 1)); run.Status != feed.StatusOK {
		t.Errorf("the next load of feeds: %+v", run)
	}
}

// A scan that ran when the backup was made, and what waited, do not begin again behind people's backs.
func TestRestoreEndsWhatWasUnderWay(t *testing.T) {
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			s := engine(t).Open(t)
			work := func(paused bool) int64 {
				id, err := s.Estate().QueueScan(ctx, finding.Scan{Kind: finding.KindScan, Site: "default", Status: finding.Pending, Created: time.Now()},
					json.RawMessage(`{}`), job.Job{Kind: job.Scan, MaxAttempts: 3})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := s.Estate().Claim(ctx, id, "process 1 on a#x"); err != nil {
					t.Fatal(err)
				}
				if paused {
					err = s.Estate().Release(ctx, id, "process 1 on a#x", true)
				} else {
					err = s.Estate().UpdateScan(ctx, finding.Scan{ID: id, Kind: finding.KindScan, Site: "default", Status: finding.Running, Created: time.Now()})
				}
				if err != nil {
					t.Fatal(err)
				}
				return id
			}
			running, paused := work(false), work(true)
			eng := engine(t)
			if _, err := store.Restore(ctx, eng.Options(), bytes.NewReader(backedUp(t, s, store.BackupOptions{})), store.RestoreOptions{}); err != nil {
				t.Fatal(err)
			}
			back := eng.Open(t)
			got, err := back.Estate().Scan(ctx, auth.Everything(), running)
			if err != nil || got.Status != finding.Failed || got.Reason != "interrupted by a restore" || got.Completed.IsZero() {
				t.Errorf("the scan that ran: %+v %v", got, err)
			}
			if c, err := back.Estate().Controls(ctx, auth.Everything(), []int64{running, paused}); err != nil || c[running].Owner != "" || !c[paused].Paused {
				t.Errorf("who works on them: %+v %v", c, err)
			}
			if _, err := back.Estate().Claim(ctx, paused, "process 2 on a#y"); err != nil {
				t.Errorf("the scan that was paused cannot be continued: %v", err)
			}
			jobs, err := back.Jobs().Jobs(ctx, job.Filter{})
			for _, j := range jobs {
				if j.State != job.Cancelled || j.Error != "interrupted by a restore" {
					t.Errorf("a job would run again: %+v", j)
				}
			}
			if err != nil || len(jobs) != 2 {
				t.Errorf("%d jobs, %v", len(jobs), err)
			}
		})
	}
}

func TestRestoreKeepsTheOldDataBeside(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		archive := backedUp(t, lived(t, storetest.NewSQLite(t)), store.BackupOptions{WithoutCatalogue: true})
		s := lived(t, eng)
		addUser(t, s.Estate(), "carol", auth.Viewer, auth.Everything())
		before := content(t, s)
		if _, err := store.Restore(t.Context(), eng.Options(), bytes.NewReader(archive), store.RestoreOptions{Force: true}); fault.KindOf(err) != fault.KindConflict {
			t.Fatalf("while the data is in use: %v", err)
		}
		closeAll(t, eng, s)
		if _, err := store.Restore(t.Context(), eng.Options(), bytes.NewReader(archive), store.RestoreOptions{}); fault.KindOf(err) != fault.KindConflict {
			t.Fatalf("over data without --force: %v", err)
		}
		done, err := store.Restore(t.Context(), eng.Options(), bytes.NewReader(archive), store.RestoreOptions{Force: true})
		if err != nil || len(done.Old) != 1 {
			t.Fatalf("%+v, %v", done, err)
		}
		after := content(t, eng.Open(t))
		if len(after["estate/account"]) != 1 || len(after["catalogue/cve"]) != len(before["catalogue/cve"]) {
			t.Errorf("%d users and %d CVEs, want 1 user and the CVEs of before", len(after["estate/account"]), len(after["catalogue/cve"]))
		}
		if eng.Name == "sqlite" {
			old := filepath.Join(t.TempDir(), "old")
			if err := os.CopyFS(old, os.DirFS(done.Old[0])); err != nil {
				t.Fatal(err)
			}
			kept, err := store.Open(t.Context(), store.Options{DataDir: old})
			if err != nil {
				t.Fatal(err)
			}
			defer kept.Close()
			all, err := kept.Dump(t.Context())
			if err != nil || len(all["estate/account"]) != 2 {
				t.Errorf("the old data has %d users (%v), want 2", len(all["estate/account"]), err)
			}
		}
	})
}

// closeAll closes the store of a test and those that its helpers opened on the same data.
func closeAll(t *testing.T, eng *storetest.Engine, s *store.Store) {
	t.Helper()
	_ = s.Close()
	eng.CloseAll()
}

func TestBackupIsOfOneMoment(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		s := eng.Open(t)
		if err := s.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan int)
		go func() { // each transaction adds one site and one text: a backup has as many of both
			n := 0
			for ; ctx.Err() == nil; n++ {
				_ = s.AddTwo(context.Background(), n)
			}
			done <- n
		}()
		for range 5 {
			archive := backedUp(t, s, store.BackupOptions{WithoutCatalogue: true})
			var m store.Manifest
			entries := store.Unarchive(archive)
			if err := json.Unmarshal(entries[len(entries)-1].Body, &m); err != nil {
				t.Fatal(err)
			}
			if m.Tables["estate/site"] != m.Tables["estate/text"]+1 { // the site that always exists
				t.Errorf("%d sites and %d texts: not of one moment", m.Tables["estate/site"], m.Tables["estate/text"])
			}
		}
		stop()
		if n := <-done; n == 0 {
			t.Error("nothing was written meanwhile")
		}
	})
}

func TestHostileArchivesAreRefusedAndChangeNothing(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		good := backedUp(t, lived(t, storetest.NewSQLite(t)), store.BackupOptions{})
		entries := store.Unarchive(good)
		find := func(prefix string) int {
			for i, e := range entries {
				if strings.HasPrefix(e.Header.Name, prefix) {
					return i
				}
			}
			t.Fatalf("no %s", prefix)
			return 0
		}
		edited := func(change func(e []store.ArchiveEntry) []store.ArchiveEntry) []byte {
			return store.Archive(change(append([]store.ArchiveEntry(nil), entries...))...)
		}
		with := func(e store.ArchiveEntry) []byte {
			return edited(func(all []store.ArchiveEntry) []store.ArchiveEntry {
				return append(all[:1:1], append([]store.ArchiveEntry{e}, all[1:]...)...)
			})
		}
		head := func(change func(h *store.BackupHead)) []byte {
			return edited(func(all []store.ArchiveEntry) []store.ArchiveEntry {
				var h store.BackupHead
				_ = json.Unmarshal(all[0].Body, &h)
				change(&h)
				all[0].Body = store.JSON(h)
				return all
			})
		}
		cases := map[string][]byte{
			"nothing":      {},
			"no archive":   []byte("hello, I am a text"),
			"empty":        store.Archive(),
			"a climb":      with(store.ArchiveEntry{Header: tar.Header{Name: "../../etc/passwd"}}),
			"a link":       with(store.ArchiveEntry{Header: tar.Header{Name: "estate/host/000001", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}}),
			"a folder":     with(store.ArchiveEntry{Header: tar.Header{Name: "estate/", Typeflag: tar.TypeDir}}),
			"strange":      with(store.ArchiveEntry{Header: tar.Header{Name: "estate/sqlite_schema/000001"}, Body: store.Part([]string{"sql"}, []any{"x"})}),
			"a statement":  with(store.ArchiveEntry{Header: tar.Header{Name: `estate/site";DROP TABLE host;--/000001`}, Body: store.Part([]string{"name"}, []any{"x"})}),
			"a column":     with(store.ArchiveEntry{Header: tar.Header{Name: "estate/generation/000001"}, Body: store.Part([]string{`n") VALUES (1);--`}, []any{"x"})}),
			"wrong type":   with(store.ArchiveEntry{Header: tar.Header{Name: "estate/generation/000001"}, Body: store.Part([]string{"id", "n"}, []any{int64(1), "many"})}),
			"half a row":   with(store.ArchiveEntry{Header: tar.Header{Name: "estate/generation/000001"}, Body: []byte{2, 2, 'i', 'd', 1, 'n', 1}}),
			"a huge value": with(store.ArchiveEntry{Header: tar.Header{Name: "estate/generation/000001"}, Body: []byte{1, 1, 'n', 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}}),
			"out of order": edited(func(e []store.ArchiveEntry) []store.ArchiveEntry { e[1], e[2] = e[len(e)-2], e[1]; return e }),
			"twice": edited(func(e []store.ArchiveEntry) []store.ArchiveEntry {
				return append(e[:2:2], e[1:]...)
			}),
			"a part less": edited(func(e []store.ArchiveEntry) []store.ArchiveEntry {
				i := find("estate/finding/")
				return append(e[:i:i], e[i+1:]...)
			}),
			"a changed row": edited(func(e []store.ArchiveEntry) []store.ArchiveEntry {
				i := find("estate/account/")
				e[i].Body = bytes.Replace(e[i].Body, []byte("anna"), []byte("evil"), 1)
				return e
			}),
			"no manifest": edited(func(e []store.ArchiveEntry) []store.ArchiveEntry { return e[:len(e)-1] }),
			"no catalogue": edited(func(e []store.ArchiveEntry) []store.ArchiveEntry {
				return append(e[:find("catalogue/"):find("catalogue/")], e[len(e)-1])
			}),
			"goes on":        edited(func(e []store.ArchiveEntry) []store.ArchiveEntry { return append(e, e[1]) }),
			"another format": head(func(h *store.BackupHead) { h.Format = 0 }),
			"no estate":      head(func(h *store.BackupHead) { delete(h.Schemas, "estate") }),
			"another half":   head(func(h *store.BackupHead) { h.Schemas["public"] = 1 }),
		}
		for _, at := range []float64{0.1, 0.5, 0.9, 0.999} {
			cases[fmt.Sprintf("cut at %v", at)] = good[:int(float64(len(good))*at)]
		}
		for name, archive := range cases {
			if eng.Name == "postgres" && !slices.Contains([]string{"a changed row", "wrong type", "no manifest", "cut at 0.9"}, name) {
				continue // reading is the same; what differs is what the database has to give up
			}
			if _, err := store.Restore(t.Context(), eng.Options(), bytes.NewReader(archive), store.RestoreOptions{}); fault.KindOf(err) != fault.KindInvalid {
				t.Errorf("%s: %v (%q), want an invalid archive", name, err, fault.KindOf(err))
			}
		}
		for name, archive := range map[string][]byte{
			"a newer format": head(func(h *store.BackupHead) { h.Format = 99 }),
			"a newer schema": head(func(h *store.BackupHead) { h.Schemas["estate"] = 9999 }),
		} {
			_, err := store.Restore(t.Context(), eng.Options(), bytes.NewReader(archive), store.RestoreOptions{})
			if fault.KindOf(err) != fault.KindConflict || !strings.Contains(err.Error(), "newer patchscout") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if eng.Name == "sqlite" {
			left, _ := filepath.Glob(filepath.Join(eng.Options().DataDir, "[^.]*"))
			if len(left) > 0 {
				t.Errorf("refused archives left %v", left)
			}
		}
		if _, err := store.Restore(t.Context(), eng.Options(), bytes.NewReader(good), store.RestoreOptions{}); err != nil {
			t.Errorf("the good one afterwards: %v", err)
		}
	})
}

func TestArchiveThatExpandsWithoutEndIsGivenUp(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks a gigabyte")
	}
	good := store.Unarchive(backedUp(t, lived(t, storetest.NewSQLite(t)), store.BackupOptions{WithoutCatalogue: true}))
	bomb := []store.ArchiveEntry{good[0]}
	zeros := make([]byte, 64<<20)
	for i := range 20 {
		row := []any{[]byte(fmt.Sprint(i)), zeros}
		bomb = append(bomb, store.ArchiveEntry{Header: tar.Header{Name: fmt.Sprintf("estate/text/%06d", i+1)}, Body: store.Part([]string{"hash", "body"}, row)})
	}
	dir := t.TempDir()
	_, err := store.Restore(t.Context(), store.Options{DataDir: dir}, bytes.NewReader(store.Archive(bomb...)), store.RestoreOptions{})
	if fault.KindOf(err) != fault.KindInvalid {
		t.Error(err)
	}
}

func TestOlderBackupIsBroughtUpToDate(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		site := store.Part([]string{"id", "name", "external", "demo"}, []any{int64(1), "default", int64(0), int64(0)}, []any{int64(2), "branch", int64(1), int64(0)})
		generation := store.Part([]string{"id", "n"}, []any{int64(1), int64(7)})
		m := store.Manifest{BackupHead: store.BackupHead{Format: 1, Program: "0.1", Engine: store.SQLite, Created: day1, Schemas: map[string]int64{"estate": 5}},
			Tables: map[string]int64{"estate/generation": 1, "estate/site": 2}}
		entries := []store.ArchiveEntry{{Header: tar.Header{Name: "head.json"}, Body: store.JSON(m.BackupHead)}}
		for name, body := range map[string][]byte{"estate/generation/000001": generation, "estate/site/000001": site} {
			sum := sha256.Sum256(body)
			rows := int64(1)
			if strings.Contains(name, "site") {
				rows = 2
			}
			m.Parts = append(m.Parts, store.BackupPart{Name: name, Rows: rows, SHA256: hex.EncodeToString(sum[:])})
			entries = append(entries, store.ArchiveEntry{Header: tar.Header{Name: name}, Body: body})
		}
		entries = append(entries, store.ArchiveEntry{Header: tar.Header{Name: "manifest.json"}, Body: store.JSON(m)})
		if _, err := store.Restore(t.Context(), eng.Options(), bytes.NewReader(store.Archive(entries...)), store.RestoreOptions{}); err != nil {
			t.Fatal(err)
		}
		sites, err := eng.Open(t).Estate().Sites(t.Context(), auth.Everything())
		if err != nil || len(sites) != 2 {
			t.Errorf("%v, %v", sites, err)
		}
	})
}

const restoreEnv = "PATCHSCOUT_TEST_RESTORE"

// A restore that is killed at any moment leaves the old data or, at the very end, the new, and the next one works.
func TestKilledRestoreLeavesTheOldDataWhole(t *testing.T) {
	if place := os.Getenv(restoreEnv); place != "" {
		dir, url, _ := strings.Cut(place, "|")
		archive, err := os.Open(filepath.Join(dir, "..", "archive"))
		if err != nil {
			t.Fatal(err)
		}
		defer archive.Close()
		if _, err := store.Restore(context.Background(), store.Options{DataDir: dir, DatabaseURL: url}, archive, store.RestoreOptions{Force: true}); err != nil {
			t.Fatal(err)
		}
		return
	}
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		source := lived(t, storetest.NewSQLite(t))
		addUser(t, source.Estate(), "new", auth.Viewer, auth.Everything())
		dir := filepath.Join(t.TempDir(), "data")
		opts := eng.Options()
		opts.DataDir = dir
		if err := os.WriteFile(filepath.Join(filepath.Dir(dir), "archive"), backedUp(t, source, store.BackupOptions{}), 0o600); err != nil {
			t.Fatal(err)
		}
		old, err := store.Open(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		addUser(t, old.Estate(), "old", auth.Viewer, auth.Everything())
		if err := old.Init(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if archive, err := os.Open(filepath.Join(filepath.Dir(dir), "archive")); err != nil {
			t.Fatal(err)
		} else if _, err := store.Restore(t.Context(), store.Options{DataDir: t.TempDir()}, archive, store.RestoreOptions{}); err != nil {
			t.Fatal(err)
		}
		whole := 2*time.Since(begin) + 100*time.Millisecond // the process begins slower
		rng := rand.New(rand.NewPCG(1, 2))
		rounds, restored := 8, 0
		for range rounds {
			child := exec.Command(os.Args[0], "-test.run", "^TestKilledRestoreLeavesTheOldDataWhole$")
			child.Env = append(os.Environ(), restoreEnv+"="+dir+"|"+opts.DatabaseURL)
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50*time.Millisecond + time.Duration(rng.Int64N(int64(whole)))) // a kill comes when it comes
			_ = child.Process.Kill()
			_ = child.Wait()
			s, err := store.Open(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			all, err := s.Dump(t.Context())
			if err != nil {
				t.Fatalf("after a kill: %v", err)
			}
			switch users := strings.Join(all["estate/account"], " "); {
			case strings.Contains(users, `"new"`) && len(all["estate/finding"]) == 90 && len(all["catalogue/cve"]) == 52:
				restored++
			case strings.Contains(users, `"old"`) && len(all["estate/finding"]) == 0:
			default:
				t.Errorf("after a kill: users %s, %d findings, %d CVEs", users, len(all["estate/finding"]), len(all["catalogue/cve"]))
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%d of %d were done before they were killed", restored, rounds)
		archive, err := os.Open(filepath.Join(filepath.Dir(dir), "archive"))
		if err != nil {
			t.Fatal(err)
		}
		defer archive.Close()
		if _, err := store.Restore(t.Context(), opts, archive, store.RestoreOptions{Force: true}); err != nil {
			t.Errorf("the next restore: %v", err)
		}
	})
}

func FuzzReadPart(f *testing.F) {
	f.Add(store.Part([]string{"id", "name"}, []any{int64(1), "a"}, []any{nil, []byte{0}}, []any{1.5, ""}))
	f.Add([]byte{1, 1, 'a', 3, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, part []byte) {
		if n, err := store.ReadPart(part); err == nil {
			t.Errorf("%d rows and no end", n)
		}
	})
}
