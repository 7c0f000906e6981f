package evidence

import (
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// levels are what can be measured of the service from its log.
type levels struct {
	*builder
	restorations *restorations
	approvals    *approvals
	glass        *breakGlass
	erasures     *erasures
	requests     *requests

	entries, starts, stops, broken, outcomes, recoveries int
	suspended, exhausted, failedLogins                   int
	last, gapFrom                                        time.Time
	gap                                                  time.Duration
	rows                                                 [][]string
}

// answerWithin is the shortest time in which a regime wants a request of a person
// answered (GDPR Art. 12(3), HIPAA 164.524(b)(2): a month, 30 days).
const answerWithin = 30 * 24 * time.Hour

func (l *levels) take(c *Change, in bool) {
	if !in {
		return
	}
	e := &c.Entry
	l.entries += int(c.Last - c.First + 1)
	if gap := e.Time.Sub(l.last); !l.last.IsZero() && gap > l.gap {
		l.gap, l.gapFrom = gap, l.last
	}
	l.last = e.Time
	switch e.Kind {
	case audit.KindServiceStart:
		l.starts++
	case audit.KindServiceStop:
		l.stops++
	case audit.KindIntegrityFailure:
		l.broken++
	case audit.KindOutcome:
		l.outcomes++
	case audit.KindRecover:
		l.recoveries++
	case audit.KindAuthFailures:
		l.failedLogins += sum(e.Counts)
	}
	switch about := refusalOf(e.Code); {
	case about == "budget":
		l.exhausted += c.Denials()
	case about == resultSuspended:
		l.suspended += c.Denials()
	case e.Results[resultSuspended] > 0:
		l.suspended++
	}
}

// resultSuspended is what stands for a suspension, in a code for all of a request and
// among results for some of it.
const resultSuspended = "suspended"

// refusalOf is what the policy was about in the code of a refusal: code:about.
func refusalOf(code string) string {
	for i := range code {
		if code[i] == ':' {
			return code[i+1:]
		}
	}
	return ""
}

func (l *levels) row(measure, title, value, unit string, of int, note string) {
	population := ""
	if of >= 0 {
		population = count(of)
	}
	l.rows = append(l.rows, []string{measure, title, value, unit, population, note})
}

func (l *levels) tables() []Table {
	l.rows = nil
	l.ofPeople()
	l.ofLog()
	return []Table{{
		Name: TableServiceLevels, Title: "Service levels", Rows: l.rows,
		Query: "Measured from the entries of the period, and of the tables that each line names.",
		Notes: []string{
			"Availability and latency of requests are not in the log: they are metrics, see the dashboards of the service.",
			"The longest gap is between two entries that follow each other: nobody may have asked for anything in it.",
			"A line with nothing to measure has an empty value.",
		},
		Columns: []Column{
			{"measure", "Measure", KindText}, {"title", "What", KindText}, {"value", "Value", KindText}, {"unit", "Unit", KindText},
			{"of", "Of", KindCount}, {"note", "Note", KindText},
		},
	}}
}

// ofPeople are the times that people took.
func (l *levels) ofPeople() {
	var decide, review, answer, final []time.Duration
	inTime, late := 0, 0
	for _, p := range l.approvals.shown() {
		if !p.decided.IsZero() && l.period.Holds(p.decided) {
			decide = append(decide, p.decided.Sub(p.at))
		}
	}
	l.row("approvals_median", "Median time to decide an approval", median(decide), "seconds", len(decide), "table approvals, decided in the period")
	for _, u := range l.glass.shown() {
		if !u.closed.IsZero() {
			review = append(review, u.closed.Sub(u.at))
		}
		switch u.state(l.period.To) {
		case "in_time":
			inTime++
		case "late", "overdue":
			late++
		}
	}
	l.row("reviews_in_time", "Reviews of break-glass in time", percent(inTime, inTime+late), "percent", inTime+late, "table break_glass, all but those that are open and not due")
	l.row("reviews_median", "Median time to review", median(review), "seconds", len(review), "those that were reviewed, late ones among them")
	answered := 0
	inTime, late = l.requests.answered()
	for _, o := range l.requests.shown() {
		if !o.done.IsZero() && l.period.Holds(o.done) {
			took := o.done.Sub(o.opened)
			answer = append(answer, took)
			answered += one(took <= answerWithin)
		}
	}
	l.row("requests_in_time", "Requests of persons answered in time", percent(inTime, inTime+late), "percent", inTime+late,
		"table requests, answered in the period or overdue at its end, by when they were due; those that do not say it are left out")
	l.row("requests_within_30_days", "Requests of persons closed within 30 days", percent(answered, len(answer)), "percent", len(answer),
		"table requests, closed in the period, from when they were written down; some regimes give longer")
	l.row("requests_median", "Median time to close a request", median(answer), "seconds", len(answer), "the same requests")
	for _, o := range l.erasures.order {
		if !o.destroyed.IsZero() && l.period.Holds(o.destroyed) {
			final = append(final, o.destroyed.Sub(o.began))
		}
	}
	l.row("finality_median", "Median time from an erasure to the destruction of its key versions", median(final), "seconds", len(final),
		"table erasures, destroyed in the period; backups of the key service come on top")
}

// ofLog is what the log says of the service itself.
func (l *levels) ofLog() {
	of := len(l.restorations.rows)
	failed := 0
	for _, row := range l.restorations.rows {
		failed += one(number(row[cellFailed]) > 0)
	}
	l.row("restorations_whole", "Restorations after which nothing failed", percent(of-failed, of), "percent", of, "table restorations, not given after all is 0")
	l.row("integrity_failures", "Entries of values that did not open", count(l.broken), "entries", l.entries, "kind integrity_failure")
	l.row("outcomes", "Entries of restorations that failed afterwards", count(l.outcomes), "entries", l.entries, "kind outcome")
	l.row("refused_by_suspension", "Requests of which a suspension refused something", count(l.suspended), "requests", -1, "by codes and results")
	l.row("refused_by_budget", "Requests that a budget refused", count(l.exhausted), "requests", -1, "table denials")
	gap, note := "", "no two entries"
	if !l.gapFrom.IsZero() {
		gap, note = span(l.gap), "from "+moment(l.gapFrom)
	}
	l.row("longest_gap", "Longest time without an entry", gap, "seconds", l.entries, note)
	l.row("recoveries", "Times that an older copy of the data took over", count(l.recoveries), "entries", l.entries, "kind recover")
	l.row("replica_starts", "Starts of replicas", count(l.starts), "entries", -1, systemLog)
	l.row("replica_stops", "Stops of replicas", count(l.stops), "entries", -1, systemLog)
	l.row("unauthenticated", "Requests without a valid credential", count(l.failedLogins), "requests", -1, systemLog)
}

const systemLog = "in the system's own log only: 0 in that of a tenant says nothing"

// median is in whole seconds, empty of nothing; of an even number it is the lower
// one of the two in the middle.
func median(of []time.Duration) string {
	if len(of) == 0 {
		return ""
	}
	slices.Sort(of)
	return span(of[(len(of)-1)/2])
}
