package vault

import (
	"net/netip"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// ProposeRequest proposes a policy bundle, packed as access.Bundle.Pack does. For
// the tenants of its trial it decides at once; for the others when it is promoted.
type ProposeRequest struct {
	Bundle  []byte
	Tenants []string      // of the trial; may be empty
	Change  access.Change // required where the bundle brings none
}

// ProposalInfo describes a proposed policy.
type ProposalInfo struct {
	ID, Version, ProposedBy string
	Status                  string // trial, in_force, kept, retired, dropped
	Tenants                 []string
	Change                  access.Change
	ProposedAt, ClosedAt    time.Time
}

// ProposalResult is the answer to what proposes, promotes, drops or rolls back.
type ProposalResult struct {
	Proposal ProposalInfo
	Audit    *audit.Receipt
}

// ProposalPage is a page of proposed policies, the newest first.
type ProposalPage struct {
	Proposals []ProposalInfo
	Next      string
}

// ReloadResult says which policy this replica decides under after a reload.
type ReloadResult struct {
	Version, Before string
	Changed         bool
	Audit           *audit.Receipt // nil where nothing changed
}

// ExplainRequest asks what the policy would decide.
type ExplainRequest struct {
	Action                string // restore where empty
	Roles                 []string
	Reason, Entity, Class string
	SameClient            bool
	EndUser               string // unbound, same, absent, other
	MFA                   bool
	ACR                   string
	Attributes            map[string]string
	Place, Tool           string
	Held, Restricted      bool
	Environment           string // the service's own where empty
	At                    time.Time
	Address               netip.Addr
	Approved              int
	Consented             bool
}

// MatrixLine is one right, and when it was last used.
type MatrixLine struct {
	access.Right
	LastUsed time.Time // zero: not in the period
	Uses     int
}

// MatrixResult is who can restore what for which reason.
type MatrixResult struct {
	PolicyVersion string
	Since         time.Time // of the uses
	Lines         []MatrixLine
	// Truncated says that the log has more uses than were looked at.
	Truncated bool
}
