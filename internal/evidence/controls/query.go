package controls

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A QueryInfo is a line of the list of queries.
type QueryInfo struct {
	Name     string
	Sentence string // what is looked at, and when it is an exception
}

// Queries returns the closed list by name.
func Queries() []QueryInfo {
	var list []QueryInfo
	for _, name := range slices.Sorted(maps.Keys(queries)) {
		list = append(list, QueryInfo{name, queries[name].sentence})
	}
	return list
}

// queries are those that a catalogue may name.
var queries = map[string]struct {
	sentence string
	make     func(*env) query
}{
	"restorations_have_reason": {
		"Restorations; one without a reason, or without the reference that its reason demands.", newHaveReason},
	"restorations_under_known_policy": {
		"Restorations; one under a policy version that the log did not announce before.", newKnownPolicy},
	"purpose_minimisation": {
		"Restorations whose reason bounds the tokens of a request; one of more tokens.", newMinimal},
	"denials_recorded": {
		"Denials; one that does not say why, or whom.", newDenials},
	"integrity_failures": {
		"Restorations; each value that did not open.", newIntegrity},
	"consent_respected": {
		"Restorations that rest on a consent; one for a purpose to which somebody whom it is about does not consent at the time.", newConsents},
	"approvals_by_others": {
		"Uses of an approval; one without enough others who agreed, after somebody rejected it, after its time, or a second one.", newApprovals},
	"break_glass_reviewed": {
		"Restorations that somebody has to look at, once that was due or done; one that nobody else looked at in time.", newBreakGlass},
	"access_review_current": {
		"The end of the period; no access review in the quarter before it.", newAccessReviews},
	"policy_changed_by_two": {
		"Policy versions that came into force; one that its proposer promoted or rolled back.", newPolicyChanges},
	"keys_rotated_in_time": {
		"Rotations of the wrapping key and the time since the last; a gap longer than the epoch and a day.", newRotations},
	"erasures_final_in_time": {
		"Erasures whose time to be final was over, or which are final; one whose key versions were not destroyed by then.", newFinality},
	"erasures_have_a_word": {
		"Erasures; one that names neither a request nor how the person was identified.", newErasureWords},
	"requests_answered_in_time": {
		"Requests of persons that were answered or overdue; one that took longer than its regime allows.", newRequests},
	"holds_reviewed": {
		"Holds that stand at the end of the period; one that nobody looked at for a year.", newHolds},
	"retention_runs": {
		"Sweeps; none though values are in the log that must have expired.", newRetention},
	"log_retained": {
		"Entries, and leaves that were pruned before the period ended; one that no entry of kind prune spoke for, or that was pruned in its first thirteen months.", newLogRetained},
	"exposure_under_agreement": {
		"Prompts; one with values in clear to a destination without an agreement that it requires.", newExposure},
	"prompts_end_with_dispatch": {
		"Prompts that were tokenized; those without an entry of what the vendor did cannot be judged.", newDispatches},
	"incidents_notified_in_time": {
		"Incidents that were open; one of which authority or persons heard 72 hours or 60 days after somebody became aware, or not.", newIncidents},
	"suspended_nothing_restored": {
		"Suspensions that stood; each restoration while the whole tenant was suspended. One of a part is judged where nothing that it may stop was given back.", newSuspensions},
	"log_consistent": {
		"Entries; one whose time, place, link or fields do not fit.", newConsistency},
	"replicas_stop_in_order": {
		"Starts of replicas; one whose replica had not stopped before.", newReplicas},
	"failed_logins_bounded": {
		"Minutes with requests without a valid credential; one with more than " + strconv.Itoa(maxFailedLogins) + ".", newLogins},
	"export_current": {
		"Entries; those that were not exported after a day.", newExport},
}

// base is what every query has.
type base struct {
	*env
	finding
}

func (b *base) finish() *finding { return &b.finding }

const day = 24 * time.Hour

// done tells whether an entry says that something was done, not that it was denied.
func done(e *audit.Entry) bool { return e.Decision != audit.Deny }

// requestPrefix begins the obligation that names the request of a person.
const requestPrefix = "request:"

// number is that of an obligation, -1 where it has none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// sum adds up what is counted.
func sum(counts map[string]int) (total int) {
	for _, n := range counts {
		total += n
	}
	return total
}

// short writes a duration in the largest unit that is whole.
func short(d time.Duration) string {
	if d%day == 0 {
		return strconv.Itoa(int(d/day)) + " days"
	}
	return strings.TrimSuffix(d.String(), "0m0s")
}
