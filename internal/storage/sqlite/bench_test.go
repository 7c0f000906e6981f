package sqlite_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// BenchmarkCommit measures durable commits of a tokenize with three new
// values, and of the restoration of three, with and without sharing.
func BenchmarkCommit(b *testing.B) {
	for _, sharing := range []struct {
		name  string
		batch int
	}{{"shared", commitqueue.MaxBatch}, {"alone", 1}} {
		for _, clients := range []int{1, 16, 64} {
			name := fmt.Sprintf("%s/clients=%d", sharing.name, clients)
			b.Run("tokenize/"+name, func(b *testing.B) {
				benchmark(b, sharing.batch, clients, func(p storagetest.Place, _ []vault.NewMapping, n int64) vault.Effect {
					p.Key = p.FreshKey()
					effect := p.Tokenize(p.Value(fmt.Sprint(n, "a")), p.Value(fmt.Sprint(n, "b")), p.Value(fmt.Sprint(n, "c")))
					effect.Keys = []vault.DataKey{p.Key}
					return effect
				})
			})
			b.Run("restore/"+name, func(b *testing.B) {
				benchmark(b, sharing.batch, clients, func(p storagetest.Place, kept []vault.NewMapping, _ int64) vault.Effect {
					return p.Restore(kept...)
				})
			})
		}
	}
}

// BenchmarkDestination measures a tokenize of ten new values, and of the same
// ten again, with and without a destination.
func BenchmarkDestination(b *testing.B) {
	for _, destination := range []string{"", "acme-llm/eu"} {
		for what, again := range map[string]int64{"new": 0, "again": 1} {
			b.Run(fmt.Sprintf("%s/to=%q", what, destination), func(b *testing.B) {
				benchmark(b, 1, 1, func(p storagetest.Place, _ []vault.NewMapping, n int64) vault.Effect {
					p.Key = p.FreshKey()
					var values []vault.NewMapping
					for i := range 10 {
						values = append(values, p.Value(fmt.Sprint(n*(1-again), i)))
					}
					effect := p.Tokenize(values...)
					effect.Keys, effect.Destinations = []vault.DataKey{p.Key}, []string{destination}
					return effect
				})
			})
		}
	}
}

func benchmark(b *testing.B, batch, clients int, effect func(storagetest.Place, []vault.NewMapping, int64) vault.Effect) {
	o := sqlite.Options{Clock: time.Now, Limits: commitqueue.Limits{MaxBatch: batch, MaxWait: time.Minute}}
	s := openAt(b, filepath.Join(b.TempDir(), "vault.db"), o, sqlite.Hooks{})
	commit := func(e vault.Effect) {
		if _, err := s.Store.Commit(b.Context(), "acme", storagetest.Change(b, "acme", e)); err != nil {
			b.Error(err)
		}
	}
	commit(storagetest.Provision())
	p := storagetest.NewPlace("acme", "scope", time.Now())
	commit(p.Open())
	kept := []vault.NewMapping{p.Value("x"), p.Value("y"), p.Value("z")}
	commit(p.Tokenize(kept...))
	var next atomic.Int64
	var group sync.WaitGroup
	b.ResetTimer()
	for range clients {
		group.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				commit(effect(p, kept, n))
			}
		})
	}
	group.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}
