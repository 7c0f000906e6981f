package sqlite_test

import (
	"encoding/json"
	"fmt"
	"math"
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
					effect.Keys = []vault.DataKey{p.Key}
					if destination != "" {
						effect.Destinations = []string{destination}
					}
					return effect
				})
			})
		}
	}
}

// BenchmarkRestore measures the restoration of three values: with budgets that it
// is counted against, beside suspensions that stop others, and with both.
func BenchmarkRestore(b *testing.B) {
	for _, clients := range []int{1, 16} {
		for _, budgets := range []int{0, 1, 4} {
			for _, suspensions := range []int{0, 1, vault.MaxSuspensions} {
				b.Run(fmt.Sprintf("clients=%d/budgets=%d/suspensions=%d", clients, budgets, suspensions), func(b *testing.B) {
					var before []vault.Effect
					for range suspensions {
						before = append(before, suspend(b, vault.SuspensionMatch{Callers: []string{"another"}}))
					}
					benchmark(b, commitqueue.MaxBatch, clients, func(p storagetest.Place, kept []vault.NewMapping, _ int64) vault.Effect {
						effect := p.Restore(kept...)
						for i := range budgets {
							effect.Spends = append(effect.Spends, vault.Spend{Key: storagetest.Digest(fmt.Sprint(i)), Tokens: 3, Limit: math.MaxInt})
						}
						return effect
					}, before...)
				})
			}
		}
	}
}

// suspend is the effect that opens a suspension.
func suspend(t testing.TB, match vault.SuspensionMatch) vault.OpenProceeding {
	t.Helper()
	body, err := json.Marshal(match)
	must(t, 0, err)
	return vault.OpenProceeding{Proceeding: vault.Proceeding{
		Kind: vault.ProceedingSuspension, State: vault.ProceedingStanding, Actor: "officer", Body: body,
	}}
}

func benchmark(b *testing.B, batch, clients int, effect func(storagetest.Place, []vault.NewMapping, int64) vault.Effect, before ...vault.Effect) {
	o := sqlite.Options{Clock: time.Now, Limits: commitqueue.Limits{MaxBatch: batch, MaxWait: time.Minute}}
	s := openAt(b, filepath.Join(b.TempDir(), "vault.db"), o, sqlite.Hooks{})
	commit := func(e vault.Effect) {
		if _, err := s.Store.Commit(b.Context(), "acme", storagetest.Served(b, "acme", e)); err != nil {
			b.Error(err)
		}
	}
	commit(storagetest.Provision())
	p := storagetest.NewPlace("acme", "scope", time.Now())
	commit(p.Open())
	kept := []vault.NewMapping{p.Value("x"), p.Value("y"), p.Value("z")}
	commit(p.Tokenize(kept...))
	for _, e := range before {
		commit(e)
	}
	var next atomic.Int64
	var group sync.WaitGroup
	cpu := processorTime(b)
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
	b.ReportMetric(float64((processorTime(b)-cpu).Microseconds())/float64(b.N), "cpu-µs/commit")
}
