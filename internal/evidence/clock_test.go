package evidence_test

import (
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// cellOf is a cell of the first line of a table.
func cellOf(t *testing.T, l *log, name, column string) string {
	t.Helper()
	table, _ := l.built(evidence.Facts{Tenant: "acme", Origin: origin, Made: july.To}).Table(name)
	for i, c := range table.Columns {
		if c.Name == column && len(table.Rows) > 0 {
			return table.Rows[0][i]
		}
	}
	t.Fatalf("%s has no line, or no column %s", name, column)
	return ""
}

// TestRequestClock: by when it was due and when it was answered, to the second.
func TestRequestClock(t *testing.T) {
	due := july.From.AddDate(0, 0, 9)
	says := func(at time.Time) map[string]int { return map[string]int{audit.CountDueAt: int(at.Unix())} }
	step := func(code string, counts map[string]int) audit.Entry {
		return audit.Entry{Kind: audit.KindRequestChange, Code: code, Actor: "pia", Obligations: naming("request:", "r1"), Counts: counts}
	}
	for name, c := range map[string]struct {
		due      map[string]int
		extended *audit.Entry
		answered time.Time
		want     string
	}{
		"within its last second":      {says(due), nil, due.Add(time.Second - time.Microsecond), "in_time"},
		"a second late":               {says(due), nil, due.Add(time.Second), "late"},
		"never":                       {says(due), nil, time.Time{}, "overdue"},
		"not due yet":                 {says(july.To.AddDate(0, 0, 1)), nil, time.Time{}, "running"},
		"of an older version":         {nil, nil, due, ""},
		"extended":                    {says(due), ptr(step("extend", says(due.AddDate(0, 1, 0)))), due.Add(time.Hour), "in_time"},
		"extended by an older one":    {says(due), ptr(step("extend", nil)), due.Add(time.Hour), ""},
		"older, extended by this one": {nil, ptr(step("extend", says(due))), due.Add(time.Hour), "late"},
	} {
		l := newLog(t)
		l.on(1, 1).add(audit.Entry{Kind: audit.KindRequestOpen, ChangeID: "r1", Code: "access", Actor: "pia", Counts: c.due})
		if c.extended != nil {
			l.on(2, 0).add(*c.extended)
		}
		if !c.answered.IsZero() {
			l.now = c.answered
			l.add(step("complete", nil))
		}
		if got := cellOf(t, l, evidence.TableRequests, "clock"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// TestIncidentClockRunsFromAware, and the twin: told an hour too late, which an entry
// that does not say it hides.
func TestIncidentClockRunsFromAware(t *testing.T) {
	opened := july.From.AddDate(0, 0, 4)
	for name, c := range map[string]struct {
		counts map[string]int
		want   string
	}{
		"aware the day before": {map[string]int{audit.CountAwareAt: int(opened.Add(-24 * time.Hour).Unix())}, "late"},
		"aware within time":    {map[string]int{audit.CountAwareAt: int(opened.Add(-22 * time.Hour).Unix())}, "in_time"},
		"an older entry":       {nil, "in_time"},
	} {
		l := newLog(t)
		l.now = opened
		l.add(audit.Entry{Kind: audit.KindIncidentOpen, ChangeID: "i1", Actor: "pia", Reference: "INC-1", Counts: c.counts})
		l.now = opened.Add(49 * time.Hour)
		l.add(audit.Entry{Kind: audit.KindIncidentChange, Code: "authority_notified", Actor: "pia", Obligations: naming("proceeding:", "i1")})
		if got := cellOf(t, l, evidence.TableIncidents, "authority"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
