package vault

import "context"

// Faults take guards out of a service, for the twins of the invariants' tests.
type Faults struct {
	IgnoreBinding, IgnorePlace, IgnoreExpiry, OpenBeforeCommit, IgnoreTokenLike, LeaveGaps,
	ForgetDenials, IgnoreDetector, IgnoreClaims,
	IgnoreSpanCache, IgnoreRequester, IgnoreApproval, IgnoreSeparation, SilentPolicies,
	IgnoreGrantee, IgnoreGrantEnd, SilentFlush bool
}

// SetFaults must be called before the service is used.
func (s *Service) SetFaults(f Faults) {
	s.faults = faults{
		ignoreBinding: f.IgnoreBinding, ignorePlace: f.IgnorePlace, ignoreExpiry: f.IgnoreExpiry,
		openBeforeCommit: f.OpenBeforeCommit, leaveGaps: f.LeaveGaps,
		ignoreTokenLike: f.IgnoreTokenLike, forgetDenials: f.ForgetDenials, ignoreDetector: f.IgnoreDetector,
		ignoreClaims: f.IgnoreClaims, ignoreSpanCache: f.IgnoreSpanCache,
		ignoreRequester: f.IgnoreRequester, ignoreApproval: f.IgnoreApproval, ignoreSeparation: f.IgnoreSeparation,
		silentPolicies: f.SilentPolicies,
		ignoreGrantee:  f.IgnoreGrantee, ignoreGrantEnd: f.IgnoreGrantEnd, silentFlush: f.SilentFlush,
	}
}

// OpensUnder tells whether a sealed value opens under any of the data keys that
// stand, whoever's they are.
func (s *Service) OpensUnder(ctx context.Context, tenant string, m Mapping, keys []string) (bool, error) {
	opened, err := s.openStored(ctx, tenant, keys)
	if err != nil {
		return false, err
	}
	for _, key := range opened {
		if _, err := openValue(tenant, m, key); err == nil {
			return true, nil
		}
	}
	return false, nil
}
