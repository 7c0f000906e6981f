package wraptest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

func TestMemoryConforms(t *testing.T) {
	Run(t, func(*testing.T) envelope.KeyWrapper { return NewMemory() })
}

// TestTwinEveryClauseGoesRed breaks one promise at a time and sees the clause
// that guards it fail. A clause that no fault turns red fails the test.
func TestTwinEveryClauseGoesRed(t *testing.T) {
	byName := map[string]clause{}
	var unproven []string
	for _, c := range clauses() {
		byName[c.name] = c
		if !slices.ContainsFunc(faults(), func(f fault) bool { return f.red == c.name }) {
			unproven = append(unproven, c.name)
		}
	}
	if diff := cmp.Diff([]string(nil), unproven); diff != "" {
		t.Errorf("clauses without a fault that turns them red (-want +got):\n%s", diff)
	}
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			b := &broken{Memory: NewMemory()}
			f.build(b)
			err := byName[f.red].check(t.Context(), b)
			if err == nil {
				t.Errorf("the clause %q does not notice", f.red)
			}
			t.Log(err)
		})
	}
}
