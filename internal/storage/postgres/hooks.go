package postgres

import (
	"cmp"
	"context"
	"net"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// hooks let tests break the store from inside: there is no other way to see
// whether the tests would notice. Production code never sets one.
type hooks struct {
	// gate is called before a batch is taken from the queue.
	gate func()
	// rewrite replaces the text of a statement.
	rewrite func(text string) string
	// before is called for each statement of a commit when its round trip
	// begins, after when its result is there; an error is taken as the server's.
	before, after func(text string) error
	// skip tells whether a guard that is not a statement is left out.
	skip func(guard string) bool
	// dial makes the connections.
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// local is this machine's clock.
	local func() time.Time
	// patience is in place of lookupPatience, window of sweepWindow, prunes of
	// vault.PruneBatch.
	patience time.Duration
	window   int
	prunes   int
}

func (h *hooks) pruneBatch() int { return cmp.Or(h.prunes, vault.PruneBatch) }

func (h *hooks) text(text string) string {
	if h.rewrite == nil {
		return text
	}
	return h.rewrite(text)
}

func (h *hooks) beforeStep(text string) error {
	if h.before == nil {
		return nil
	}
	return h.before(text)
}

func (h *hooks) afterStep(text string) error {
	if h.after == nil {
		return nil
	}
	return h.after(text)
}

// skips is for the guards that are judged here, on rows that were read under
// the lock.
func (h *hooks) skips(guard string) bool { return h.skip != nil && h.skip(guard) }

func (h *hooks) now() time.Time {
	if h.local == nil {
		return time.Now()
	}
	return h.local()
}
