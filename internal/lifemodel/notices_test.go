//go:build unix

package lifemodel_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// notices are how many are sent, by some senders of each replica.
const (
	notices = 150
	senders = 4
)

// sendNotices sends notices from both replicas at once, and tells how often each
// was. While tells what else happens when one is sent.
func (r *arena) sendNotices(while func()) map[string]int {
	sent := make(map[string]int)
	for i := range notices {
		change := must(vault.NewChange("acme", vault.Record{}, plainEntry()))(r).Notifying("outcome", fmt.Appendf(nil, `{"n":%d}`, i))
		must(r.replica(i).Store.Commit(ctx, "acme", change))(r)
		sent[change.ID()] = 0
	}
	var mu sync.Mutex
	deliver := func(_ context.Context, _ string, n vault.Notice) vault.Delivery {
		mu.Lock()
		defer mu.Unlock()
		sent[n.ID]++
		while()
		return vault.Delivery{Done: true}
	}
	var group sync.WaitGroup
	for i := range 2 * senders {
		group.Go(func() {
			for more := true; more; {
				var err error
				if more, err = r.replica(i).Service.SendNotices(ctx, "acme", deliver); err != nil {
					r.fault("send: %v", err)
				}
			}
		})
	}
	group.Wait()
	return sent
}

// TestNoticesOfTwoReplicas: what one replica has taken no other sends, and all of
// it is sent.
func TestNoticesOfTwoReplicas(t *testing.T) {
	for store, open := range arenas {
		t.Run(store, func(t *testing.T) {
			a, b := open(t)
			r := &arena{TB: t, a: a, b: b, race: "notices"}
			for id, times := range r.sendNotices(func() {}) {
				if times != 1 {
					t.Errorf("%s was sent %d times", id, times)
				}
			}
			if r.faults.Load() > 0 {
				t.Errorf("%d faults, the first: %s", r.faults.Load(), r.text)
			}
		})
	}
}

// TestNoticesOfTwoReplicas_Twin: where sending takes longer than the lease some are
// sent twice, so that it is the lease that keeps them apart.
func TestNoticesOfTwoReplicas_Twin(t *testing.T) {
	v := vaulttest.New(t)
	r := &arena{TB: t, a: v, b: v, race: "notices"}
	for _, times := range r.sendNotices(func() { v.Clock.Advance(vault.NoticeLease) }) {
		if times > 1 {
			return
		}
	}
	t.Error("nothing was sent twice")
}
