package audit

import "time"

// Names of counts of which the meaning is more than how many.
const (
	// CountAwareAt is when somebody became aware of an incident: its clocks run from
	// then on. A time among counts is in seconds of Unix time, so that it stands in
	// the leaf as a whole number; what is within the second is lost.
	CountAwareAt = "aware_at"
	// CountDueAt is when a request of a person has to be answered.
	CountDueAt = "due_at"
	// CountTTL is for how many seconds a grant stands, from its entry on or from
	// that of its renewal.
	CountTTL = "ttl_seconds"
	// CountBudget is how many different tokens a grant may restore.
	CountBudget = "budget"
)

// How many of each sort a suspension names. What it names is kept by the service:
// callers, end users and scopes are persons, or lead to them. One without any of
// them stops whatever was tokenized in a time.
const (
	CountCallers  = "callers"
	CountClients  = "clients"
	CountEndUsers = "end_users"
	CountScopes   = "scopes"
	CountReasons  = "reasons"
	CountEntities = "entities"
)

// SetInstant writes a time among the counts.
func (e *Entry) SetInstant(name string, at time.Time) {
	if e.Counts == nil {
		e.Counts = make(map[string]int, 1)
	}
	e.Counts[name] = int(at.Unix())
}

// Instant is a time that stands among the counts, zero where there is none: in the
// first of linked entries, and in none that was written before the name was.
func (e *Entry) Instant(name string) time.Time {
	seconds, has := e.Counts[name]
	if !has {
		return time.Time{}
	}
	return time.Unix(int64(seconds), 0).UTC()
}
