package controls_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/controls"
)

// A queryCase is a log on which a query passes, and what is done to it for the query
// to fail with exactly the exceptions that are returned.
type queryCase struct {
	population int
	sound      func(m *made)
	spoil      func(m *made) []int64
	// outcome of the sound log, where the query cannot say more than partial.
	outcome controls.Outcome
}

var queryCases = map[string]queryCase{
	"restorations_have_reason": {2,
		func(m *made) {
			m.by("gw", on(-1), restored("")) // before the period
			m.by("gw", on(1), restored("LLM_RESPONSE"))
			e := restored("CUSTOMER_SUPPORT", "reference")
			e.Reference = "TICKET-1"
			m.by("rob", on(2), e)
		},
		func(m *made) []int64 {
			return []int64{m.by("gw", on(3), restored("")), m.by("rob", on(4), restored("CUSTOMER_SUPPORT", "reference"))}
		}, ""},
	"restorations_under_known_policy": {2,
		func(m *made) {
			m.by("gw", on(1), restored("LLM_RESPONSE"))
			m.add(on(2), audit.Entry{Kind: audit.KindPolicyLoad, Channel: "process", PolicyVersion: "p2"})
			e := restored("LLM_RESPONSE")
			e.PolicyVersion = "p2"
			m.by("gw", on(3), e)
		},
		func(m *made) []int64 {
			e := restored("LLM_RESPONSE")
			e.PolicyVersion = "p3"
			return []int64{m.by("gw", on(4), e)}
		}, ""},
	"purpose_minimisation": {1,
		func(m *made) { m.by("gw", on(1), restored("LLM_RESPONSE", "max_tokens:2")) },
		func(m *made) []int64 { return []int64{m.by("gw", on(2), restored("LLM_RESPONSE", "max_tokens:1"))} }, ""},
	"denials_recorded": {4,
		func(m *made) {
			m.by("rob", on(1), audit.Entry{Kind: audit.KindRestore, Decision: audit.Deny, Code: "denied:no_rule"})
			m.by("rob", on(2), audit.Entry{Kind: audit.KindRestore, Decision: audit.Deny, Code: "denied:no_rule", Counts: map[string]int{"denials": 3}})
		},
		func(m *made) []int64 {
			return []int64{m.add(on(3), audit.Entry{Kind: audit.KindRequestRefused, Decision: audit.Deny, Code: "denied:hold_read"})}
		}, ""},
	"integrity_failures": {1,
		func(m *made) { m.by("gw", on(1), restored("LLM_RESPONSE")) },
		func(m *made) []int64 {
			return []int64{m.by("gw", on(2), audit.Entry{Kind: audit.KindIntegrityFailure, Tokens: []string{"7K3QX9M2"}})}
		}, ""},
	"consent_respected": {1,
		func(m *made) {
			e := step(audit.KindConsent, "marketing", "")
			e.SubjectRefs = []string{"u1"}
			m.by("pia", on(-3), named(e, "consent-1"))
			given := restored("MARKETING_CONTACT", "consent:marketing")
			given.SubjectRefs = []string{"u1"}
			m.by("rob", on(1), given)
		},
		func(m *made) []int64 {
			other := restored("MARKETING_CONTACT", "consent:marketing")
			other.SubjectRefs = []string{"u2"}
			first := m.by("rob", on(2), other)
			m.by("pia", on(3), step(audit.KindWithdrawConsent, "", "proceeding:consent-1"))
			given := restored("MARKETING_CONTACT", "consent:marketing")
			given.SubjectRefs = []string{"u1"}
			return []int64{first, m.by("rob", on(4), given)}
		}, ""},
	"approvals_by_others": {2,
		func(m *made) {
			m.approved(on(1), "a1", "rob", 2, "amy", "abe")
			m.by("rob", on(1).Add(2*time.Hour), restored("CUSTOMER_SUPPORT", "proceeding:a1"))
			m.approved(on(2), "a2", "olga", 1, "otto")
			m.by("olga", on(2).Add(2*time.Hour), step(audit.KindApprovalDecide, "redeem", "proceeding:a2"))
			m.approved(on(3), "a3", "rob", 1, "rob") // never used
		},
		func(m *made) []int64 {
			var wrong []int64
			use := func(at time.Time, id string) {
				wrong = append(wrong, m.by("rob", at, restored("CUSTOMER_SUPPORT", "proceeding:"+id)))
			}
			use(on(3).Add(time.Hour), "a1") // used before
			use(on(3).Add(2*time.Hour), "a3")
			m.approved(on(4), "a4", "rob", 2, "amy", "amy")
			use(on(4).Add(2*time.Hour), "a4")
			m.approved(on(5), "a5", "rob", 1, "amy")
			m.by("abe", on(5).Add(2*time.Hour), step(audit.KindApprovalDecide, "reject", "proceeding:a5"))
			use(on(5).Add(3*time.Hour), "a5")
			m.approved(on(6), "a6", "rob", 1, "amy")
			use(on(8), "a6")
			return wrong
		}, ""},
	"break_glass_reviewed": {2,
		func(m *made) {
			m.by("rob", on(-2), named(restored("BREAK_GLASS", "review_hours:72"), "b0")) // due in the period
			m.by("ann", on(0), step(audit.KindReviewClose, "justified", "proceeding:b0"))
			m.by("rob", on(1), named(restored("BREAK_GLASS", "review_hours:72"), "b1"))
			m.by("ann", on(2), step(audit.KindReviewClose, "justified", "proceeding:b1"))
			m.by("rob", on(91), restored("BREAK_GLASS", "review_hours:72")) // not due yet
		},
		func(m *made) []int64 {
			m.entries = m.entries[:len(m.entries)-1]
			late := m.by("rob", on(10), named(restored("BREAK_GLASS", "review_hours:72"), "b2"))
			m.by("ann", on(14), step(audit.KindReviewClose, "justified", "proceeding:b2"))
			own := m.by("rob", on(20), named(restored("BREAK_GLASS", "review_hours:72"), "b3"))
			m.by("rob", on(21), step(audit.KindReviewClose, "justified", "proceeding:b3"))
			return []int64{late, own, m.by("rob", on(30), restored("BREAK_GLASS", "review_hours:72"))}
		}, ""},
	"access_review_current": {1,
		func(m *made) { m.by("ann", on(5), step(audit.KindAccessReview, "", "")) },
		func(m *made) []int64 { m.entries = m.entries[:1]; return nil }, ""},
	"policy_changed_by_two": {1,
		func(m *made) {
			m.by("ole", on(1), named(step(audit.KindPolicyPropose, "PR-1", "tenant:acme"), "prop"))
			m.by("olga", on(2), step(audit.KindPolicyChange, "promote", "proceeding:prop"))
		},
		func(m *made) []int64 {
			return []int64{m.by("ole", on(3), step(audit.KindPolicyChange, "rollback", "proceeding:prop"))}
		}, ""},
	"keys_rotated_in_time": {14,
		func(m *made) {
			m.rotated(-14, -7, 0, 7, 14, 21, 28, 35, 42, 49, 56, 63, 70, 77, 84)
			m.facts.Made = on(91)
		},
		func(m *made) []int64 {
			m.entries = m.entries[:len(m.entries)-3] // until the day 63: the last rotation is too old at the end
			return []int64{int64(len(m.entries) - 1)}
		}, ""},
	"erasures_final_in_time": {1,
		func(m *made) {
			m.by("pia", on(-15), erased("identity:in_person", 0))
			m.rotated(-12)
			e := counted(audit.KindFinality, map[string]int{"retired_below": 2, "erasures": 1})
			e.Channel = "keys"
			m.add(on(20), e)
			m.by("pia", on(80), erased("identity:in_person", 0)) // not due yet
			m.by("pia", on(1), erased("identity:in_person", 3))  // a hold keeps a part
		},
		func(m *made) []int64 {
			return []int64{m.by("pia", on(30), erased("identity:in_person", 0))}
		}, ""},
	"erasures_have_a_word": {2,
		func(m *made) {
			m.by("pia", on(1), erased("identity:in_person", 0))
			m.add(on(2), erased("request:r1", 0))
		},
		func(m *made) []int64 { return []int64{m.by("pia", on(3), erased("proceeding:a1", 0))} }, ""},
	"requests_answered_in_time": {8,
		func(m *made) {
			m.by("pia", on(-10), named(step(audit.KindRequestOpen, "access", ""), "r1"))
			m.by("pia", on(5), step(audit.KindRequestChange, "complete", "request:r1"))
			m.by("pia", on(1), named(step(audit.KindRequestOpen, "access", ""), "r2"))
			m.by("pia", on(20), step(audit.KindRequestChange, "extend", "request:r2"))
			m.by("pia", on(80), step(audit.KindRequestChange, "complete", "request:r2"))
			m.by("pia", on(1), named(step(audit.KindRequestOpen, "erasure", ""), "r3"))
			m.by("pia", on(9), erased("request:r3", 0))
			m.by("pia", on(2), named(step(audit.KindRequestOpen, "restriction", ""), "r4"))
			e := step(audit.KindRestrict, "restrict", "request:r4")
			e.SubjectRefs, e.Counts = []string{"u1"}, map[string]int{"mappings": 1, "shared": 0}
			m.by("pia", on(3), e)
			m.by("pia", on(80), named(step(audit.KindRequestOpen, "access", ""), "r5")) // has time
			// Entries that say when they are due are judged by that, however long it is.
			m.asked(on(-30), "d1", "accounting", "hipaa", on(30))
			m.by("pia", on(30), step(audit.KindRequestChange, "complete", "request:d1"))
			m.asked(on(-80), "d2", "access", "ccpa", on(1))
			m.by("pia", on(-1), extended("d2", on(20)))
			m.by("pia", on(20), step(audit.KindRequestChange, "refuse", "request:d2"))
			m.asked(on(1), "d3", "restriction", "gdpr", on(2))
			e.Obligations = []string{"request:d3"}
			m.by("pia", on(2), e)
			m.asked(on(2), "d4", "access", "gdpr", on(100)) // has time
			// An older version extended it and did not say until when.
			m.asked(on(3), "d8", "access", "gdpr", on(4))
			m.by("pia", on(4), step(audit.KindRequestChange, "extend", "request:d8"))
			m.by("pia", on(5), step(audit.KindRequestChange, "complete", "request:d8"))
		},
		func(m *made) []int64 {
			late := m.by("pia", on(3), named(step(audit.KindRequestOpen, "access", ""), "r6"))
			m.by("pia", on(60), step(audit.KindRequestChange, "complete", "request:r6"))
			wrong := []int64{late, m.by("pia", on(4), named(step(audit.KindRequestOpen, "access", ""), "r7"))}
			// Each is answered so soon that without its due it would pass.
			wrong = append(wrong, m.asked(on(5), "d5", "access", "gdpr", on(6)))
			m.by("pia", on(6).Add(time.Second), step(audit.KindRequestChange, "complete", "request:d5"))
			wrong = append(wrong, m.asked(on(5), "d6", "access", "gdpr", on(6)))
			m.by("pia", on(5), extended("d6", on(8)))
			m.by("pia", on(9), step(audit.KindRequestChange, "complete", "request:d6"))
			// What restricts for an objection is not its answer.
			wrong = append(wrong, m.asked(on(70), "d7", "objection", "gdpr", on(80)))
			e := step(audit.KindRestrict, "restrict", "request:d7")
			e.SubjectRefs, e.Counts = []string{"u1"}, map[string]int{"mappings": 1, "shared": 0}
			m.by("pia", on(71), e)
			return wrong
		}, ""},
	"holds_reviewed": {2,
		func(m *made) {
			m.by("lea", on(-400), holdsAbout(audit.KindHoldPlace, "h1"))
			m.by("lea", on(10), holdsAbout(audit.KindHoldReview, "h1"))
			m.by("lea", on(-20), holdsAbout(audit.KindHoldPlace, "h2"))
			m.by("lea", on(-500), holdsAbout(audit.KindHoldPlace, "h3"))
			m.by("lea", on(1), holdsAbout(audit.KindHoldRelease, "h3"))
		},
		func(m *made) []int64 { return []int64{m.by("lea", on(-500), holdsAbout(audit.KindHoldPlace, "h4"))} }, ""},
	"retention_runs": {1,
		func(m *made) {
			m.by("gw", on(-400), tokenized("r1", "default", nil))
			e := counted(audit.KindSweep, map[string]int{"mappings": 1})
			e.Channel = "lifecycle"
			m.add(on(1), e)
			m.by("gw", on(2), tokenized("r2", "default", nil))
		},
		func(m *made) []int64 {
			m.entries = m.entries[:2]
			return []int64{1}
		}, ""},
	"log_retained": {2,
		func(m *made) {
			m.by("gw", on(-500), tokenized("r0", "default", nil))
			old := m.by("gw", on(-500), tokenized("r1", "default", nil))
			m.by("gw", on(1), tokenized("r2", "default", nil))
			e := counted(audit.KindPrune, map[string]int{"from": 0, "to": int(old) + 1})
			m.add(on(2), e)
			m.prune(old)
			m.entries[old+1].Entry.Time = on(-1) // so that nothing of the period is gone
		},
		func(m *made) []int64 {
			young := m.by("gw", on(3), tokenized("r3", "default", nil))
			m.add(on(4), counted(audit.KindPrune, map[string]int{"from": int(young), "to": int(young) + 1}))
			m.prune(young)
			nobody := m.by("gw", on(5), tokenized("r4", "default", nil))
			m.by("gw", on(6), tokenized("r5", "default", nil))
			m.prune(nobody)
			return []int64{young, nobody}
		}, ""},
	"exposure_under_agreement": {2,
		func(m *made) {
			m.by("gw", on(1), tokenized("r1", "openai/us", map[string]int{"tokenized": 1}))
			m.by("gw", on(2), tokenized("r2", "openai/us", map[string]int{"allowed": 1}))
		},
		func(m *made) []int64 {
			return []int64{
				m.by("gw", on(3), tokenized("r3", "default", map[string]int{"allowed": 1})),
				m.by("gw", on(4), tokenized("r4", "default", map[string]int{"warned": 1})),
			}
		}, ""},
	"prompts_end_with_dispatch": {1,
		func(m *made) {
			m.by("gw", on(1), tokenized("r1", "openai/us", nil))
			e := step(audit.KindDispatch, "ok", "")
			e.RequestID, e.Destination = "r1", "openai/us"
			m.by("gw", on(1), e)
		}, nil, ""},
	"incidents_notified_in_time": {4,
		func(m *made) {
			m.by("pia", on(1), named(step(audit.KindIncidentOpen, "", ""), "i1"))
			m.by("pia", on(2), step(audit.KindIncidentChange, "authority_notified", "proceeding:i1"))
			m.by("pia", on(30), step(audit.KindIncidentChange, "persons_notified", "proceeding:i1"))
			m.by("pia", on(5), named(step(audit.KindIncidentOpen, "", ""), "i2"))
			m.by("pia", on(6), step(audit.KindIncidentChange, "closed_no_risk", "proceeding:i2"))
			m.by("pia", on(91), step(audit.KindIncidentOpen, "", ""))
			m.aware(on(40), "i4", on(38))
			m.by("pia", on(40), step(audit.KindIncidentChange, "authority_notified", "proceeding:i4"))
			m.by("pia", on(90), step(audit.KindIncidentChange, "persons_notified", "proceeding:i4"))
		},
		func(m *made) []int64 {
			late := m.by("pia", on(10), named(step(audit.KindIncidentOpen, "", ""), "i3"))
			m.by("pia", on(14), step(audit.KindIncidentChange, "authority_notified", "proceeding:i3"))
			wrong := []int64{late, m.by("pia", on(20), step(audit.KindIncidentOpen, "", ""))}
			// Told a day after it was written down: three days after somebody was aware.
			wrong = append(wrong, m.aware(on(50), "i5", on(48)))
			m.by("pia", on(51), step(audit.KindIncidentChange, "authority_notified", "proceeding:i5"))
			m.by("pia", on(52), step(audit.KindIncidentChange, "closed_notified", "proceeding:i5"))
			return wrong
		}, ""},
	"suspended_nothing_restored": {5,
		func(m *made) {
			m.by("gw", on(1), restored("LLM_RESPONSE"))
			m.add(on(2), audit.Entry{Kind: audit.KindTenantSuspend, Channel: "process", Decision: audit.Allow})
			m.by("gw", on(2), audit.Entry{Kind: audit.KindRestore, Decision: audit.Deny, Code: "denied:tenant"})
			m.add(on(3), audit.Entry{Kind: audit.KindTenantResume, Channel: "process", Decision: audit.Allow})
			m.by("gw", on(4), restored("LLM_RESPONSE"))
			// One during which nothing was given back, whatever it names.
			m.suspended(on(10), "s0", nil)
			m.by("pia", on(11), step(audit.KindLiftSuspension, "", "proceeding:s0"))
			m.by("gw", on(12), restored("LLM_RESPONSE"))
			// One of end users, while values were given back to nobody's end user.
			m.suspended(on(13), "s1", map[string]int{audit.CountEndUsers: 2})
			m.by("gw", on(14), restored("LLM_RESPONSE"))
			m.by("pia", on(15), step(audit.KindLiftSuspension, "", "proceeding:s1"))
			// One after grants that had ended, by their time or their close.
			m.granted(on(16), "g1", 3600)
			m.granted(on(16), "g2", 86400)
			m.by("gw", on(16), step(audit.KindGrantClose, "ended", "grant:g2"))
			m.suspended(on(17).Add(-time.Hour), "s2", map[string]int{audit.CountCallers: 1})
			m.by("pia", on(17), step(audit.KindLiftSuspension, "", "proceeding:s2"))
			m.suspended(on(80), "s3", map[string]int{audit.CountReasons: 1}) // stands at the end
		},
		func(m *made) []int64 {
			m.add(on(5), audit.Entry{Kind: audit.KindTenantSuspend, Channel: "process", Decision: audit.Allow})
			return []int64{m.by("gw", on(6), restored("LLM_RESPONSE"))}
		}, ""},
	"log_consistent": {2,
		func(m *made) {
			m.by("gw", on(1), restored("LLM_RESPONSE"))
			m.by("gw", on(1), tokenized("r1", "openai/us", map[string]int{"tokenized": 1}))
		},
		func(m *made) []int64 {
			back := m.by("gw", on(0), restored("LLM_RESPONSE"))
			other := m.by("gw", on(2), restored("LLM_RESPONSE"))
			m.entries[other].Entry.Tenant = "globex"
			broken := m.by("gw", on(3), restored("LLM_RESPONSE"))
			m.entries[broken].Entry.HoldIDs = []string{"h1"}
			unlinked := m.by("gw", on(4), restored("LLM_RESPONSE"))
			m.entries[unlinked].Entry.Seq, m.entries[unlinked].Entry.Parts = 1, 2
			return []int64{back, other, broken, unlinked}
		}, ""},
	"replicas_stop_in_order": {3,
		func(m *made) {
			for _, replica := range []string{"cf-0", "cf-1"} {
				m.add(on(1), audit.Entry{Kind: audit.KindServiceStart, Channel: "process", Replica: replica})
			}
			m.add(on(2), audit.Entry{Kind: audit.KindServiceStop, Channel: "process", Replica: "cf-0"})
			m.add(on(3), audit.Entry{Kind: audit.KindServiceStart, Channel: "process", Replica: "cf-0"})
		},
		func(m *made) []int64 {
			return []int64{m.add(on(4), audit.Entry{Kind: audit.KindServiceStart, Channel: "process", Replica: "cf-1"})}
		}, ""},
	"failed_logins_bounded": {1,
		func(m *made) {
			m.add(on(1), counted(audit.KindAuthFailures, map[string]int{"expired": 300, "signature": 300}))
		},
		func(m *made) []int64 {
			return []int64{m.add(on(2), counted(audit.KindAuthFailures, map[string]int{"expired": 300, "signature": 301}))}
		}, ""},
	"export_current": {2,
		func(m *made) {
			m.by("gw", on(1), restored("LLM_RESPONSE"))
			young := m.by("gw", on(10), restored("LLM_RESPONSE"))
			m.facts.Export = &evidence.ExportState{Next: young, At: on(10).Add(time.Hour)}
		},
		func(m *made) []int64 {
			m.facts.Export.At = on(12)
			return []int64{m.facts.Export.Next}
		}, ""},
}

func TestEveryQueryHasACase(t *testing.T) {
	for _, q := range controls.Queries() {
		if _, has := queryCases[q.Name]; !has || q.Sentence == "" {
			t.Errorf("%s has no case, or no sentence", q.Name)
		}
	}
	if len(queryCases) != len(controls.Queries()) {
		t.Errorf("%d cases for %d queries", len(queryCases), len(controls.Queries()))
	}
}

func TestQueryPassesOnASoundLog(t *testing.T) {
	for name, c := range queryCases {
		t.Run(name, func(t *testing.T) {
			m := newLog(t).begun()
			c.sound(m)
			r := m.ask(name)
			if r.Outcome != controls.Pass || r.Population != c.population || r.Exceptions != 0 {
				t.Errorf("%s of %d with %d exceptions at %v: %s; want pass of %d", r.Outcome, r.Population, r.Exceptions, r.Entries, lines(r), c.population)
			}
		})
	}
}

// The twins: what was spoilt, and nothing else, is found.
func TestTwinQueryFailsWithExactlyTheException(t *testing.T) {
	for name, c := range queryCases {
		if c.spoil == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			m := newLog(t).begun()
			c.sound(m)
			want := c.spoil(m)
			r := m.ask(name)
			slices.Sort(want)
			if diff := cmp.Diff(want, r.Entries); r.Outcome != controls.Fail || diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", r.Outcome, lines(r), diff)
			}
			if want := max(len(want), 1); r.Exceptions != want {
				t.Errorf("%d exceptions, want %d", r.Exceptions, want)
			}
		})
	}
}

func TestNothingToLookAtIsNotTested(t *testing.T) {
	// The state of the log as a whole is looked at whenever there is one.
	always := []string{"keys_rotated_in_time"}
	for name := range queryCases {
		if r := newLog(t).ask(name); r.Outcome != controls.NotTested || r.Population != 0 {
			t.Errorf("%s of an empty log: %s of %d", name, r.Outcome, r.Population)
		}
		m := newLog(t).begun()
		m.facts.Made = on(-15)
		if r := m.ask(name); r.Outcome != controls.NotTested && !slices.Contains(always, name) {
			t.Errorf("%s before anything happened: %s of %d, %s", name, r.Outcome, r.Population, lines(r))
		}
	}
}

func TestWhatCannotBeJudgedIsPartial(t *testing.T) {
	for name, c := range map[string]struct {
		query string
		make  func(m *made)
		says  string
	}{
		"a consent that names nobody": {"consent_respected", func(m *made) {
			m.by("pia", on(1), step(audit.KindConsent, "marketing", ""))
			m.by("rob", on(2), restored("MARKETING_CONTACT", "consent:marketing"))
		}, "whose consent"},
		"one consent that names nobody, and one of another": {"consent_respected", func(m *made) {
			m.by("pia", on(1), step(audit.KindConsent, "marketing", ""))
			e := step(audit.KindConsent, "marketing", "")
			e.SubjectRefs = []string{"u1"}
			m.by("pia", on(1), e)
			given := restored("MARKETING_CONTACT", "consent:marketing")
			given.SubjectRefs = []string{"u2"}
			m.by("rob", on(2), given)
		}, "whose consent"},
		"a configured policy": {"policy_changed_by_two", func(m *made) {
			m.facts.Policies = []evidence.PolicyFile{{Version: "p2"}}
			m.add(on(1), audit.Entry{Kind: audit.KindPolicyLoad, Channel: "process", PolicyVersion: "p2"})
		}, "configured"},
		"a request of 40 days": {"requests_answered_in_time", func(m *made) {
			m.by("pia", on(1), named(step(audit.KindRequestOpen, "access", ""), "r1"))
			m.by("pia", on(41), step(audit.KindRequestChange, "complete", "request:r1"))
		}, "older version"},
		"tokens to nobody that is known": {"exposure_under_agreement", func(m *made) {
			m.by("gw", on(1), tokenized("r1", "elsewhere", nil))
		}, "does not name"},
		"a prompt without an end": {"prompts_end_with_dispatch", func(m *made) {
			m.by("gw", on(1), tokenized("r1", "openai/us", nil))
			m.by("gw", on(1), tokenized("r2", "openai/us", nil))
			e := step(audit.KindDispatch, "ok", "")
			e.RequestID, e.Destination = "r1", "openai/us"
			m.by("gw", on(1), e)
		}, "what became of it"},
		"a suspension of a part, by an older version": {"suspended_nothing_restored", func(m *made) {
			m.by("pia", on(1), step(audit.KindSuspend, "", ""))
			m.by("gw", on(2), restored("LLM_RESPONSE"))
		}, "not in the log"},
		"a suspension of callers": {"suspended_nothing_restored", func(m *made) {
			m.suspended(on(1), "s1", map[string]int{audit.CountCallers: 1})
			m.by("gw", on(2), restored("LLM_RESPONSE"))
		}, "not in the log"},
		"a suspension of end users": {"suspended_nothing_restored", func(m *made) {
			m.suspended(on(1), "s1", map[string]int{audit.CountEndUsers: 1})
			e := restored("LLM_RESPONSE")
			e.OnBehalfOf, e.EndUserAssurance = "digest-of-an-end-user", "token"
			m.by("gw", on(2), e)
		}, "not in the log"},
		"a suspension during a stream": {"suspended_nothing_restored", func(m *made) {
			m.granted(on(1), "g1", 7200)
			m.suspended(on(1).Add(time.Hour), "s1", map[string]int{audit.CountCallers: 1})
		}, "not in the log"},
		"leaves of the period that are gone": {"restorations_have_reason", func(m *made) {
			m.by("gw", on(1), restored("LLM_RESPONSE"))
			m.prune(m.by("gw", on(2), restored("LLM_RESPONSE")))
			m.by("gw", on(3), restored("LLM_RESPONSE"))
		}, "pruned"},
	} {
		m := newLog(t).begun()
		c.make(m)
		if r := m.ask(c.query); r.Outcome != controls.Partial || !strings.Contains(lines(r), c.says) {
			t.Errorf("%s: %s, %s", name, r.Outcome, lines(r))
		}
	}
}

func TestPolicyOfATenantIsJudgedByTheFacts(t *testing.T) {
	for promoter, want := range map[string]controls.Outcome{"olga": controls.Pass, "ole": controls.Fail} {
		m := newLog(t).begun()
		m.facts.Policies = []evidence.PolicyFile{{Version: "p2", Proposed: evidence.PolicyStep{By: "ole"}, Promoted: evidence.PolicyStep{By: promoter}}}
		m.add(on(1), audit.Entry{Kind: audit.KindPolicyLoad, Channel: "process", PolicyVersion: "p2"})
		m.add(on(2), audit.Entry{Kind: audit.KindPolicyLoad, Channel: "process", PolicyVersion: "p2"}) // again, by another replica
		if r := m.ask("policy_changed_by_two"); r.Outcome != want || r.Population != 1 {
			t.Errorf("promoted by %s: %s of %d, %s", promoter, r.Outcome, r.Population, lines(r))
		}
	}
}

func TestAccessIsReviewedByTenants(t *testing.T) {
	m := newLog(t).begun()
	m.facts.Tenant = "_system"
	if r := m.ask("access_review_current"); r.Outcome != controls.NotTested || !strings.Contains(lines(r), "tenant by tenant") {
		t.Errorf("of the system: %s, %s", r.Outcome, lines(r))
	}
}

func TestLogThatBeginsWithinAChange(t *testing.T) {
	m := newLog(t)
	first := m.by("gw", on(1), restored("LLM_RESPONSE"))
	m.entries[first].Entry.Seq, m.entries[first].Entry.Parts = 1, 2
	if r := m.ask("log_consistent"); r.Outcome != controls.Fail || !slices.Equal(r.Entries, []int64{first}) {
		t.Errorf("%s at %v, %s", r.Outcome, r.Entries, lines(r))
	}
}

func TestFactsThatWereNotGiven(t *testing.T) {
	for name, forget := range map[string]func(*evidence.Facts){
		"keys_rotated_in_time":     func(f *evidence.Facts) { f.KeyEpoch = 0 },
		"erasures_final_in_time":   func(f *evidence.Facts) { f.BackupHorizon = 0 },
		"exposure_under_agreement": func(f *evidence.Facts) { f.Destinations = nil },
		"export_current":           func(f *evidence.Facts) { f.Export = nil },
	} {
		m := newLog(t).begun()
		queryCases[name].sound(m)
		forget(&m.facts)
		if r := m.ask(name); r.Outcome != controls.NotTested || !strings.Contains(lines(r), "not given") {
			t.Errorf("%s: %s, %s", name, r.Outcome, lines(r))
		}
	}
}
