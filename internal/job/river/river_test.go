package river_test

import (
	"context"
	"os"
	"testing"

	"github.com/patchscout/patchscout/internal/job"
	"github.com/patchscout/patchscout/internal/job/jobtest"
	"github.com/patchscout/patchscout/internal/job/river"
	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

var implementation = jobtest.Implementation{
	Engine: storetest.NewPostgres,
	New: func(ctx context.Context, st *store.Store, url string, handlers jobtest.Handlers, opts job.Options) (job.Queue, error) {
		return river.New(ctx, url, st.Jobs(), handlers, opts)
	},
}

func TestMain(m *testing.M) { os.Exit(jobtest.Main(m, implementation)) }

func TestRiver(t *testing.T) { jobtest.Run(t, implementation) }
