package vault

// faults takes guards out, one at a time, so that a test can show that the
// check for the guard's invariant goes red without it. Only tests of this
// package can set it; the zero value is the product.
type faults struct {
	ignoreBinding    bool // scopes answer whoever asks (invariant 6)
	ignorePlace      bool // tokens inside URLs restore
	ignoreExpiry     bool // expired mappings restore (invariant 9)
	openBeforeCommit bool // values leave whether or not the entry was committed (invariant 1)
	ignoreTokenLike  bool // text that looks like a token is let be (invariant 3, first guard)
	forgetDenials    bool // refusals are not recorded (invariant 10)
	ignoreDetector   bool // a detector that fails finds nothing (invariant 18)
	ignoreClaims     bool // an idempotency key stands for any body (invariant 16)
	ignoreSpanCache  bool // every text is searched anew
	ignoreRequester  bool // whoever asked may agree, and as often as they like (invariant 14)
	ignoreApproval   bool // an approval counts whatever it is of (invariant 14)
	ignoreSeparation bool // roles of one credential exclude nothing
	silentPolicies   bool // a log is not told of the versions that its entries name
	ignoreGrantee    bool // a grant serves whoever names it
	ignoreGrantEnd   bool // a grant gives on when it is over (invariant 8)
	silentFlush      bool // what a grant does not name leaves without an entry (invariant 1)
	leaveGaps        bool // rendered texts are not checked (invariant 3, second guard)
}
