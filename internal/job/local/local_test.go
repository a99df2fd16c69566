package local_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/job/jobtest"
	"github.com/patchscout/patchscout/internal/job/local"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

var implementation = jobtest.Implementation{
	Engine: storetest.NewSQLite,
	New: func(_ context.Context, st *store.Store, _ string, handlers jobtest.Handlers, opts job.Options) (job.Queue, error) {
		return local.New(st.Jobs(), handlers, opts), nil
	},
}

func TestMain(m *testing.M) { os.Exit(jobtest.Main(m, implementation)) }

func TestLocal(t *testing.T) { jobtest.Run(t, implementation) }

func TestALongWriteOfSomebodyElseEndsNoJob(t *testing.T) {
	if os.Getenv("TEST_LONG") == "" {
		t.Skip("takes half a minute: TEST_LONG=1")
	}
	ctx := context.Background()
	engine := storetest.NewSQLite(t)
	jobs := engine.Open(t).Jobs()
	begun, release := make(chan struct{}), make(chan struct{})
	q := local.New(jobs, jobtest.Handlers{"a": func(ctx context.Context, _ *job.Run) error {
		close(begun)
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}}, job.Options{})
	kept, err := q.Enqueue(ctx, job.Job{Kind: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Start(ctx); err != nil {
		t.Fatal(err)
	}
	<-begun
	writer, err := sql.Open("sqlite", filepath.Join(engine.Options().DataDir, "estate.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close() //nolint:errcheck // a test's connection
	conn, err := writer.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(ctx, `PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	time.Sleep(job.Alive + 2*job.SweepEvery)
	if _, err := conn.ExecContext(ctx, `COMMIT`); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * job.SweepEvery)
	close(release)
	if err := q.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if j, err := jobs.Job(ctx, kept[0].ID); err != nil || j.State != job.Done || j.Attempt != 1 {
		t.Errorf("%+v, %v", j, err)
	}
}
