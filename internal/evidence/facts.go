package evidence

import "time"

// Facts are what is in force and is not in the log, as the service gives it.
// Everything but Tenant, Origin, ToolVersion and Made may be missing: the tables
// then say that it was not given.
type Facts struct {
	Tenant, Origin, ToolVersion string
	Made                        time.Time // of the evidence; whole seconds, UTC

	Policies     []PolicyFile
	Current      string // the policy version in force
	Matrix       *Table // who may have what back under Current; its Name is TableAccessMatrix
	Reasons      []Reason
	Destinations []Destination
	Retention    []RetentionSetting
	Records      []RecordSetting

	KeyEpoch      time.Duration // how often the wrapping key is to be rotated; 0 is not given
	BackupHorizon time.Duration // how long backups of the store are kept; 0 is not given
	KeyBackups    time.Duration // how long the key service keeps its own; 0 is not given
	Export        *ExportState  // nil: nothing is exported
}

// A PolicyFile is a policy version, as it was loaded.
type PolicyFile struct {
	Version string
	Packed  []byte    // the bundle as a tar
	Since   time.Time // in force since; zero where it is not known
	Diff    []string  // what it changed against the version before, line by line
	// Proposed and Promoted are who did it; zero for a version that was configured.
	Proposed, Promoted PolicyStep
}

// A PolicyStep is what somebody did with a policy version, on whose word.
type PolicyStep struct {
	By, Reference string
	At            time.Time
}

// A Reason is what the policy in force demands of a reason code.
type Reason struct {
	Code, Description string
	MaxTokens         int // per request
	Reference         bool
	Review            time.Duration // 0 is none
	Consent           string        // the purpose, empty where none is asked for
}

// A Destination is where prompts may go, and under which agreements.
type Destination struct {
	Name, Vendor, Region string
	BAA, DPA             Agreement
	Requires             []string // of "baa", "dpa"
	Training             bool
	VendorRetentionDays  int
}

// An Agreement is one with a vendor, valid in [From, To). The zero value is none.
type Agreement struct {
	Ref      string
	From, To time.Time
}

// InForce tells whether there is an agreement at that time.
func (a Agreement) InForce(at time.Time) bool {
	return a.Ref != "" && !at.Before(a.From) && at.Before(a.To)
}

// A RetentionSetting is how long at most something is kept. Empty fields do not
// select; of several that match the shortest counts.
type RetentionSetting struct {
	Class, Entity, Destination, ScopeKind string
	For                                   time.Duration
}

// A RecordSetting is how long records are kept, in words: requests of persons, the
// log itself, tombstones.
type RecordSetting struct{ Record, For string }

// An ExportState is how far the log is exported.
type ExportState struct {
	Next int64     // the first index that is not
	At   time.Time // when that was so
}
