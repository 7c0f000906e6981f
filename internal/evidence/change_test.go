package evidence_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
)

// counts walks a log and says how many changes and restorations it has.
func counts(t *testing.T, l *log) (changes, restorations int, tokens []int) {
	t.Helper()
	err := l.source().Changes(func(c *evidence.Change) error {
		changes++
		if c.Restoration() {
			restorations++
			tokens = append(tokens, len(c.Entry.Tokens))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return changes, restorations, tokens
}

// TestLinkedPartsAreOne shows that a change of several entries is one restoration,
// and the twin: that its parts are not restorations of their own where the first of
// them is gone, nor are they taken for parts of what stands before them.
func TestLinkedPartsAreOne(t *testing.T) {
	l := newLog(t)
	l.on(1, 0).add(audit.Entry{Kind: audit.KindRestore, ChangeID: "small", Tokens: tokens(5)})
	l.add(audit.Entry{Kind: audit.KindRestore, ChangeID: "big", Tokens: tokens(2500), Entities: map[string]int{"PERSON": 2500}})
	l.add(audit.Entry{Kind: audit.KindRestore, ChangeID: "after", Tokens: tokens(1)})
	changes, restorations, sizes := counts(t, l)
	if diff := cmp.Diff([]int{5, 2500, 1}, sizes); changes != 3 || restorations != 3 || diff != "" {
		t.Errorf("%d changes, %d restorations: %s", changes, restorations, diff)
	}
	l.entries[1].Leaf, l.entries[1].Entry = nil, audit.Entry{} // pruned
	changes, restorations, sizes = counts(t, l)
	if diff := cmp.Diff([]int{5, 1}, sizes); changes != 4 || restorations != 2 || diff != "" {
		t.Errorf("of one that lost its first entry: %d changes, %d restorations: %s", changes, restorations, diff)
	}
	l.entries = append(l.entries[:1:1], l.entries[2:]...)
	if _, restorations, _ = counts(t, l); restorations != 2 {
		t.Errorf("a part was joined to another change: %d restorations", restorations)
	}
}

// TestDefinition tells each kind of change that looks like a restoration from those
// that are.
func TestDefinition(t *testing.T) {
	for name, is := range map[string]struct {
		entry       audit.Entry
		restoration bool
		denials     int
	}{
		"allowed":          {audit.Entry{Kind: audit.KindRestore, Decision: audit.Allow}, true, 0},
		"in part":          {audit.Entry{Kind: audit.KindRestore, Decision: audit.Partial}, true, 0},
		"a grant":          {audit.Entry{Kind: audit.KindGrant, Decision: audit.Allow}, true, 0},
		"a replay":         {audit.Entry{Kind: audit.KindRestore, Decision: audit.Allow, ReplayOf: "x"}, true, 0},
		"denied":           {audit.Entry{Kind: audit.KindRestore, Decision: audit.Deny}, false, 1},
		"denied, many":     {audit.Entry{Kind: audit.KindRestore, Decision: audit.Deny, Counts: map[string]int{"denials": 9}}, false, 9},
		"a grant denied":   {audit.Entry{Kind: audit.KindGrant, Decision: audit.Deny}, false, 1},
		"a flush":          {audit.Entry{Kind: audit.KindGrantFlush, Decision: audit.Allow}, false, 0},
		"a close":          {audit.Entry{Kind: audit.KindGrantClose, Decision: audit.Allow}, false, 0},
		"an outcome":       {audit.Entry{Kind: audit.KindOutcome, Decision: audit.Allow}, false, 0},
		"a part":           {audit.Entry{Kind: audit.KindRestore, Decision: audit.Allow, Seq: 1, Parts: 2}, false, 0},
		"another refused":  {audit.Entry{Kind: audit.KindRequestRefused, Decision: audit.Deny}, false, 1},
		"without decision": {audit.Entry{Kind: audit.KindRestore}, false, 0},
	} {
		c := evidence.Change{Entry: is.entry}
		if c.Restoration() != is.restoration || c.Denials() != is.denials {
			t.Errorf("%s: restoration %v, denials %d", name, c.Restoration(), c.Denials())
		}
	}
}
