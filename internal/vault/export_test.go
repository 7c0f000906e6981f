package vault

// Faults take guards out of a service, for the twins of the invariants' tests.
type Faults struct {
	IgnoreBinding, IgnorePlace, IgnoreExpiry, OpenBeforeCommit, IgnoreTokenLike, LeaveGaps,
	ForgetDenials, IgnoreDetector, IgnoreClaims,
	IgnoreSpanCache bool
}

// SetFaults must be called before the service is used.
func (s *Service) SetFaults(f Faults) {
	s.faults = faults{
		ignoreBinding: f.IgnoreBinding, ignorePlace: f.IgnorePlace, ignoreExpiry: f.IgnoreExpiry,
		openBeforeCommit: f.OpenBeforeCommit, leaveGaps: f.LeaveGaps,
		ignoreTokenLike: f.IgnoreTokenLike, forgetDenials: f.ForgetDenials, ignoreDetector: f.IgnoreDetector,
		ignoreClaims: f.IgnoreClaims, ignoreSpanCache: f.IgnoreSpanCache,
	}
}
