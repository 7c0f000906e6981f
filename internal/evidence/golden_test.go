package evidence_test

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

const (
	rob = "rob"
	amy = "amy"
)

// told is a log in which everything happens once or twice, near the edges of July.
func told(t testing.TB) *log {
	l := newLog(t)
	l.on(-9, 0).add(audit.Entry{Kind: audit.KindTenantCreate, KeyIDs: []string{"k1", "k2"}, ChangeID: "made"})
	l.on(-8, 0).add(audit.Entry{Kind: audit.KindHoldPlace, ChangeID: "hold1", HoldIDs: []string{"hold1"}, Actor: "lea", Reference: "ORDER-1", Counts: map[string]int{"subjects": 1, "scopes": 0}})
	l.on(-7, 0).add(audit.Entry{Kind: audit.KindHoldPlace, ChangeID: "hold2", HoldIDs: []string{"hold2"}, Actor: "lea", Reference: "ORDER-2"})
	l.on(-6, 0).add(audit.Entry{Kind: audit.KindHoldRelease, HoldIDs: []string{"hold2"}, Actor: "liz", Reference: "ORDER-3"})
	l.on(-5, 0).add(audit.Entry{Kind: audit.KindRestore, ChangeID: "glass1", Actor: "olga", Reason: "BREAK_GLASS", Tokens: tokens(1), Obligations: []string{"review_hours:72"}})
	l.on(-4, 0).add(audit.Entry{Kind: audit.KindReviewClose, Actor: "ann", Code: "justified", Obligations: naming("proceeding:", "glass1")})
	l.on(0, 12).add(audit.Entry{Kind: audit.KindRestore, ChangeID: "glass2", Actor: "olga", Reason: "BREAK_GLASS", Reference: "INC-1", Tokens: tokens(2), Obligations: []string{"form:full", "review_hours:72"}})
	l.on(0, 13).add(audit.Entry{Kind: audit.KindApprovalRequest, ChangeID: "ask0", Code: "restore", Reason: "CUSTOMER_SUPPORT", Reference: "T-1", Actor: rob, Counts: map[string]int{"approvals": 2, "tokens": 1}})
	l.on(0, 14).add(audit.Entry{Kind: audit.KindApprovalRequest, ChangeID: "old", Code: "erase", Reference: "T-0", Actor: rob, Counts: map[string]int{"approvals": 1, "tokens": 0}})
	l.on(0, 15).add(audit.Entry{Kind: audit.KindIncidentOpen, ChangeID: "inc1", Actor: "pia", Reference: "INC-1"})
	l.on(0, 16).add(audit.Entry{Kind: audit.KindConsent, ChangeID: "yes1", Actor: "pia", Code: "marketing", Reference: "FORM-1"}) // names nobody, as older ones
	persons(l)

	restorations(l)
	answers(l)
	governance(l)
	custody(l)

	// What comes after the period changes nothing.
	l.on(32, 0).add(audit.Entry{Kind: audit.KindRestore, Actor: "late", Reason: "LLM_RESPONSE", Tokens: tokens(3)})
	l.add(audit.Entry{Kind: audit.KindReviewClose, Actor: "ann", Code: "justified", Obligations: naming("proceeding:", "glass3")})
	l.add(audit.Entry{Kind: audit.KindHoldRelease, HoldIDs: []string{"hold1"}, Actor: "liz", Reference: "ORDER-9"})
	return l
}

func restorations(l *log) {
	user := audit.Client{ClientID: "gw"}
	l.on(1, 0).add(audit.Entry{
		Kind: audit.KindTokenize, Actor: "gw", Client: user, Destination: "openai/us", RequestID: "req-1", Entities: map[string]int{"PERSON": 2, "DATE_TIME": 2},
		Results: map[string]int{"tokenized": 2, "allowed": 1, "warned": 1}, Obligations: []string{"class:internal", "destination:anthropic/eu"}, Tokens: tokens(2),
	})
	l.add(audit.Entry{Kind: audit.KindTokenize, Decision: audit.Deny, Code: "invalid", Destination: "openai/us", Actor: "gw", Client: user, Entities: map[string]int{"US_SSN": 1}, Results: map[string]int{"blocked": 1}})
	l.on(1, 1).add(audit.Entry{Kind: audit.KindDispatch, RequestID: "req-1", Destination: "openai/us", Model: "gpt-5", Code: "ok", Reference: "v-1", Counts: map[string]int{"latency_ms": 900, "input_tokens": 10}, Actor: "gw"})
	l.on(1, 2).add(audit.Entry{Kind: audit.KindDispatch, RequestID: "req-2", Destination: "openai/us", Model: "gpt-5", Code: "timeout", Counts: map[string]int{"latency_ms": 100}, Actor: "gw"})
	l.on(2, 0).add(audit.Entry{
		Kind: audit.KindRestore, ChangeID: "plain", Actor: "gw", Client: user, OnBehalfOf: "digest-of-user-1", Reason: "LLM_RESPONSE", RequestID: "req-3",
		Tokens: tokens(2), Entities: map[string]int{"PERSON": 2}, Results: map[string]int{"restored": 2}, Obligations: []string{"form:full"},
	})
	l.add(audit.Entry{Kind: audit.KindRestore, ReplayOf: "plain", Actor: "gw", Client: user, OnBehalfOf: "digest-of-user-1", Reason: "LLM_RESPONSE", Tokens: tokens(2), Entities: map[string]int{"PERSON": 2}})
	l.add(audit.Entry{Kind: audit.KindRestore, Decision: audit.Partial, Actor: "gw", Client: user, Reason: "LLM_RESPONSE", Tokens: tokens(1), Entities: map[string]int{"US_SSN": 1}, Results: map[string]int{"restored": 1, "unknown": 1}})
	l.add(audit.Entry{Kind: audit.KindIntegrityFailure, Obligations: naming("intent:", "plain"), Tokens: tokens(1), Actor: "gw"})
	l.on(3, 0).add(audit.Entry{Kind: audit.KindRestore, ChangeID: "big", Actor: "lea", Reason: "LEGAL_DISCOVERY", Tokens: tokens(2500), Entities: map[string]int{"PERSON": 2500}})
	l.on(4, 0).add(audit.Entry{Kind: audit.KindGrant, ChangeID: "grant", Actor: "gw", Client: user, Reason: "LLM_RESPONSE", Tokens: tokens(3), Entities: map[string]int{"PERSON": 3}, Counts: map[string]int{"ttl_seconds": 60}})
	l.add(audit.Entry{Kind: audit.KindGrantFlush, Actor: "gw", Tokens: tokens(2), Obligations: naming("grant:", "grant")})
	l.add(audit.Entry{Kind: audit.KindGrantClose, Actor: "gw", Code: "ended", Obligations: naming("grant:", "grant")})
	l.on(5, 0).add(audit.Entry{Kind: audit.KindRestore, Decision: audit.Deny, Actor: "gw", Client: user, Reason: "LLM_RESPONSE", Code: "denied:suspended", Results: map[string]int{"restored": 1}})
	l.add(audit.Entry{Kind: audit.KindRestore, Decision: audit.Deny, Actor: "gw", Client: user, Reason: "LLM_RESPONSE", Results: map[string]int{"suspended": 1, "unknown": 2}})
	l.add(audit.Entry{Kind: audit.KindRequestRefused, Decision: audit.Deny, Actor: "sue", Code: "denied:erase", Counts: map[string]int{"denials": 7}})
}

func governance(l *log) {
	say := func(who, code, id string) {
		l.add(audit.Entry{Kind: audit.KindApprovalDecide, Actor: who, Code: code, Obligations: naming("proceeding:", id)})
	}
	l.on(6, 0)
	say(amy, "approve", "ask0")
	l.on(6, 1)
	say("abe", "approve", "ask0")
	l.on(6, 2).add(audit.Entry{Kind: audit.KindRestore, Actor: rob, Reason: "CUSTOMER_SUPPORT", Reference: "T-1", Tokens: tokens(1), Entities: map[string]int{"CREDIT_CARD": 1}, Obligations: []string{"form:full", "proceeding:ask0"}})
	l.on(7, 0).add(audit.Entry{Kind: audit.KindApprovalRequest, ChangeID: "ask1", Code: "policy_promotion", Reference: "T-2", Actor: "ole", Counts: map[string]int{"approvals": 1, "tokens": 0}})
	l.on(7, 3)
	say(amy, "approve", "ask1")
	l.on(7, 4)
	say("ole", "redeem", "ask1")
	l.on(8, 0).add(audit.Entry{Kind: audit.KindApprovalRequest, ChangeID: "ask2", Code: "erase", Reference: "T-3", Actor: rob, Counts: map[string]int{"approvals": 1, "tokens": 0}})
	l.on(8, 1)
	say(amy, "reject", "ask2")
	// One that was used without enough others, which no service writes.
	l.on(8, 2).add(audit.Entry{Kind: audit.KindApprovalRequest, ChangeID: "ask3", Code: "erase", Reference: "T-4", Actor: rob, Counts: map[string]int{"approvals": 1, "tokens": 0}})
	l.on(8, 3)
	say(rob, "approve", "ask3")
	l.on(8, 4).add(audit.Entry{Kind: audit.KindErase, ChangeID: "erase3", Actor: rob, Obligations: []string{"identity:passport", "proceeding:ask3"}, KeyIDs: []string{"k7"}, Counts: map[string]int{"erased": 3, "deferred": 0, "shared": 1, "keys": 1, "rekeyed": 0}})
	l.on(9, 0).add(audit.Entry{Kind: audit.KindReviewClose, Actor: "ann", Code: "policy_gap", Reference: "R-1", Obligations: naming("proceeding:", "glass2")})
	l.on(30, 0).add(audit.Entry{Kind: audit.KindRestore, ChangeID: "glass3", Actor: "olga", Reason: "BREAK_GLASS", Tokens: tokens(1), Obligations: []string{"review_hours:72"}})
	l.add(audit.Entry{Kind: audit.KindAccessReview, Actor: "ann", Reference: "R-2", Counts: map[string]int{"keep": 3, "revoke": 1}})
	l.add(audit.Entry{Kind: audit.KindPolicyPropose, Actor: "ole", Code: "PR-1", Reference: "v2"})
	l.add(audit.Entry{Kind: audit.KindPolicyChange, Actor: "olga", Code: "promote", Reference: "CHG-1", Obligations: []string{"version:v2", "proceeding:x"}})
	l.add(audit.Entry{Kind: audit.KindPolicyLoad, Decision: audit.Allow, PolicyVersion: "v2"})
	l.on(30, 1).add(audit.Entry{Kind: audit.KindIncidentChange, Actor: "pia", Code: "authority_notified", Reference: "L-1", Obligations: naming("proceeding:", "inc1"), PolicyVersion: "v2"})
	l.on(30, 2).add(audit.Entry{Kind: audit.KindIncidentChange, Actor: "pia", Code: "closed_notified", Reference: "L-2", Obligations: naming("proceeding:", "inc1")})
	l.on(30, 3).add(audit.Entry{Kind: audit.KindSuspend, ChangeID: "stop", Actor: "pia", Reference: "INC-2", Counts: map[string]int{audit.CountReasons: 1, audit.CountCallers: 2}})
	l.on(30, 5).add(audit.Entry{Kind: audit.KindLiftSuspension, Actor: "pia", Reference: "INC-2", Obligations: naming("proceeding:", "stop")})
	l.on(30, 6).add(audit.Entry{Kind: audit.KindTenantSuspend, ChangeID: "down"})
	l.on(30, 7).add(audit.Entry{Kind: audit.KindWithdrawConsent, Actor: "pia", Reference: "CALL-1", Obligations: naming("proceeding:", "yes1"), SubjectRefs: []string{"subject-2"}})
}

// persons are requests, consents and incidents whose entries tell their clocks.
func persons(l *log) {
	at := func(day int) map[string]int {
		return map[string]int{audit.CountDueAt: int(july.From.AddDate(0, 0, day-1).Unix())}
	}
	open := func(id, kind, regime string, due int) {
		l.add(audit.Entry{
			Kind: audit.KindRequestOpen, ChangeID: id, Code: kind, Reference: "DSAR-" + id, Actor: "pia",
			Obligations: naming(audit.ObligationRegime, regime), Counts: at(due),
		})
	}
	step := func(kind audit.Kind, code, id string, counts map[string]int) {
		l.add(audit.Entry{Kind: kind, Code: code, Actor: "pia", Obligations: naming("request:", id), Counts: counts})
	}
	l.on(0, 17)
	open("late", "access", "hipaa", 5)
	open("more", "access", "gdpr", 5)
	open("kept", "restriction", "gdpr", 5)
	open("asks", "objection", "ccpa", 20)
	open("time", "accounting", "hipaa", 50)
	l.on(0, 18)
	step(audit.KindRequestChange, "extend", "more", at(45))
	step(audit.KindRestrict, "restrict", "kept", map[string]int{"mappings": 1, "shared": 0})
	step(audit.KindRestrict, "restrict", "asks", map[string]int{"mappings": 1, "shared": 0})
	l.on(0, 19).add(audit.Entry{
		Kind: audit.KindIncidentOpen, ChangeID: "inc2", Actor: "pia", Reference: "INC-7", Counts: map[string]int{audit.CountAwareAt: int(july.From.AddDate(0, 0, -3).Unix())},
	})
	l.on(0, 20).add(audit.Entry{Kind: audit.KindConsent, ChangeID: "yes2", Actor: "pia", Code: "research", Reference: "FORM-2", SubjectRefs: []string{"subject-1"}})
}

// answers are what became of them.
func answers(l *log) {
	step := func(code, id string) {
		l.add(audit.Entry{Kind: audit.KindRequestChange, Code: code, Actor: "pia", Obligations: naming("request:", id)})
	}
	l.on(5, 1)
	step("complete", "late")
	l.on(5, 2)
	step("complete", "more")
}

func custody(l *log) {
	l.on(30, 8).add(audit.Entry{Kind: audit.KindHoldReview, HoldIDs: []string{"hold1"}, Actor: "lea"})
	l.add(audit.Entry{Kind: audit.KindRequestOpen, ChangeID: "dsar1", Code: "access", Reference: "DSAR-1", Actor: "pia"})
	l.on(30, 9).add(audit.Entry{Kind: audit.KindRequestChange, Code: "identity", Obligations: naming("request:", "dsar1"), Actor: "pia"})
	l.on(30, 10).add(audit.Entry{Kind: audit.KindRequestChange, Code: "complete", Obligations: naming("request:", "dsar1"), Actor: "pia"})
	l.add(audit.Entry{Kind: audit.KindRequestOpen, ChangeID: "dsar2", Code: "erasure", Reference: "DSAR-2", Actor: "pia"})
	l.on(30, 11).add(audit.Entry{Kind: audit.KindErase, Actor: "pia", Reference: "DSAR-2", Obligations: []string{"request:dsar2", "identity:passport"}, KeyIDs: []string{"k8", "k9"}, Counts: map[string]int{"erased": 5, "deferred": 2, "shared": 0, "keys": 2, "rekeyed": 4}})
	l.on(30, 12).add(audit.Entry{Kind: audit.KindErase, Channel: "lifecycle", Reference: "DSAR-2", Obligations: naming("request:", "dsar2"), KeyIDs: []string{"k10"}, Counts: map[string]int{"erased": 2, "deferred": 0, "shared": 0, "keys": 1, "rekeyed": 0}})
	l.on(30, 13).add(audit.Entry{Kind: audit.KindKeyRotate, Channel: "keys", Counts: map[string]int{"min_wrap_version": 2}})
	l.add(audit.Entry{Kind: audit.KindKeyRewrap, Channel: "keys", KeyIDs: []string{"k11"}, Counts: map[string]int{"keys": 1, "oldest_wrap_version": 1}})
	l.on(30, 14).add(audit.Entry{Kind: audit.KindKeyRetire, Channel: "keys", Counts: map[string]int{"retired_below": 2}})
	l.on(30, 15).add(audit.Entry{Kind: audit.KindFinality, Channel: "keys", Counts: map[string]int{"retired_below": 2, "erasures": 2}})
	l.on(30, 16).add(audit.Entry{Kind: audit.KindErase, ChangeID: "erase9", Actor: "pia", Reference: "DSAR-3", KeyIDs: nil, Counts: map[string]int{"erased": 0, "deferred": 0, "shared": 0, "keys": 0, "rekeyed": 0}})
	l.add(audit.Entry{Kind: audit.KindLogRotate, KeyIDs: []string{"k1", "k12"}, Counts: map[string]int{"version": 2}})
	l.add(audit.Entry{Kind: audit.KindSweep, Channel: "lifecycle", Counts: map[string]int{"mappings": 4, "keys": 1}, KeyIDs: []string{"k13"}})
	l.add(audit.Entry{Kind: audit.KindSweep, Channel: "lifecycle", Counts: map[string]int{"mappings": 2, "keys": 0}})
	l.add(audit.Entry{Kind: audit.KindPrune, Reference: "ARCHIVE-1", Counts: map[string]int{"from": 2, "to": 12}})
	l.add(audit.Entry{Kind: audit.KindServiceStart})
	l.add(audit.Entry{Kind: audit.KindAuthFailures, Counts: map[string]int{"expired": 3, "signature": 2}})
	l.add(audit.Entry{Kind: audit.KindServiceStop})
}

// toldFacts go with told.
func toldFacts() evidence.Facts {
	at := func(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
	return evidence.Facts{
		Tenant: "acme", Origin: origin, ToolVersion: "test", Made: july.To, Current: "v2", KeyBackups: 24 * time.Hour,
		Policies: []evidence.PolicyFile{{Version: "v1", Since: at(2026), Packed: []byte("tar")}, {Version: "v2", Diff: []string{"a rule more"}}},
		Matrix:   &evidence.Table{Columns: []evidence.Column{{Name: "role", Title: "Role"}}, Rows: [][]string{{"gateway"}}},
		Destinations: []evidence.Destination{
			{Name: "anthropic/eu", Vendor: "Anthropic", Region: "eu", DPA: evidence.Agreement{Ref: "DPA-1", From: at(2026), To: at(2027)}, Requires: []string{"dpa"}},
			{Name: "old/us", Vendor: "Old", Region: "us", BAA: evidence.Agreement{Ref: "BAA-1", From: at(2025), To: at(2026)}, Requires: []string{"baa"}},
		},
		Retention: []evidence.RetentionSetting{{Class: "internal", For: time.Hour}},
		Records:   []evidence.RecordSetting{{Record: "the log", For: "for ever"}},
	}
}

// TestTables draws every table of a log that is small enough to be read, and compares
// them with what somebody read. COUNTERFOIL_WRITE=1 writes them anew.
func TestTables(t *testing.T) {
	const path = "testdata/tables.golden"
	got := drawn(told(t).built(toldFacts()))
	if os.Getenv("COUNTERFOIL_WRITE") == "1" {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the tables changed: %s", diff)
	}
}
