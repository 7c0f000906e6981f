package vault

import (
	"testing"
	"time"
)

// TestClocks: one calendar month is not thirty days, and an extension counts from
// receipt.
func TestClocks(t *testing.T) {
	day := func(text string) time.Time {
		at, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, tt := range []struct {
		kind                          RequestKind
		regime, received, due, longer string
	}{
		{RequestAccess, "gdpr", "2026-01-15", "2026-02-15", "2026-04-15"},
		{RequestErasure, "gdpr", "2026-02-28", "2026-03-28", "2026-05-28"},
		{RequestErasure, "gdpr", "2026-01-31", "2026-02-28", "2026-04-30"},
		{RequestAccess, "gdpr", "2028-01-31", "2028-02-29", "2028-04-30"},
		{RequestObjection, "gdpr", "2026-12-31", "2027-01-31", "2027-03-31"},
		{RequestAccess, "ccpa", "2026-01-01", "2026-02-15", "2026-04-01"},
		{RequestAccess, "hipaa", "2026-01-01", "2026-01-31", "2026-03-02"},
		{RequestAccounting, "hipaa", "2026-01-01", "2026-03-02", "2026-04-01"},
	} {
		if got := dueAt(tt.kind, tt.regime, day(tt.received)); !got.Equal(day(tt.due)) {
			t.Errorf("%s under %s of %s is due %s, want %s", tt.kind, tt.regime, tt.received, got.Format(time.DateOnly), tt.due)
		}
		if got := extendedDue(tt.kind, tt.regime, day(tt.received)); !got.Equal(day(tt.longer)) {
			t.Errorf("%s under %s of %s, extended, is due %s, want %s", tt.kind, tt.regime, tt.received, got.Format(time.DateOnly), tt.longer)
		}
	}
}
