package evidence

import "github.com/counterfoil/counterfoil/internal/audit"

// accessReviews are who looked at who may have what back, and who may.
type accessReviews struct {
	*builder
	rows    [][]string
	entries []int64
}

func (a *accessReviews) take(c *Change, in bool) {
	e := &c.Entry
	if !in || e.Kind != audit.KindAccessReview || !ran(e) {
		return
	}
	a.entries = append(a.entries, c.First)
	a.rows = append(a.rows, []string{
		place(c.First), moment(e.Time), e.ChangeID, e.Actor, e.Reference, count(sum(e.Counts)), count(e.Counts["keep"]),
		count(e.Counts["revoke"]), count(e.Counts["change"]), e.PolicyVersion,
	})
}

func (a *accessReviews) tables() []Table {
	return []Table{{
		Name: TableAccessReviews, Title: "Access reviews", Rows: a.rows, Entries: a.entries,
		Query: "Entries of kind access_review in the period.",
		Notes: []string{"A review decides on every rule that gives values back under its policy version. What was revoked or changed is a change of the policy: see policy_versions."},
		Columns: []Column{
			{"entry", "Entry", KindRef}, {"time", "Time", KindTime}, {"review", "Review", KindRef}, {"reviewer", "Reviewer", KindRef},
			{"reference", "Reference", KindRef}, {"rights", "Rights decided", KindCount}, {"keep", "Keep", KindCount},
			{"revoke", "Revoke", KindCount}, {"change", "Change", KindCount}, {"policy_version", "Policy version", KindRef},
		},
	}, a.matrix()}
}

// matrix is the one of the facts.
func (a *accessReviews) matrix() Table {
	t := Table{Columns: []Column{{"right", "Right", KindText}}, Notes: []string{notGiven}}
	if a.facts.Matrix != nil {
		t = *a.facts.Matrix
	}
	t.Name = TableAccessMatrix
	if t.Title == "" {
		t.Title = "Access matrix"
	}
	if t.Query == "" {
		t.Query = "The policy in force when the evidence was made: each right that it gives, by role, reason and class. Not from the log."
	}
	return t
}

// notGiven stands under a table of facts that nobody gave.
const notGiven = "Not given to the maker of this evidence; it is not in the log."
