package vault

import (
	"context"
	"errors"
	"time"
)

const (
	// NoticeBatch bounds the notices of a tenant that are sent in one turn.
	NoticeBatch = 20
	// NoticeLease is how long a replica has a notice that it took: longer than all
	// attempts of a turn. Where the replica ends, another takes it after that.
	NoticeLease = 5 * time.Minute
)

// Delivery is what became of an attempt to deliver a notice.
type Delivery struct {
	Done  bool      // it was delivered, or no further attempt helps
	Again time.Time // when the next attempt is due, where it is not done
	// Failed says why it was not delivered. It names endpoints and no value.
	Failed error
}

// SendNotices delivers notices of a tenant whose time has come, at least once each,
// and tells whether there may be more. It is called by the background work.
func (s *Service) SendNotices(ctx context.Context, tenant string, deliver func(context.Context, string, Notice) Delivery) (more bool, err error) {
	taken, err := s.outbox.TakeNotices(ctx, tenant, NoticeBatch, NoticeLease)
	if err != nil {
		return false, public(err)
	}
	var failed error
	for _, n := range taken {
		if ctx.Err() != nil {
			return false, ctx.Err() // what is left is taken again after the lease
		}
		d := deliver(ctx, tenant, n)
		failed = errors.Join(failed, d.Failed)
		if d.Done {
			failed = errors.Join(failed, s.outbox.SettleNotice(ctx, tenant, n.ID))
		} else {
			failed = errors.Join(failed, s.outbox.PostponeNotice(ctx, tenant, n.ID, d.Again))
		}
	}
	return len(taken) == NoticeBatch, failed
}

// ForgetSpent deletes counts of budgets of hours that are over, and tells whether
// there may be more.
func (s *Service) ForgetSpent(ctx context.Context, tenant string) (more bool, err error) {
	n, err := s.proceedings.ForgetSpent(ctx, tenant, ClaimSweep)
	return n == ClaimSweep, public(err)
}
