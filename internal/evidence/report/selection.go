package report

import (
	"slices"

	"github.com/counterfoil/counterfoil/internal/evidence"
)

// entryColumn holds the place in the log of what a line is about.
const entryColumn = "entry"

// maxColumns is how many columns a sheet of A4 carries in a size that can be read.
const maxColumns = 12

// selections are the columns that are printed of tables with more: who, when, why,
// how much and what came of it. What only leads to something else is in the file.
var selections = map[string][]string{
	evidence.TableControls: {
		"control", "title", "clauses", "frequency", "result", "population", "exceptions", "unknown", "entries", "detail", "not_covered",
	},
	evidence.TableRestorationsReason: {
		"reason", "restorations", "tokens", "partial", "replays", "approved", "under_review", "actors", "end_users", "first", "last",
	},
	evidence.TableRestorationsActor: {
		"actor", "restorations", "tokens", "partial", "replays", "approved", "under_review", "end_users", "reasons", "first", "last",
	},
	evidence.TableRestorationsEndUser: {
		"end_user", "restorations", "tokens", "partial", "replays", "approved", "under_review", "actors", "reasons", "first", "last",
	},
	evidence.TableRestorations: {
		"entry", "time", "kind", "decision", "reason", "reference", "actor", "client", "end_user", "tokens", "entities", "failed",
	},
	evidence.TableDenials: {
		"entry", "time", "kind", "code", "denials", "reason", "reference", "actor", "client", "end_user", "rules",
	},
	evidence.TableApprovals: {
		"entry", "time", "operation", "reason", "reference", "requester", "required", "approvers", "state", "time_to_decide", "used_by", "by_others",
	},
	evidence.TableBreakGlass: {
		"entry", "time", "reason", "reference", "actor", "tokens", "due", "state", "reviewed_at", "reviewer", "by_other", "finding",
	},
	evidence.TablePolicyVersions: {
		"policy_version", "since", "entries", "first", "last", "proposed_by", "promoted_by", "promoted_at", "reference", "by_two", "current",
	},
	evidence.TableErasures: {
		"entry", "time", "reference", "actor", "identity", "method", "erased", "keys", "deferred", "completed_at", "versions_destroyed", "final_at",
	},
	evidence.TableHolds: {
		"entry", "time", "hold", "placed_by", "reference", "about", "reviews", "last_review", "standing", "released_at", "released_by", "stood",
	},
	evidence.TableAgreements: {
		"destination", "vendor", "region", "dpa", "dpa_to", "baa", "baa_to", "requires", "training", "retention_days", "in_clear", "covered",
	},
	evidence.TableRequests: {
		"entry", "time", "kind", "regime", "reference", "actor", "extended_at", "due", "answered_at", "clock", "state", "closed_at",
	},
	evidence.TableSuspensions: {
		"entry", "time", "what", "names", "actor", "reference", "standing", "lifted_at", "lifted_by", "lift_reference", "lift_entry", "stood",
	},
	evidence.TableIncidents: {
		"entry", "aware_at", "actor", "reference", "authority_due", "authority_at", "authority", "persons_due", "persons_at", "persons", "closed_at", "outcome",
	},
}

// printed are the columns of a table that are printed: those of its selection, or
// the first ones.
func printed(t evidence.Table) []int {
	var out []int
	wanted, selected := selections[t.Name]
	for i, c := range t.Columns {
		if selected && slices.Contains(wanted, c.Name) || !selected && len(out) < maxColumns {
			out = append(out, i)
		}
	}
	return out
}

// Rest says what of a table is not printed, as the end of a sentence that begins
// with the name of its file; empty where all is.
func (s sheet) Rest() string {
	more, left := "", ""
	if n := s.More(); n > 0 {
		more = plural(int64(n), "more line", "more lines")
	}
	if s.Left > 0 {
		left = plural(int64(s.Left), "more column", "more columns")
	}
	verb := "are"
	if s.More()+s.Left == 1 {
		verb = "is"
	}
	switch {
	case more != "" && left != "":
		return "are " + more + " and " + left
	case more != "" || left != "":
		return verb + " " + more + left
	case s.Cut:
		return "what ends in … here is whole"
	default:
		return ""
	}
}
