package store_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/patchscout/patchscout/internal/store"
	"github.com/patchscout/patchscout/internal/store/storetest"
)

func TestARequestWithAKeyIsFirstOnce(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		e := eng.Open(t).Estate()
		var first atomic.Int32
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				before, err := e.BeginOnce(ctx, "anna", "k")
				switch {
				case err != nil:
					t.Error(err)
				case before == nil:
					first.Add(1)
				case before.Status != 0:
					t.Errorf("ended already: %+v", before)
				}
			})
		}
		wait.Wait()
		if n := first.Load(); n != 1 {
			t.Fatalf("%d were first", n)
		}
		want := store.Once{Status: 202, Digest: "d", Header: "{}", Kept: true, Answer: []byte(`{"id":1}`)}
		if err := e.EndOnce(ctx, "anna", "k", want); err != nil {
			t.Fatal(err)
		}
		got, err := e.BeginOnce(ctx, "anna", "k")
		if err != nil || got == nil {
			t.Fatal(got, err)
		}
		want.Begun = got.Begun
		same(t, want, *got)
		if before, err := e.BeginOnce(ctx, "ben", "k"); err != nil || before != nil {
			t.Errorf("another's key: %v, %v", before, err)
		}
		if err := e.ForgetOnce(ctx, "anna", "k"); err != nil {
			t.Fatal(err)
		}
		if before, err := e.BeginOnce(ctx, "anna", "k"); err != nil || before != nil {
			t.Errorf("forgotten, and yet %v, %v", before, err)
		}
	})
}

func TestKeysAreForgottenAndDoNotFillTheTable(t *testing.T) {
	storetest.Run(t, func(t *testing.T, eng *storetest.Engine) {
		ctx := context.Background()
		now := time.Now()
		opts := eng.Options()
		opts.Now = func() time.Time { return now }
		s, err := store.Open(ctx, opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		e := s.Estate()
		begin := func(key string) bool {
			t.Helper()
			before, err := e.BeginOnce(ctx, "anna", key)
			if err != nil {
				t.Fatal(err)
			}
			return before == nil
		}
		begin("stalls")
		if now = now.Add(10 * time.Minute); begin("stalls") {
			t.Error("it may still run")
		}
		if now = now.Add(10 * time.Minute); !begin("stalls") {
			t.Error("it has died")
		}
		for i := range 1010 {
			now = now.Add(time.Millisecond)
			if key := strconv.Itoa(i); begin(key) {
				if err := e.EndOnce(ctx, "anna", key, store.Once{Status: 200}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if begin("1009") || !begin("0") {
			t.Error("the newest thousand are kept")
		}
		if now = now.Add(25 * time.Hour); !begin("1009") {
			t.Error("after a day it is forgotten")
		}
	})
}
