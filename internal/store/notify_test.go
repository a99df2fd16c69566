package store_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/patchscout/patchscout/internal/store/storetest"
)

// heard waits for a payload.
func heard(t *testing.T, said <-chan string, want string) {
	t.Helper()
	for {
		select {
		case got := <-said:
			if got == want {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%q was not heard", want)
		}
	}
}

func TestWhatIsSaidIsHeard(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		s := eng.Open(t)
		ctx, cancel := context.WithCancel(context.Background())
		said, others := make(chan string, 10), make(chan string, 10)
		s.Listen(ctx, "a channel", func(p string) { said <- p })
		if eng.Name == "postgres" {
			heard(t, said, "") // look for yourself
		}
		if err := s.Notify(ctx, "a channel", "one"); err != nil {
			t.Fatal(err)
		}
		heard(t, said, "one")
		s.Listen(context.Background(), "another", func(p string) { others <- p })
		if eng.Name == "postgres" {
			heard(t, others, "")
		}
		cancel()
		for _, channel := range []string{"a channel", "another"} {
			if err := s.Notify(context.Background(), channel, "two"); err != nil {
				t.Fatal(err)
			}
		}
		heard(t, others, "two")
	})
}

func TestPostgresIsListenedToAgainAfterItWasGone(t *testing.T) {
	eng := storetest.NewPostgres(t)
	s, other := eng.Open(t), eng.Open(t)
	said := make(chan string, 10)
	s.Listen(context.Background(), "news", func(p string) { said <- p })
	heard(t, said, "")
	db, err := sql.Open("pgx", eng.Options().DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	if err != nil {
		t.Fatal(err)
	}
	heard(t, said, "") // connected again, and told to look for what was missed
	if err := other.Notify(context.Background(), "news", "back"); err != nil {
		t.Fatal(err)
	}
	heard(t, said, "back")
}
