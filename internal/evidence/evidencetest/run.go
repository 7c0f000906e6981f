package evidencetest

import (
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A request of the traffic has 1.4 entries on average, and what is planned comes to
// 350 in all: so that a log has about the entries that were asked for.
const (
	planned         = 350
	entriesPerTenth = 14
)

// run writes the log: what is planned at its time, and traffic spread evenly between.
func (m *maker) run(prune bool) {
	m.setUp()
	m.plan()
	pruned := m.n / 10
	if prune {
		m.at(To.Add(-time.Hour), func() { m.prune(pruned) })
	}
	step := end.Sub(start) / time.Duration(max(1, (m.n-planned)*10/entriesPerTenth))
	for next := start.Add(step); next.Before(end); {
		if len(m.due) > 0 && m.due[0].at.Before(next) {
			one := m.due[0]
			m.due = slices.Delete(m.due, 0, 1)
			m.now = one.at.Truncate(time.Microsecond)
			one.do()
			continue
		}
		m.now = next.Truncate(time.Microsecond)
		m.traffic()
		next = next.Add(step)
	}
	for len(m.leaves) < m.n {
		m.now = m.now.Add(time.Second)
		m.traffic()
	}
	if prune {
		m.forget(pruned)
	}
}

// traffic is one request of a gateway or of a person.
func (m *maker) traffic() {
	switch n := m.rng.IntN(1000); {
	case n < 560:
		m.tokenize()
	case n < 900:
		m.answer()
	case n < 960:
		m.support()
	case n < 990:
		m.denied()
	case n < 997:
		m.stream()
	default:
		m.refused()
	}
}

func (m *maker) setUp() {
	m.add(audit.KindTenantCreate, func(e *audit.Entry) {
		m.by(e, "operator", "")
		e.Decision, e.KeyIDs = audit.Allow, []string{m.hex(32), m.hex(32)}
	})
}

// plan says what happens in the quarter beside traffic.
func (m *maker) plan() {
	for day := start.Add(3 * time.Hour); day.Before(end); day = day.AddDate(0, 0, 1) {
		m.at(day, m.sweep)
	}
	for week := start.AddDate(0, 0, 2); week.Before(end); week = week.AddDate(0, 0, 7) {
		m.at(week.Add(2*time.Hour), m.rotate)
	}
	m.at(From.AddDate(0, 0, -5).Add(10*time.Hour), func() { m.breakGlass(20 * time.Hour) }) // reviewed before the period
	m.at(From.AddDate(0, 0, -1).Add(10*time.Hour), func() { m.breakGlass(50 * time.Hour) }) // reviewed in it
	m.at(From.AddDate(0, 0, 20).Add(9*time.Hour), func() { m.breakGlass(30 * time.Hour) })
	m.at(From.AddDate(0, 0, 41).Add(22*time.Hour), func() { m.breakGlass(90 * time.Hour) }) // late
	m.at(From.AddDate(0, 0, 71).Add(4*time.Hour), func() { m.breakGlass(0) })               // never
	m.at(To.Add(-10*time.Hour), func() { m.breakGlass(0) })                                 // open at the end

	m.at(From.AddDate(0, 0, -10), func() { m.hold(60 * 24 * time.Hour) })
	m.at(From.AddDate(0, 0, 15), func() { m.hold(0) })
	m.at(From.AddDate(0, 0, 40), func() { m.hold(20 * 24 * time.Hour) })
	for i := range 12 {
		m.at(From.AddDate(0, 0, 3+7*i).Add(11*time.Hour), m.approval)
		m.at(From.AddDate(0, 0, 2+7*i).Add(14*time.Hour), m.erasure)
		m.at(From.AddDate(0, 0, 1+7*i).Add(15*time.Hour), m.subjectRequest)
	}
	m.at(From.AddDate(0, 0, 30).Add(9*time.Hour), m.restriction)
	m.at(From.AddDate(0, 0, 40).Add(8*time.Hour), m.changePolicy)
	m.at(From.AddDate(0, 0, 45).Add(8*time.Hour), m.rotateLogKey)
	m.at(From.AddDate(0, 0, 25).Add(7*time.Hour), func() { m.incident(50*time.Hour, 20*24*time.Hour) })
	m.at(From.AddDate(0, 0, 66).Add(7*time.Hour), func() { m.incident(100*time.Hour, 0) })
	m.at(From.AddDate(0, 0, 25).Add(8*time.Hour), func() { m.suspend(26 * time.Hour) })
	m.at(From.AddDate(0, 0, 88), func() { m.suspend(0) })
	m.at(From.AddDate(0, 0, 50).Add(16*time.Hour), m.accessReview)
	for i := range 6 {
		m.at(From.AddDate(0, 0, 5+10*i).Add(12*time.Hour), m.consent)
	}
	m.at(From.AddDate(0, 0, 33), m.broken)
	m.at(From.AddDate(0, 0, 34), m.big)
	m.at(From.AddDate(0, 0, 35), func() { m.control("CF-AC-01", "pass") })
	m.at(From.AddDate(0, 0, 65), func() { m.control("CF-AC-02", "fail") })
	m.at(From.AddDate(0, 0, 60), m.askEvidence)
}
