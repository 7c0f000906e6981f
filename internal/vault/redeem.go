package vault

import (
	"context"
	"math"
	"slices"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// redeeming is an approval on its way to be used. The nil one is that of a request
// that uses none.
type redeeming struct {
	// asking is set where approvals are asked for: it is decided as if all were
	// given, and nothing is given back.
	asking bool
	row    Proceeding
	body   approvalBody
}

// given is how many approvals the policy may count.
func (r *redeeming) given() int {
	switch {
	case r == nil:
		return 0
	case r.asking:
		return math.MaxInt
	default:
		return len(r.body.Decisions)
	}
}

// names tells whether the approval is about the mapping. What a text holds may be
// more by now than when others agreed to it.
func (r *redeeming) names(m Mapping) bool {
	return r == nil || r.asking || slices.Contains(r.body.Tokens, MappingRef{m.ScopeID, m.TokenID})
}

// on lets the use of the approval ride along with a change.
func (r *redeeming) on(c Change) Change {
	if r == nil || r.row.ID == "" {
		return c
	}
	return c.Redeeming(Redemption{ID: r.row.ID, Revision: r.row.Revision})
}

// obligations name the approval in the entry of what it was used for, and who gave
// it, as far as the name and what stands before it go into an entry.
func (r *redeeming) obligations() []string {
	if r == nil || r.row.ID == "" {
		return nil
	}
	named := []string{audit.ObligationProceeding + r.row.ID}
	for _, d := range r.body.Decisions {
		if by := audit.ObligationApprover + d.By; d.Decision == decisionApprove && audit.IsIdentifier(by) {
			named = append(named, by)
		}
	}
	return named
}

func (r *redeeming) read(ctx context.Context, s *Service, tenant string, kind ProceedingKind, id string) (err error) {
	r.body = approvalBody{}
	r.row, err = s.storedProceeding(ctx, tenant, kind, id, &r.body)
	return err
}

// check refuses, with an entry, an approval that is not the caller's, not given,
// over, used, or about something else. Asked is the digest of a restoration.
func (r *redeeming) check(ctx context.Context, s *Service, call Call, entry audit.Entry, keys *keySet, asked string) error {
	entry.Obligations = r.obligations()
	refuse := func(code Code, about, detail string) error {
		entry.Code = about
		return s.deny(ctx, call.Caller.Tenant, entry, Errorf(code, "%s", detail))
	}
	mine := r.row.Actor == call.Caller.Subject && r.body.Client == call.Caller.Client &&
		slices.Equal(r.body.Requester, person(call.Caller, keys))
	switch status := statusOfApproval(r.row, s.clock()); {
	case !mine:
		// To anybody else it is as if it were not there.
		return refuse(CodeNotFound, "not_the_requester", "there is nothing of that id")
	case status == ApprovalExpired && !s.faults.ignoreApproval:
		return refuse(CodeConflict, "approval_expired", "the time of the approval is over")
	case status == ApprovalRedeemed:
		return refuse(CodeConflict, "approval_redeemed", "the approval was used before")
	case status != ApprovalApproved && !s.faults.ignoreApproval:
		return refuse(CodeConflict, "approval_"+string(status), "it is not approved")
	case asked != r.body.Asked && !s.faults.ignoreApproval:
		return refuse(CodeConflict, "approval_of_another", "the approval is of another request")
	}
	return nil
}

// again reads the approval anew after a commit found another world.
func (r *redeeming) again(ctx context.Context, j *restoreJob) error {
	if r == nil {
		return nil
	}
	if err := r.read(ctx, j.s, j.call.Caller.Tenant, ProceedingRestoration, r.row.ID); err != nil {
		return err
	}
	return r.check(ctx, j.s, j.call, refusedEntry(j.entry, ""), j.keys, j.asked())
}
