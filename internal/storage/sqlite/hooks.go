package sqlite

import (
	"cmp"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// hooks let tests break the store from inside: there is no other way to see
// whether the tests would notice. Production code never sets one.
type hooks struct {
	// gate is called before a batch is taken from the queue.
	gate func()
	// rewrite replaces the text of a statement when it is prepared.
	rewrite func(text string) string
	// before and after are called around every statement of a batch, with its
	// text; an error is taken as the driver's.
	before, after func(text string) error
	// prunes is in place of vault.PruneBatch.
	prunes int
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
