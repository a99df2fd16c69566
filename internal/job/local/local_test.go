package local_test

import (
	"context"
	"os"
	"testing"

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
