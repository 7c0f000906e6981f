package audit_test

import (
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// A time among counts survives the leaf, to the second.
func TestInstantSurvivesTheLeaf(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 30, 15, 999_999_000, time.FixedZone("CET", 3600))
	e := audit.Entry{
		Kind: audit.KindIncidentOpen, Tenant: "acme", Actor: "pia", Client: audit.Client{ClientID: "console"}, Decision: audit.Allow,
		Reference: "INC-1", ChangeID: "c1", Channel: "api", Environment: "test", PolicyVersion: "p1", Replica: "cf-0",
	}
	if !e.Instant(audit.CountAwareAt).IsZero() {
		t.Error("an entry without the count has a time")
	}
	e.SetInstant(audit.CountAwareAt, at)
	parts, err := audit.Link(e)
	if err != nil {
		t.Fatal(err)
	}
	leaves, err := audit.Finalise(parts, at.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	back, err := audit.ParseLeaf(leaves[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := audit.CheckKind(&back); err != nil {
		t.Error(err)
	}
	if got, want := back.Instant(audit.CountAwareAt), at.UTC().Truncate(time.Second); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if !back.Instant(audit.CountDueAt).IsZero() {
		t.Error("another time is there")
	}
}

// What was written before there were these counts and obligations stays valid, and
// says no time.
func TestEntriesFromBeforeTheCountsStayValid(t *testing.T) {
	for kind, code := range map[audit.Kind]string{
		audit.KindIncidentOpen: "", audit.KindRequestOpen: "access", audit.KindRequestChange: "extend", audit.KindSuspend: "",
		audit.KindConsent: "marketing", audit.KindWithdrawConsent: "", audit.KindSubjectLink: "",
	} {
		e := audit.Entry{
			V: audit.Version, Kind: kind, Tenant: "acme", Actor: "pia", Client: audit.Client{ClientID: "console"}, Decision: audit.Allow, Code: code,
			Reference: "R-1", ChangeID: "c1", Channel: "api", Environment: "test", PolicyVersion: "p1", Replica: "cf-0",
			Time: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC),
		}
		switch kind {
		case audit.KindRequestChange:
			e.Obligations = []string{"request:r1"}
		case audit.KindWithdrawConsent:
			e.Obligations = []string{"proceeding:p1"}
		case audit.KindSubjectLink:
			e.SubjectRefs, e.Counts, e.Decision = []string{"u1"}, map[string]int{"mappings": 0}, ""
		}
		if err := audit.CheckKind(&e); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if at := e.Instant(audit.CountDueAt); !at.IsZero() {
			t.Errorf("%s is due at %v", kind, at)
		}
	}
}
