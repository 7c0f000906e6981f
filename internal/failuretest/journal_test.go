//go:build unix

package failuretest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// note is one thing that a service acknowledged.
type note struct {
	Kind, Scope, Token, Value string
	Audit                     *audit.Receipt
}

// journal is what the client was told. The client is not what fails here, so
// that it need not be on a disk.
type journal struct {
	mu    sync.Mutex
	notes []note
}

func (j *journal) write(n note) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.notes = append(j.notes, n)
}

func (j *journal) all() []note {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.notes)
}

// logged is an entry, as far as it is compared.
type logged struct {
	Kind   string   `json:"kind"`
	Tokens []string `json:"tokens"`
	hash   audit.Hash
}

// entries reads the whole log of acme.
func (s *service) entries() map[int64]logged {
	s.t.Helper()
	const page = 1000
	found := make(map[int64]logged)
	for q := (vault.EntryQuery{Limit: page}); ; {
		some, err := s.in.Store.Entries(context.Background(), "acme", q)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range some {
			l := logged{hash: e.LeafHash}
			if err := json.Unmarshal(e.Leaf, &l); err != nil {
				s.t.Fatal(err)
			}
			found[e.Index] = l
			q.HasCursor, q.Cursor = true, e.Index
		}
		if len(some) < page {
			return found
		}
	}
}

// faults holds a service to what was acknowledged: nothing of it is lost, and
// no value was given without an entry of its own.
func (s *service) faults() (faults []string) {
	s.t.Helper()
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	notes := s.book.all()
	entries := s.entries()
	used := make(map[int64]bool)
	scopes := make(map[string][]note)
	for _, n := range notes {
		// A label token ends in its id, two check characters and a bracket.
		id := n.Token[len(n.Token)-11 : len(n.Token)-3]
		switch e := entries[n.Audit.Index]; {
		case e.hash != n.Audit.LeafHash || e.Kind != n.Kind || !slices.Contains(e.Tokens, id):
			fault("the entry %d of a receipt is another one, or none", n.Audit.Index)
		case used[n.Audit.Index]:
			fault("the entry %d stands for two answers", n.Audit.Index)
		}
		used[n.Audit.Index] = true
		if n.Kind == "tokenize" {
			scopes[n.Scope] = append(scopes[n.Scope], n)
		}
	}
	for scope, made := range scopes {
		var tokens []string
		for _, n := range made {
			tokens = append(tokens, n.Token)
		}
		a := s.restore(scope, tokens...)
		if !a.ok() {
			fault("%d: %s", a.status, a.raw)
			continue
		}
		for i, n := range made {
			if a.body.Values[i] != n.Value {
				fault("an acknowledged token was lost: %s", a.body.Results[i].Status)
			}
		}
	}
	return faults
}

// holds checks all that, and that the logs verify.
func (s *service) holds() {
	s.t.Helper()
	for _, fault := range s.faults() {
		s.t.Error(fault)
	}
	restores := 0
	for _, e := range s.entries() {
		if e.Kind == "restore" {
			restores++
		}
	}
	given := 0
	for _, n := range s.book.all() {
		if n.Kind == "restore" {
			given++
		}
	}
	if restores < given {
		s.t.Errorf("%d values were given, and there are %d entries", given, restores)
	}
	results, err := assembly.VerifyService(context.Background(), s.backends, options.LogPrefix)
	if err != nil || len(results) < 2 { // the system's and the tenant's
		s.t.Errorf("verify: %d logs, %v", len(results), err)
	}
	s.t.Logf("%d acknowledged, %d values given, %d entries of restorations", len(s.book.all()), given, restores)
}

// load is clients that go on whatever they are answered.
type load struct {
	s       *service
	clients sync.WaitGroup
	stop    chan struct{}
	refused atomic.Int64
	served  atomic.Int64
}

// workers are the clients of a load.
const workers = 8

// underLoad starts clients that tokenize and restore.
func (s *service) underLoad() *load {
	l := &load{s: s, stop: make(chan struct{})}
	for client := range workers {
		l.clients.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-l.stop:
					return
				default:
					l.turn(fmt.Sprint("load-", client), fmt.Sprintf("value %d of %d", n, client))
				}
			}
		})
	}
	return l
}

func (l *load) turn(scope, value string) {
	a := l.s.tokenize(scope, value)
	if a.ok() {
		a = l.s.restored(note{"tokenize", scope, a.body.Values[0], value, a.body.Audit})
	}
	switch {
	case a.ok():
		l.served.Add(1)
	case a.status == http.StatusServiceUnavailable && a.body.Code == "unavailable" && a.retry != "":
		l.refused.Add(1)
		time.Sleep(5 * time.Millisecond) // a second is the advice; what comes back has to compete for two cores
	default:
		l.s.t.Errorf("under load: %d %s", a.status, a.raw)
	}
}

// await waits until so many more turns were served.
func (l *load) await(n int64) {
	l.s.t.Helper()
	count := func() int64 { return l.served.Load() }
	l.s.until("the load is served", func() bool { return count() >= n })
}

func (l *load) end() {
	close(l.stop)
	l.clients.Wait()
	l.s.t.Logf("under load: %d turns served, %d refused", l.served.Load(), l.refused.Load())
}

// TestTwin_FaultsAreFound: a token that nobody has, and entries that are not
// those of the receipt, are found.
func TestTwin_FaultsAreFound(t *testing.T) {
	s := newPlace(t, pgtest.New(t)).serve()
	a, b := s.must("chat-1", "Ann"), s.must("chat-2", "Bob")
	if faults := s.faults(); len(faults) != 0 {
		t.Fatalf("of nothing: %v", faults)
	}
	good := s.book.all()
	for name, forged := range map[string]note{
		"a lost token":          {a.Kind, b.Scope, a.Token, a.Value, a.Audit},
		"another value":         {a.Kind, a.Scope, a.Token, "Eve", a.Audit},
		"no such entry":         {a.Kind, a.Scope, a.Token, a.Value, &audit.Receipt{Index: 1 << 40}},
		"an entry of others":    {a.Kind, a.Scope, a.Token, a.Value, b.Audit},
		"an entry of that kind": {"restore", a.Scope, a.Token, a.Value, a.Audit},
	} {
		s.book.notes = []note{forged}
		if len(s.faults()) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
	s.book.notes = append(good, a)
	if len(s.faults()) == 0 {
		t.Error("an entry for two answers: not found")
	}
}
