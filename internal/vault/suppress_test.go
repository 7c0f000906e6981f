package vault_test

import (
	"context"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// TestInvariant8_SuppressedIsMasked: an old history that is sent again after an
// erasure is masked for as long as was asked, before and after the sweep; a name
// that many share only where it was.
func TestInvariant8_SuppressedIsMasked(t *testing.T) {
	for suppress, want := range map[string]struct{ soon, later string }{
		"none":    {"tokenized", "tokenized"},
		"30d":     {"<EMAIL_ADDRESS>", "tokenized"},
		"forever": {"<EMAIL_ADDRESS>", "<EMAIL_ADDRESS>"},
	} {
		t.Run(suppress, func(t *testing.T) {
			v := vaulttest.New(t)
			ctx := context.Background()
			put := func(scope, entity, value string) string {
				t.Helper()
				got := together(t, v, scope, vault.Value{Entity: entity, Value: value})[0]
				if got[0] == '[' {
					return "tokenized"
				}
				return got
			}
			together(t, v, "chat",
				vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com", Subject: "crm:jane"},
				vault.Value{Entity: "PERSON", Value: "Jane Doe", Subject: "crm:jane"})
			req := erasure(v, "crm:jane")
			req.Suppress = suppress
			must2(v.Service.EraseSubject(ctx, officer(), req))(t)
			inScope := "<PERSON>"
			if suppress == "none" {
				inScope = "tokenized"
			}
			for _, swept := range []bool{false, true} {
				if swept {
					if err := v.Worker.Sweep(ctx); err != nil {
						t.Fatal(err)
					}
				}
				for _, c := range []struct{ scope, entity, value, want string }{
					{"chat", "EMAIL_ADDRESS", "Jane@Example.com", want.soon},
					{"other", "EMAIL_ADDRESS", "jane@example.com", want.soon},
					{"chat", "PERSON", "jane doe", inScope},
					{"other", "PERSON", "Jane Doe", "tokenized"},
					{"chat", "EMAIL_ADDRESS", "john@example.com", "tokenized"},
				} {
					if got := put(c.scope, c.entity, c.value); got != c.want {
						t.Errorf("swept %t: %s %q in %s is %s, want %s", swept, c.entity, c.value, c.scope, got, c.want)
					}
				}
			}
			v.Clock.Advance(30*24*time.Hour + time.Second)
			if got := put("late", "EMAIL_ADDRESS", "jane@example.com"); got != want.later {
				t.Errorf("after thirty days it is %s, want %s", got, want.later)
			}
			if _, err := v.Service.ForgetSuppressions(ctx, "acme"); err != nil {
				t.Fatal(err)
			}
			if got := put("later", "EMAIL_ADDRESS", "jane@example.com"); got != want.later {
				t.Errorf("after they were forgotten it is %s, want %s", got, want.later)
			}
		})
	}
}

// TestRecordsAreSwept: a request with its notes after two years, and a person
// whom nothing is about any more.
func TestRecordsAreSwept(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	together(t, v, "chat", vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com", Subject: "crm:jane"})
	r := opened(t, v, intake(v, vault.RequestAccess, "crm:jane"))
	must2(v.Service.NoteOnRequest(ctx, officer(), r.ID, "Jane called."))(t)
	sweep := func() {
		t.Helper()
		for range 10 {
			must2(v.Service.SweepRecords(ctx, "acme"))(t)
			must2(v.Service.Sweep(ctx, "acme"))(t)
		}
	}
	v.Clock.Advance(365 * 24 * time.Hour)
	sweep()
	if found := search(t, v, vault.SubjectSearchRequest{Subject: "crm:jane"}); len(found.SubjectRefs) != 0 {
		t.Errorf("a person of whom there is nothing is known still: %+v", found)
	}
	must2(v.Service.CompleteRequest(ctx, officer(), r.ID, false))(t)
	v.Clock.Advance(729 * 24 * time.Hour)
	sweep()
	if notes := must2(v.Service.NotesOfRequest(ctx, officer(), r.ID))(t); len(notes.Notes) != 1 {
		t.Errorf("%d notes before their time", len(notes.Notes))
	}
	v.Clock.Advance(2 * 24 * time.Hour)
	sweep()
	if _, err := v.Service.SubjectRequest(ctx, officer(), r.ID); vault.CodeOf(err) != vault.CodeNotFound {
		t.Errorf("after two years: %v", err)
	}
	report := must2(v.Service.RetentionReport(ctx, v.Auditor()))(t)
	if report.Inventory.DataKeys != 0 || report.Inventory.Subjects != 0 || report.Inventory.RequestsClosed != 0 || report.LastSweep.IsZero() {
		t.Errorf("what is left: %+v", report)
	}
}
