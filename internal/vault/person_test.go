package vault_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

func officer() vault.Call { return vaulttest.Call("pia", "privacy_officer") }

func search(t *testing.T, v *vaulttest.Vault, req vault.SubjectSearchRequest) vault.SubjectSearchResult {
	t.Helper()
	return must2(v.Service.SearchSubjects(context.Background(), officer(), req))(t)
}

// TestSearchForAPerson: by name of the caller's and by value, however it was
// written, in every scope; the entry says how much was found, and not of whom.
func TestSearchForAPerson(t *testing.T) {
	v := vaulttest.New(t)
	about(t, v, "chat", "crm:jane", "EMAIL_ADDRESS", "jane@example.com")
	about(t, v, "chat", "crm:jane", "PHONE_NUMBER", "+1 212 555 0187")
	v.Clock.Advance(25 * time.Hour)
	tokenizeValue(t, v, v.Gateway(), "letters", "EMAIL_ADDRESS", "Jane@Example.com") // nobody is named
	about(t, v, "letters", "crm:john", "PERSON", "Jane Doe")
	from := head(t, v)

	byName := search(t, v, vault.SubjectSearchRequest{Subject: "crm:jane"})
	if len(byName.Sightings) != 2 || len(byName.SubjectRefs) != 1 || byName.Ambiguous || byName.More {
		t.Fatalf("by name: %+v", byName)
	}
	e := one(t, v, from)
	if e.Kind != audit.KindSubjectSearch || e.Counts["mappings"] != 2 || e.Counts["scopes"] != 1 || len(e.SubjectRefs) != 1 || e.Actor != "pia" {
		t.Errorf("the entry is %+v", e)
	}
	byValue := search(t, v, vault.SubjectSearchRequest{Identifiers: []vault.Identifier{{Entity: "EMAIL_ADDRESS", Value: "JANE@example.COM"}}})
	if len(byValue.Sightings) != 2 || byValue.SubjectRefs[0] != byName.SubjectRefs[0] || byValue.Ambiguous {
		t.Errorf("by value: %+v", byValue)
	}
	expired := 0
	for _, one := range byValue.Sightings {
		expired += one.Expired
		if one.Entity != "EMAIL_ADDRESS" || one.Mappings != 1 || one.Kind != vault.ScopeConversation || !one.First.Equal(one.Last) {
			t.Errorf("found %+v", one)
		}
	}
	if expired != 1 {
		t.Errorf("%d are expired, want 1", expired)
	}
	if both := search(t, v, vault.SubjectSearchRequest{
		Subject: "crm:jane", Identifiers: []vault.Identifier{{Entity: "EMAIL_ADDRESS", Value: "jane@example.com"}},
	}); len(both.Sightings) != 3 {
		t.Errorf("by both: %+v", both.Sightings)
	}
	if name := search(t, v, vault.SubjectSearchRequest{Identifiers: []vault.Identifier{{Entity: "PERSON", Value: "jane doe"}}}); !name.Ambiguous || len(name.Sightings) != 1 {
		t.Errorf("by a name: %+v", name)
	}
	if nobody := search(t, v, vault.SubjectSearchRequest{Subject: "crm:nobody"}); len(nobody.Sightings)+len(nobody.SubjectRefs) != 0 || nobody.Audit == nil {
		t.Errorf("nobody: %+v", nobody)
	}
	entries, err := v.Store.Entries(context.Background(), "acme", vault.EntryQuery{HasCursor: true, Cursor: from - 1, Limit: 100})
	if err != nil || len(entries) != 5 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	for _, e := range entries {
		for _, told := range []string{"crm", "jane", "JANE", "doe"} {
			if bytes.Contains(e.Leaf, []byte(told)) {
				t.Errorf("the entry tells %q: %s", told, e.Leaf)
			}
		}
	}
}

func TestSearchesAreChecked(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	for field, req := range map[string]vault.SubjectSearchRequest{
		"/":                     {},
		"/subject":              {Subject: "a\x00"},
		"/identifiers/0/entity": {Identifiers: []vault.Identifier{{Entity: "X", Value: "x"}}},
		"/identifiers":          {Identifiers: make([]vault.Identifier, vault.MaxIdentifiers+1)},
	} {
		_, err := v.Service.SearchSubjects(ctx, officer(), req)
		wantField(t, err, field)
	}
	for _, call := range []vault.Call{v.Gateway(), v.Auditor(), counsel(), vaulttest.Call("op", "operator")} {
		from := head(t, v)
		if _, err := v.Service.SearchSubjects(ctx, call, vault.SubjectSearchRequest{Subject: "crm:jane"}); vault.CodeOf(err) != vault.CodeDenied {
			t.Errorf("%v searches: %v", call.Caller.Roles, err)
		}
		if e := one(t, v, from); e.Code != "denied:subject_search" {
			t.Errorf("%v: the entry is %+v", call.Caller.Roles, e)
		}
	}
}
