package vault_test

import (
	"context"
	"testing"

	"github.com/counterfoil/counterfoil/internal/token"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// TestInvariant8_ADumpDoesNotOpen: a person who was tied later to a value of a
// scope without subjects is erased. The row of a dump from before opens under none
// of the keys that stand, and the neighbour under the same key restores. Before
// the erasure, the twin, it opens.
func TestInvariant8_ADumpDoesNotOpen(t *testing.T) {
	v := vaulttest.New(t)
	ctx := context.Background()
	tokens := together(t, v, "chat",
		vault.Value{Entity: "EMAIL_ADDRESS", Value: "jane@example.com"},
		vault.Value{Entity: "EMAIL_ADDRESS", Value: "john@example.com"})
	together(t, v, "other", vault.Value{Entity: "EMAIL_ADDRESS", Value: "joe@example.com", Subject: "crm:joe"})
	link(t, v, "crm:jane", "EMAIL_ADDRESS", "jane@example.com")
	found := search(t, v, vault.SubjectSearchRequest{Subject: "crm:jane"}).Sightings[0]
	jane := must2(token.Parse(tokens[0]))(t)
	dump := must2(v.Store.Mappings(ctx, "acme", vault.MappingQuery{ScopeID: found.ScopeID, TokenIDs: []string{jane.ID}}))(t)[0]
	living := func() (ids []string) {
		t.Helper()
		stale := must2(v.Store.StaleKeys(ctx, "acme", 1<<30, 1000))(t) // every key is below that version
		for _, k := range stale {
			ids = append(ids, k.ID)
		}
		return ids
	}
	if !must2(v.Service.OpensUnder(ctx, "acme", dump, living()))(t) {
		t.Fatal("the row does not open before the erasure")
	}
	if done := erase(t, v, "crm:jane"); done.Erasure.Counts.Erased != 1 || done.Erasure.Counts.Rekeyed == 0 {
		t.Fatalf("erased: %+v", done.Erasure)
	}
	keys := living()
	if len(keys) < 3 {
		t.Fatalf("%d keys stand", len(keys))
	}
	if must2(v.Service.OpensUnder(ctx, "acme", dump, keys))(t) {
		t.Error("the row of the dump opens under a key that stands")
	}
	if got := *must2(llm(v, v.Gateway(), "chat", tokens[1]))(t).Text; got != "john@example.com" {
		t.Errorf("the neighbour is %q", got)
	}
}
