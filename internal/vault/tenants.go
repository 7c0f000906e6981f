package vault

import (
	"context"
	"errors"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// SetTenantState suspends, resumes or closes a tenant, with its entry. From
// the commit on a tenant that is not active tokenizes and restores nothing, on
// every replica: the condition is judged in the commit of each request. What
// it holds stays until it expires; its log can be read and goes on.
func (s *Service) SetTenantState(ctx context.Context, call Call, tenant string, state TenantState) error {
	s = s.under(call)
	if err := checkTenantName(tenant); err != nil {
		return err
	}
	if tenant == SystemTenant {
		return Errorf(CodeConflict, "the system's own log is always open")
	}
	kinds := SetTenant{State: state}.kinds()
	if len(kinds) == 0 {
		return Invalid("/state", "must be active, suspended or closed")
	}
	entry := s.entry(call, kinds[0], nil)
	entry.Decision = audit.Allow
	var redeems *redeeming
	if state == TenantClosed {
		var err error
		if redeems, err = s.operationApproval(ctx, call, tenant, access.OpTenantClose, tenant, call.ApprovalID, entry); err != nil {
			return err
		}
		entry.Obligations = redeems.obligations()
	}
	_, err := s.commitRiding(ctx, tenant, SetTenant{State: state}, entry, &claiming{}, redeems.on)
	switch {
	case errors.Is(err, ErrConflict):
		return Errorf(CodeConflict, "the tenant is in that state, or was closed").Because(err)
	case errors.Is(err, ErrUnknownTenant):
		return Errorf(CodeNotFound, "there is no such tenant").Because(err)
	}
	return public(err)
}

// settle is the end of an operation that failed. That the tenant is not served
// is a denial like any other: recorded, and told.
func (s *Service) settle(ctx context.Context, tenant string, entry audit.Entry, err error) error {
	if !errors.Is(err, ErrSuspended) {
		return public(err)
	}
	entry.Tokens, entry.Code = nil, "tenant"
	return s.deny(ctx, tenant, entry, Errorf(CodeDenied, "the tenant is suspended or closed").Because(err))
}
