package metrics

// Stage is one who follows the logs.
type Stage string

// The stages. Each is behind the heads by what it has not yet done.
const (
	StageCheckpoint Stage = "checkpoint" // the published head
	StageAnchor     Stage = "anchor"     // what is kept outside the store
	StageExport     Stage = "export"     // what a sink has
	StageTiles      Stage = "tiles"      // the folder of tiles
)

// Stages returns the closed list.
func Stages() []Stage { return []Stage{StageCheckpoint, StageAnchor, StageExport, StageTiles} }

// Breaker guards calls of what is outside the process.
type Breaker string

// The breakers.
const (
	BreakerKeyService Breaker = "key_service"
	BreakerExport     Breaker = "export"
	BreakerWebhooks   Breaker = "webhooks"
)

// Breakers returns the closed list.
func Breakers() []Breaker { return []Breaker{BreakerKeyService, BreakerExport, BreakerWebhooks} }

// The states of a breaker, in the words of gobreaker.
var breakerStates = []string{"closed", "half-open", "open"}

// Matter is a kind of what people have to come back to.
type Matter string

// The matters: what persons asked for, and what waits for colleagues.
const (
	MatterAccess      Matter = "access"
	MatterErasure     Matter = "erasure"
	MatterRestriction Matter = "restriction"
	MatterObjection   Matter = "objection"
	MatterAccounting  Matter = "accounting"
	MatterApproval    Matter = "approval"
	MatterRestoration Matter = "restoration" // that waits for approvals
	MatterReview      Matter = "review"
	MatterIncident    Matter = "incident"
	MatterHold        Matter = "hold"
)

// Matters returns the closed list.
func Matters() []Matter {
	return []Matter{
		MatterAccess, MatterErasure, MatterRestriction, MatterObjection, MatterAccounting,
		MatterApproval, MatterRestoration, MatterReview, MatterIncident, MatterHold,
	}
}

// Of matters that are open, some are due soon and some are overdue.
const (
	stateOpen    = "open"
	stateSoon    = "due_soon"
	stateOverdue = "overdue"
)

// results of a control, as its entries say them.
var results = []string{"pass", "fail", "partial", "not_tested"}

// OtherControl stands for controls that the catalogue does not have any more.
const OtherControl = "other"

// Family is a family of metrics with all that its labels can say.
type Family struct {
	Name, Help string
	// Labels are its labels, and Values all values of each. Nil values are those
	// of the catalogue of controls.
	Labels []string
	Values [][]string
}

func words[T ~string](list []T) []string {
	all := make([]string, len(list))
	for i, w := range list {
		all[i] = string(w)
	}
	return all
}

// The names of the families.
const (
	nameBatch       = "counterfoil_commit_batch_changes"
	nameCommit      = "counterfoil_commit_seconds"
	nameChanges     = "counterfoil_commit_changes_total"
	nameWaiting     = "counterfoil_commit_queue_waiting"
	nameLookups     = "counterfoil_key_cache_lookups_total"
	nameCached      = "counterfoil_key_cache_keys"
	nameCachedMost  = "counterfoil_key_cache_keys_limit"
	nameBreaker     = "counterfoil_breaker_state"
	nameNotices     = "counterfoil_notices_total"
	nameNotice      = "counterfoil_notice_seconds"
	nameTenants     = "counterfoil_tenants"
	nameEntries     = "counterfoil_log_entries"
	nameLagEntries  = "counterfoil_log_lag_entries"
	nameLag         = "counterfoil_log_lag_seconds"
	nameMatters     = "counterfoil_matters"
	nameBacklog     = "counterfoil_sweep_backlog"
	nameBehind      = "counterfoil_sweep_behind_tenants"
	nameKeyAge      = "counterfoil_key_age_seconds"
	nameEpoch       = "counterfoil_key_epoch_seconds"
	nameControls    = "counterfoil_controls"
	nameReadAt      = "counterfoil_figures_read_timestamp_seconds"
	nameReadSeconds = "counterfoil_figures_read_seconds"
	nameReadFailed  = "counterfoil_figures_failures_total"
)

// Families returns the closed list: all that this package serves, and how.
func Families() []Family {
	one := func(name, help string) Family { return Family{Name: name, Help: help} }
	by := func(name, help, label string, values []string) Family {
		return Family{Name: name, Help: help, Labels: []string{label}, Values: [][]string{values}}
	}
	return []Family{
		one(nameBatch, "Changes that shared one commit."),
		one(nameCommit, "Time from the begin of a commit until its outcome was known."),
		by(nameChanges, "Changes by what became of them.", "outcome", []string{"committed", "refused", "unavailable"}),
		one(nameWaiting, "Changes that wait for their commit."),
		by(nameLookups, "Data keys that were asked for, by whether they were in memory.", "result", []string{"hit", "miss"}),
		one(nameCached, "Data keys in memory."),
		one(nameCachedMost, "Data keys that memory may hold."),
		{nameBreaker, "1 for the state that a circuit breaker is in.", []string{"breaker", "state"}, [][]string{words(Breakers()), breakerStates}},
		by(nameNotices, "Attempts to deliver a notice by what became of them.", "outcome", []string{"delivered", "postponed", "given_up"}),
		one(nameNotice, "Time from the commit of what a notice tells until it was delivered."),
		one(nameTenants, "Tenants that are not closed."),
		one(nameEntries, "Entries of all logs."),
		by(nameLagEntries, "Entries of all logs that a stage has not yet done.", "stage", words(Stages())),
		by(nameLag, "Age of the oldest entry that a stage has not yet done.", "stage", words(Stages())),
		{
			nameMatters, "What people have to come back to, over all tenants.", []string{"matter", "state"},
			[][]string{words(Matters()), {stateOpen, stateSoon, stateOverdue}},
		},
		one(nameBacklog, "Expired mappings that no sweep has destroyed yet; at most one batch of each tenant is counted."),
		one(nameBehind, "Tenants of whom a full batch has expired and was not destroyed yet."),
		by(nameKeyAge, "Time since the key of a tenant that was not rotated for longest got its version.", "key", []string{"wrapping", "log"}),
		one(nameEpoch, "How often wrapping keys are to be rotated."),
		{nameControls, "Logs by the last result of a control in them.", []string{"control", "result"}, [][]string{nil, results}},
		one(nameReadAt, "When the figures that need the store were last read."),
		one(nameReadSeconds, "How long the last such reading took."),
		one(nameReadFailed, "Readings that failed."),
	}
}
