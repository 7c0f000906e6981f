package envelope_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// TestPoolClose: nothing is left running, nothing is handed out, and what was
// taken stays usable. goleak and synctest watch for what is left behind.
func TestPoolClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newGate()
		p := newPool(t, w, envelope.PoolConfig{Keys: 10, LowWater: 9})
		w.open <- struct{}{}
		key := take(t, p, tenant)
		take(t, p, tenant) // starts a refill that waits at the gate
		go func() {
			for {
				if _, err := p.Take(t.Context(), "globex"); err != nil {
					if !errors.Is(err, envelope.ErrUnavailable) {
						t.Errorf("a taker in wait: %v, not ErrUnavailable", err)
					}
					return
				}
			}
		}()
		synctest.Wait()
		started := time.Now()
		p.Close()
		p.Close()
		if waited := time.Since(started); waited != 0 {
			t.Errorf("Close took %s: it did not cancel the refill", waited)
		}
		synctest.Wait()
		if _, err := p.Take(t.Context(), tenant); !errors.Is(err, envelope.ErrUnavailable) {
			t.Errorf("Take after Close: %v, not ErrUnavailable", err)
		}
		if p.Len(tenant) != 0 || p.Tenants() != 0 {
			t.Errorf("%d keys of %d tenants are left", p.Len(tenant), p.Tenants())
		}
		if _, err := key.Key.Seal(place(), []byte("a value")); err != nil {
			t.Errorf("a key that was taken before: %v", err)
		}
	})
}

// deaf is a wrapper that does not listen to the end of a context.
type deaf struct{ *gate }

func (d deaf) Wrap(ctx context.Context, tenant string, plain [][]byte) ([]envelope.Wrapped, error) {
	return d.gate.Wrap(context.WithoutCancel(ctx), tenant, plain)
}

// TestPoolCloseWaits: Close returns when no refill runs any more, and keys that
// one brings so late are not kept.
func TestPoolCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := deaf{newGate()}
		p := newPool(t, w, envelope.PoolConfig{})
		go func() {
			if _, err := p.Take(t.Context(), tenant); !errors.Is(err, envelope.ErrUnavailable) {
				t.Errorf("a taker in wait: %v, not ErrUnavailable", err)
			}
		}()
		synctest.Wait()
		shelf := p.ShelfLen(tenant)
		closed := make(chan struct{})
		go func() {
			p.Close()
			close(closed)
		}()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("Close left a refill running")
		default:
		}
		close(w.open)
		<-closed
		if n := shelf(); n != 0 {
			t.Errorf("%d keys were kept after Close", n)
		}
		synctest.Wait()
	})
}
