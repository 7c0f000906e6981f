package postgres_test

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/storage/storagetest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// BenchmarkCommit measures durable commits of a tokenize with three new
// values, sent somewhere or not, and of the restoration of three, which counts
// against five budgets or none, with and without sharing. As on any server that
// has run for a minute, the tables have been analysed.
func BenchmarkCommit(b *testing.B) {
	for _, sharing := range []struct {
		name  string
		batch int
	}{{"shared", commitqueue.MaxBatch}, {"alone", 1}} {
		for _, clients := range []int{1, 16, 64} {
			name := fmt.Sprintf("%s/clients=%d", sharing.name, clients)
			for what, destination := range map[string]string{"tokenize/": "", "send/": "vendor"} {
				b.Run(what+name, func(b *testing.B) {
					benchmark(b, sharing.batch, clients, func(p storagetest.Place, _ []vault.NewMapping, n int64) vault.Effect {
						p.Key = p.FreshKey()
						effect := p.Tokenize(p.Value(fmt.Sprint(n, "a")), p.Value(fmt.Sprint(n, "b")), p.Value(fmt.Sprint(n, "c")))
						effect.Keys = []vault.DataKey{p.Key}
						if destination != "" {
							effect.Destinations = []string{destination}
						}
						return effect
					})
				})
			}
			b.Run("restore/"+name, func(b *testing.B) {
				benchmark(b, sharing.batch, clients, func(p storagetest.Place, kept []vault.NewMapping, _ int64) vault.Effect {
					return p.Restore(kept...)
				})
			})
			b.Run("spend/"+name, func(b *testing.B) {
				benchmark(b, sharing.batch, clients, func(p storagetest.Place, kept []vault.NewMapping, n int64) vault.Effect {
					effect := p.Restore(kept...)
					for _, of := range []string{"tenant", "reason", "class", fmt.Sprint("caller ", n%16), fmt.Sprint("end user ", n%200)} {
						effect.Spends = append(effect.Spends, vault.Spend{Key: storagetest.Digest(of), Tokens: len(kept), Limit: math.MaxInt})
					}
					return effect
				})
			})
		}
	}
}

func benchmark(b *testing.B, batch, clients int, effect func(storagetest.Place, []vault.NewMapping, int64) vault.Effect) {
	c := postgres.Config{Limits: commitqueue.Limits{MaxBatch: batch, MaxWait: time.Minute}}
	db := pgtest.New(b)
	s := openAt(b, db, c, postgres.Hooks{})
	p := seed(b, s, "acme")
	kept := []vault.NewMapping{p.Value("x"), p.Value("y"), p.Value("z")}
	commit(b, s, "acme", p.Tokenize(kept...))
	for range 5 {
		var values []vault.NewMapping
		for range 100 {
			values = append(values, p.Value(vault.NewID()))
		}
		commit(b, s, "acme", p.Tokenize(values...))
	}
	analyse(b, db)
	var next atomic.Int64
	var group sync.WaitGroup
	b.ResetTimer()
	for range clients {
		group.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if _, err := s.Store.Commit(b.Context(), "acme", storagetest.Served(b, "acme", effect(p, kept, n))); err != nil {
					b.Error(err)
				}
			}
		})
	}
	group.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

func analyse(b *testing.B, db *pgtest.Database) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), db.Admin)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(b.Context()) }()
	if _, err := conn.Exec(b.Context(), "ANALYZE"); err != nil {
		b.Fatal(err)
	}
}
