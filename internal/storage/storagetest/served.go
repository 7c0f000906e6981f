package storagetest

import (
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Served makes a change with the entry that a gateway's request leaves, which has all
// that entries of every day are searched by. Benchmarks commit these.
func Served(t testing.TB, tenant string, effect vault.Effect) vault.Change {
	t.Helper()
	return changeWith(t, tenant, effect, audit.Entry{
		Kind: kindOf(effect), Actor: "svc-1", Decision: audit.Allow, Channel: "api",
		Client:     audit.Client{ClientID: "svc-1", JTIDigest: strings.Repeat("1f", 16)},
		OnBehalfOf: strings.Repeat("ab", 16), Destination: "vendor:eu", RequestID: "r_" + vault.NewID(),
		PolicyVersion: strings.Repeat("5a", 32), RuleIDs: []string{"p12"}, Replica: "cf-0",
		ScopeRefs: []string{"s_5JX0"}, Entities: map[string]int{"PERSON": 3},
		Obligations: []string{"class:confidential"}, Results: map[string]int{"new": 3},
	})
}
