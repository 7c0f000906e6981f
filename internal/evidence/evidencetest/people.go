package evidencetest

import (
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// about names the proceeding that an entry belongs to.
func about(id string) []string { return []string{audit.ObligationProceeding + id} }

// approval asks for something that others have to agree to; what becomes of it goes
// round: used, rejected, left alone, agreed to and not used.
func (m *maker) approval() {
	nth := m.rng.IntN(6)
	found := map[string]int{"CREDIT_CARD": 1}
	scope := refOf("scope", m.rng.IntN(2000))
	id := m.add(audit.KindApprovalRequest, func(e *audit.Entry) {
		m.person(e, "rob", "support")
		e.RuleIDs, e.Code, e.Reason, e.Reference, e.ScopeRefs = nil, "restore", "CUSTOMER_SUPPORT", "TICKET-"+m.hex(6), []string{scope}
		e.Entities, e.Counts = found, map[string]int{"approvals": 2, "tokens": 1}
	})
	decide := func(who, code string) func() {
		return func() {
			m.add(audit.KindApprovalDecide, func(e *audit.Entry) {
				m.person(e, who, "approve-restore-approver")
				e.Code, e.Obligations, e.Reason = code, about(id), "CUSTOMER_SUPPORT"
				e.NoteDigest = m.hex(64)
			})
		}
	}
	first := m.minutes(90)
	m.later(first, decide("amy", "approve"))
	switch nth {
	case 0:
		m.later(first+m.minutes(60), decide("abe", "reject"))
		return
	case 1:
		return
	}
	second := first + m.minutes(120)
	m.later(second, decide("abe", "approve"))
	if nth == 2 {
		return
	}
	m.later(second+m.minutes(60), func() {
		m.add(audit.KindRestore, func(e *audit.Entry) {
			m.person(e, "rob", "support")
			e.Reason, e.Reference, e.ScopeRefs = "CUSTOMER_SUPPORT", "TICKET-"+m.hex(6), []string{scope}
			m.restored(e, found, "full")
			e.Obligations = append(e.Obligations, about(id)...)
		})
	})
}

// breakGlass uses the emergency reason; it is reviewed after a time, or not at all.
func (m *maker) breakGlass(reviewed time.Duration) {
	id := m.add(audit.KindRestore, func(e *audit.Entry) {
		m.person(e, "olga", "break-glass")
		e.Reason, e.Reference, e.ScopeRefs = "BREAK_GLASS", "INC-"+m.hex(4), []string{refOf("scope", m.rng.IntN(2000))}
		m.restored(e, map[string]int{"PERSON": 1, "US_SSN": 1}, "full")
		e.Obligations = append(e.Obligations, "mfa", "notify", "reference", "review_hours:72")
	})
	if reviewed == 0 {
		return
	}
	m.later(reviewed, func() {
		m.add(audit.KindReviewClose, func(e *audit.Entry) {
			m.person(e, "ann", "review-close-auditor")
			e.Code, e.Obligations, e.Reference = m.oneOf("justified", "justified", "policy_gap"), about(id), "REVIEW-"+m.hex(4)
		})
	})
}

// hold places a hold that somebody reviews, and releases with an approval after a
// time, or does not.
func (m *maker) hold(stands time.Duration) {
	id := m.hex(32)
	m.add(audit.KindHoldPlace, func(e *audit.Entry) {
		m.person(e, "lea", "hold-place")
		e.ChangeID, e.HoldIDs, e.Reference = id, []string{id}, "ORDER-"+m.hex(4)
		e.Counts = map[string]int{"subjects": 1, "identifiers": 0, "scopes": 2, "entities": 0, "classes": 0, "destinations": 0}
	})
	m.later(10*24*time.Hour, func() {
		m.add(audit.KindHoldReview, func(e *audit.Entry) {
			m.person(e, "lea", "hold-place")
			e.HoldIDs = []string{id}
		})
	})
	if stands == 0 {
		return
	}
	m.later(stands, func() {
		request := m.add(audit.KindApprovalRequest, func(e *audit.Entry) {
			m.person(e, "liz", "hold-release")
			e.Code, e.Reference, e.Counts = "hold_release", "ORDER-"+m.hex(4), map[string]int{"approvals": 1, "tokens": 0}
		})
		m.later(m.minutes(200), func() {
			m.add(audit.KindApprovalDecide, func(e *audit.Entry) {
				m.person(e, "amy", "approve-hold-release")
				e.Code, e.Obligations = "approve", about(request)
			})
		})
		m.later(5*time.Hour, func() {
			m.add(audit.KindHoldRelease, func(e *audit.Entry) {
				m.person(e, "liz", "hold-release")
				e.HoldIDs, e.Reference, e.Obligations = []string{id}, "ORDER-"+m.hex(4), about(request)
			})
		})
	})
}

func (m *maker) incident(authority, closed time.Duration) {
	id := m.add(audit.KindIncidentOpen, func(e *audit.Entry) {
		m.person(e, "pia", "incident-manage-privacy")
		e.Reference = "INC-" + m.hex(4)
		e.SetInstant(audit.CountAwareAt, m.now.Add(-3*time.Hour))
	})
	event := func(code string) func() {
		return func() {
			m.add(audit.KindIncidentChange, func(e *audit.Entry) {
				m.person(e, "pia", "incident-manage-privacy")
				e.Code, e.Reference, e.Obligations = code, "LETTER-"+m.hex(4), about(id)
			})
		}
	}
	m.later(2*time.Hour, event("assessed"))
	m.later(9*time.Hour, event("contained"))
	m.later(authority, event("authority_notified"))
	if closed > 0 {
		m.later(closed-time.Hour, event("persons_notified"))
		m.later(closed, event("closed_notified"))
	}
}

func (m *maker) suspend(stands time.Duration) {
	id := m.add(audit.KindSuspend, func(e *audit.Entry) {
		m.person(e, "pia", "suspend-privacy")
		e.Reference, e.Counts = "INC-"+m.hex(4), map[string]int{audit.CountReasons: 1, audit.CountScopes: 2}
	})
	m.later(m.minutes(60), func() {
		m.add(audit.KindRestore, func(e *audit.Entry) {
			m.gateway(e, "llm-same-end-user")
			e.Decision, e.RuleIDs, e.Reason, e.Code = audit.Deny, nil, "LLM_RESPONSE", "denied:suspended"
			e.Results = map[string]int{"restored": 1}
		})
	})
	if stands == 0 {
		return
	}
	m.later(stands, func() {
		m.add(audit.KindLiftSuspension, func(e *audit.Entry) {
			m.person(e, "pia", "suspend-privacy")
			e.Reference, e.Obligations = "INC-"+m.hex(4), about(id)
		})
	})
}

func (m *maker) consent() {
	subject := m.subject()
	id := m.add(audit.KindConsent, func(e *audit.Entry) {
		m.person(e, "pia", "consent-manage-privacy")
		e.Code, e.Reference = m.oneOf("marketing", "research"), "FORM-"+m.hex(4)
		e.SubjectRefs = []string{subject}
	})
	if m.rng.IntN(2) == 0 {
		m.later(12*24*time.Hour, func() {
			m.add(audit.KindWithdrawConsent, func(e *audit.Entry) {
				m.person(e, "pia", "consent-manage-privacy")
				e.Reference, e.Obligations, e.SubjectRefs = "CALL-"+m.hex(4), about(id), []string{subject}
			})
		})
	}
}

func (m *maker) accessReview() {
	m.add(audit.KindAccessReview, func(e *audit.Entry) {
		m.person(e, "ann", "access-review-auditor")
		e.Reference, e.Counts = "REVIEW-2026-Q3", map[string]int{"keep": 12, "revoke": 1, "change": 1}
	})
}

func (m *maker) control(id, result string) {
	m.add(audit.KindControl, func(e *audit.Entry) {
		m.by(e, "lifecycle", "")
		e.Reference, e.Code, e.Counts = id, result, map[string]int{"population": 100, "exceptions": 0}
		if result == "fail" {
			e.Counts["exceptions"] = 2
		}
	})
}

func (m *maker) askEvidence() {
	id := m.add(audit.KindEvidenceRequest, func(e *audit.Entry) {
		m.person(e, "ann", "evidence-auditor")
		e.Reference = "2026-04-01T00:00:00Z/2026-07-01T00:00:00Z"
	})
	size := len(m.leaves)
	m.later(m.minutes(5), func() {
		m.add(audit.KindEvidenceDone, func(e *audit.Entry) {
			m.by(e, "lifecycle", "")
			e.Code, e.Obligations, e.NoteDigest = "done", about(id), m.hex(64)
			e.Counts = map[string]int{"bytes": 1 << 20, "entries": size}
		})
	})
}

func (m *maker) subject() string { return refOf("subject", m.rng.IntN(300)) }

// dsar is the reference of a request of a person.
func (m *maker) dsar() string { return "DSAR-" + strconv.Itoa(100+m.rng.IntN(900)) }
