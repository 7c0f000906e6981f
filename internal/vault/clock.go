package vault

import "time"

// term is how long a request may take, and how much longer once it is extended.
type term struct{ months, days int }

// after is the end of a term. A month ends on the day of the same number, or on
// the last day of the month where there is none (Regulation 1182/71, Art. 3).
func (t term) after(from time.Time) time.Time {
	end := from.AddDate(0, t.months, 0)
	if end.Day() != from.Day() {
		end = end.AddDate(0, 0, -end.Day()) // it ran over into the next month
	}
	return end.AddDate(0, 0, t.days)
}

// terms are the clocks of a regime: GDPR Art. 12(3), one calendar month and two
// further; CCPA 1798.130(a)(2), 45 days and 45 further; HIPAA 164.524(b)(2), 30
// days and 30 further, and for an accounting 164.528(c)(1), 60 days and 30.
type terms struct{ answer, extension, accounting term }

var regimes = map[string]terms{
	"gdpr":  {answer: term{months: 1}, extension: term{months: 2}, accounting: term{months: 1}},
	"ccpa":  {answer: term{days: 45}, extension: term{days: 45}, accounting: term{days: 45}},
	"hipaa": {answer: term{days: 30}, extension: term{days: 30}, accounting: term{days: 60}},
}

// dueAt is when a request has to be answered.
func dueAt(kind RequestKind, regime string, received time.Time) time.Time {
	t := regimes[regime]
	if kind == RequestAccounting {
		return t.accounting.after(received)
	}
	return t.answer.after(received)
}

// extendedDue is when a request has to be answered that was extended. Months are
// counted from receipt, so that a month's odd days do not add up.
func extendedDue(kind RequestKind, regime string, received time.Time) time.Time {
	t := regimes[regime]
	first := t.answer
	if kind == RequestAccounting {
		first = t.accounting
	}
	return term{months: first.months + t.extension.months, days: first.days + t.extension.days}.after(received)
}
