package metrics

import (
	"context"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// matterOf are the matters of requests of persons, by their kind.
var matterOf = map[vault.RequestKind]Matter{
	vault.RequestAccess: MatterAccess, vault.RequestErasure: MatterErasure, vault.RequestRestriction: MatterRestriction,
	vault.RequestObjection: MatterObjection, vault.RequestAccounting: MatterAccounting,
}

// proceedings are the matters that stand in the store as proceedings. The state is
// the one of those that wait for somebody.
var proceedings = []struct {
	kind   vault.ProceedingKind
	state  vault.ProceedingState
	matter Matter
}{
	{vault.ProceedingApproval, vault.ProceedingPending, MatterApproval},
	{vault.ProceedingRestoration, vault.ProceedingPending, MatterRestoration},
	{vault.ProceedingReview, vault.ProceedingStanding, MatterReview},
	{vault.ProceedingIncident, vault.ProceedingStanding, MatterIncident},
}

// matters counts what people of the tenant have to come back to.
func (r *reading) matters(ctx context.Context) error {
	for _, count := range []func(context.Context) error{r.requests, r.proceedings, r.holds} {
		if err := count(ctx); err != nil {
			return err
		}
	}
	return nil
}

// add counts one that is due at a time, or never.
func (r *reading) add(matter Matter, due time.Time) {
	n := r.Matters[matter]
	n.Open++
	switch {
	case due.IsZero() || due.Sub(r.now) > DueSoon:
	case r.now.Before(due):
		n.Soon++
	default:
		n.Overdue++
	}
	r.Matters[matter] = n
}

func (r *reading) requests(ctx context.Context) error {
	q := vault.RequestQuery{Open: true, Limit: vault.PageRequests}
	for range MaxCounted / vault.PageRequests {
		page, err := r.Requests.Requests(ctx, r.tenant, q)
		if err != nil {
			return err
		}
		for i := range page {
			q.Before = page[i].ID
			if matter, known := matterOf[page[i].Kind]; known {
				r.add(matter, page[i].DueAt)
			}
		}
		if len(page) < vault.PageRequests {
			break
		}
	}
	return nil
}

func (r *reading) proceedings(ctx context.Context) error {
	for _, p := range proceedings {
		q := vault.ProceedingQuery{Kind: p.kind, State: p.state, Limit: vault.PageProceedings}
		for range MaxCounted / vault.PageProceedings {
			page, err := r.Proceedings.Proceedings(ctx, r.tenant, q)
			if err != nil {
				return err
			}
			for i := range page {
				q.Before = page[i].ID
				if end := page[i].ExpiresAt; !end.IsZero() && !r.now.Before(end) {
					continue // it stands for nothing any more
				}
				r.add(p.matter, page[i].DueAt)
			}
			if len(page) < vault.PageProceedings {
				break
			}
		}
	}
	return nil
}

func (r *reading) holds(ctx context.Context) error {
	q := vault.HoldQuery{Standing: true, Limit: vault.PageHolds}
	for range MaxCounted / vault.PageHolds {
		page, err := r.Custody.Holds(ctx, r.tenant, q)
		if err != nil {
			return err
		}
		for i := range page {
			q.Before = page[i].ID
			r.add(MatterHold, page[i].ReviewBy)
		}
		if len(page) < vault.PageHolds {
			break
		}
	}
	return nil
}
