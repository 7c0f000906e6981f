package vault

import (
	"context"
	"errors"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
)

// ControlInfo is a control and how it went when it was last tried.
type ControlInfo struct {
	ID, Title, Query, Frequency string
	Clauses                     []string // of the frameworks that it is evidence for
	Result                      string   // pass, fail, partial or not_tested
	Population, Exceptions      int
	Entries                     []int64 // of the exceptions, the first of them
	Detail                      []string
	At, Due                     time.Time // when it was tried, and when it is to be again
}

// Controls returns all controls with their last results.
func (s *Service) Controls(ctx context.Context, call Call) ([]ControlInfo, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionControls); err != nil {
		return nil, err
	}
	return nil, public(errors.ErrUnsupported)
}

// CheckControls tries all controls now; each result is an entry.
func (s *Service) CheckControls(ctx context.Context, call Call) ([]ControlInfo, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionControls); err != nil {
		return nil, err
	}
	return nil, public(errors.ErrUnsupported)
}
