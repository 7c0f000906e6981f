package postgres

import (
	"context"
	"net"
	"time"
)

// Hooks are the hooks of a store under test; see hooks.
type Hooks struct {
	Gate          func()
	Rewrite       func(text string) string
	Before, After func(text string) error
	Skip          func(guard string) bool
	Dial          func(ctx context.Context, network, addr string) (net.Conn, error)
	Local         func() time.Time
	Patience      time.Duration
	Window        int
	Prunes        int
}

// WithHooks returns a configuration with hooks.
func WithHooks(c Config, h Hooks) Config {
	c.hooks = hooks{
		gate: h.Gate, rewrite: h.Rewrite, before: h.Before, after: h.After, skip: h.Skip, dial: h.Dial, local: h.Local,
		patience: h.Patience, window: h.Window, prunes: h.Prunes,
	}
	return c
}

// WithPruneHooks gives hooks to a pruner.
func WithPruneHooks(p *Pruner, h Hooks) *Pruner {
	p.hooks = &hooks{rewrite: h.Rewrite, before: h.Before, after: h.After, prunes: h.Prunes}
	p.view.hooks = p.hooks
	return p
}

// SentSlack is vault.SentResolution as statements have it.
const SentSlack = sentSlack

// GuardBreaker is a guard that is not judged on rows.
const GuardBreaker = guardBreaker

// Guards returns the names of all guards that are judged on rows.
func Guards() []string {
	return []string{
		guardUndo, guardSuspended, guardOnce, guardClaim, guardExpired, guardThere, guardMatch, guardTouch, guardTaken,
		guardKeyThere, guardKeyRoom, guardKeyOwner, guardWrap, guardScopeMoved, guardSubject,
		guardHeld, guardErased, guardDeferred, guardPlanned, guardSurvivors, guardTies, guardHeir, guardInstant,
		guardBuried, guardSuppressed, guardReceived, guardLift, guardName,
		guardRedeem, guardConsenting, guardPolicy, guardProceeding, guardStopped, guardStanding, guardOverdue, guardBudget,
		guardDraw, guardGrant,
	}
}
