package verify_test

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// A fault case breaks exactly one rule; without is what must be taken out for
// it to pass, which shows that the rule and nothing else finds it.
type faultCase struct {
	rule    string
	make    func(t *testing.T) ([]verify.Entry, verify.Options)
	without []string
	besides []string // rules that the fault breaks too, and before
}

// written is a log whose writer is at fault: it appends leaves that it should
// not, and signs them properly.
func written(change func(m *made) [][]byte) func(t *testing.T) ([]verify.Entry, verify.Options) {
	return func(t *testing.T) ([]verify.Entry, verify.Options) {
		m := newLog(t, 11).grow(6)
		m.commit(change(m))
		m.clock = m.clock.Add(time.Hour)
		m.grow(3)
		return m.entries, m.known()
	}
}

// stored is a log that was sound when it was written.
func stored(change func(m *made, opts *verify.Options) []verify.Entry) func(t *testing.T) ([]verify.Entry, verify.Options) {
	return func(t *testing.T) ([]verify.Entry, verify.Options) {
		m := newLog(t, 12).grow(9)
		opts := m.known()
		return change(m, &opts), opts
	}
}

// single and double make the entries of one change with one or two parts.
func single(m *made) []audit.Entry {
	e := m.entry(audit.KindTokenize, m.actor())
	e.Destination, e.Entities, e.Tokens, e.Results = "default", map[string]int{"EMAIL_ADDRESS": 1}, []string{m.id()}, map[string]int{"tokenized": 1}
	return []audit.Entry{e}
}

func double(m *made) []audit.Entry { return m.linked(single(m)[0], 2) }

// leafOf encodes an entry as it is, without the checks of Finalise.
func leafOf(m *made, e audit.Entry) []byte {
	m.t.Helper()
	leaf, err := e.Leaf()
	if err != nil {
		m.t.Fatal(err)
	}
	return leaf
}

var faultCases = map[string]faultCase{
	"index skips": {rule: verify.RuleGap, make: stored(func(m *made, _ *verify.Options) []verify.Entry {
		entries := copied(m.entries)
		for i := 5; i < len(entries); i++ {
			entries[i].Index++
		}
		return entries
	})},
	"index repeated": {rule: verify.RuleGap, make: stored(func(m *made, _ *verify.Options) []verify.Entry {
		entries := copied(m.entries)
		entries[5].Index = 4
		return entries
	})},
	"stored hash": {rule: verify.RuleHash, make: stored(func(m *made, _ *verify.Options) []verify.Entry {
		entries := copied(m.entries)
		entries[3].LeafHash[31] ^= 1
		return entries
	})},
	"stored hash is cut": {rule: verify.RuleHash, make: stored(func(m *made, _ *verify.Options) []verify.Entry {
		entries := copied(m.entries)
		entries[3].LeafHash = entries[3].LeafHash[:31]
		return entries
	})},
	"space in leaf": {rule: verify.RuleCanonical, make: written(func(m *made) [][]byte {
		leaf := m.finish(single(m))[0]
		return [][]byte{bytes.Replace(leaf, []byte(":"), []byte(": "), 1)}
	})},
	"unknown field": {rule: verify.RuleSchema, make: written(func(m *made) [][]byte {
		leaf := m.finish(single(m))[0]
		return [][]byte{bytes.Replace(leaf, []byte(`,"v":1}`), []byte(`,"v":1,"value":"x"}`), 1)}
	})},
	"field of another kind": {rule: verify.RuleKind, make: written(func(m *made) [][]byte {
		parts := single(m)
		parts[0].HoldIDs = []string{"h_1"}
		return m.finish(parts)
	})},
	"field missing": {rule: verify.RuleKind, make: written(func(m *made) [][]byte {
		parts := single(m)
		parts[0].Destination = ""
		return m.finish(parts)
	})},
	"other tenant": {rule: verify.RuleTenant, make: written(func(m *made) [][]byte {
		parts := single(m)
		parts[0].Tenant = "globex"
		return m.finish(parts)
	})},
	"time runs back": {rule: verify.RuleTime, make: written(func(m *made) [][]byte {
		m.clock = m.clock.Add(-time.Microsecond)
		return m.finish(single(m))
	})},
	"part missing": {rule: verify.RuleLink, make: written(func(m *made) [][]byte {
		return m.finish(double(m))[:1]
	})},
	"first part missing": {rule: verify.RuleLink, make: written(func(m *made) [][]byte {
		return m.finish(double(m))[1:]
	})},
	"parts interleaved": {rule: verify.RuleLink, make: written(func(m *made) [][]byte {
		a, b := m.finish(double(m)), m.finish(single(m))
		return [][]byte{a[0], b[0], a[1]}
	})},
	"parts of two changes": {rule: verify.RuleLink, make: written(func(m *made) [][]byte {
		return [][]byte{m.finish(double(m))[0], m.finish(double(m))[1]}
	})},
	"wrong prev": {rule: verify.RuleLink, make: written(func(m *made) [][]byte {
		parts := double(m)
		first := m.finish(parts)[0]
		parts[1].Prev = strings.Repeat("0", 64)
		return [][]byte{first, leafOf(m, parts[1])}
	})},
	"parts at two times": {rule: verify.RuleLink, make: written(func(m *made) [][]byte {
		parts := double(m)
		first := m.finish(parts)[0]
		parts[1].Time = m.clock.Add(time.Second)
		return [][]byte{first, leafOf(m, parts[1])}
	})},
	"log ends within a change": {rule: verify.RuleLink, make: func(t *testing.T) ([]verify.Entry, verify.Options) {
		m := newLog(t, 13).grow(4)
		m.commit(m.finish(double(m))[:1])
		return m.entries, m.known()
	}},
	"change id twice": {rule: verify.RuleChange, make: written(func(m *made) [][]byte {
		e := single(m)
		again := single(m)
		again[0].ChangeID = e[0].ChangeID
		return append(m.finish(e), m.finish(again)...)
	})},
	"leaf changed, all hashes redone": {rule: verify.RuleRoot, make: stored(func(m *made, _ *verify.Options) []verify.Entry {
		entries := copied(m.entries)
		entries[4].Leaf = bytes.Replace(entries[4].Leaf, []byte(`"actor":"svc-`), []byte(`"actor":"bob-`), 1)
		return renumbered(entries)
	})},
	"second history": {rule: verify.RuleRoot, make: stored(func(m *made, _ *verify.Options) []verify.Entry {
		other := newLog(m.t, 99).grow(9)
		return other.entries[:other.anchors[4].Size]
	}), without: []string{verify.RuleRoot, verify.RuleBehind}},
	"checkpoint of another key": {rule: verify.RuleSignature, make: stored(func(m *made, opts *verify.Options) []verify.Entry {
		forger := *m
		forger.signer = newSigner(m.t, 66)
		root, _ := m.frontier.Root()
		opts.Checkpoints = [][]byte{forger.sign(m.frontier.Size, root)}
		return m.entries
	})},
	"anchor that contradicts itself": {rule: verify.RuleSignature, make: stored(func(m *made, opts *verify.Options) []verify.Entry {
		a := m.anchors[2]
		a.Size++
		opts.Anchors = []audit.Anchor{a}
		return m.entries
	})},
	"receipt for another leaf": {rule: verify.RuleReceipt, make: stored(func(m *made, opts *verify.Options) []verify.Entry {
		r := m.receipts[2]
		r.LeafHash[0] ^= 1
		opts.Receipts = []audit.Receipt{r}
		return m.entries
	})},
	"receipt of another log": {rule: verify.RuleReceipt, make: stored(func(m *made, opts *verify.Options) []verify.Entry {
		r := m.receipts[2]
		r.Log = "counterfoil.local/log/globex"
		opts.Receipts = []audit.Receipt{r}
		return m.entries
	})},
	"two heads of one size": {rule: verify.RuleConsistency, make: stored(func(m *made, opts *verify.Options) []verify.Entry {
		opts.Checkpoints = append(opts.Checkpoints, m.sign(m.frontier.Size, audit.LeafHash(nil)))
		return m.entries
	}), without: []string{verify.RuleConsistency, verify.RuleRoot}},
	"tail cut off": {rule: verify.RuleBehind, make: stored(func(m *made, _ *verify.Options) []verify.Entry {
		// Cut at a signed size, so that what is left is sound by itself.
		return m.entries[:m.anchors[len(m.anchors)-2].Size]
	})},
	"everything gone": {rule: verify.RuleBehind, make: stored(func(_ *made, _ *verify.Options) []verify.Entry {
		return nil
	})},
	"older copy against an anchor": {rule: verify.RuleBehind, make: stored(func(m *made, opts *verify.Options) []verify.Entry {
		opts.Checkpoints, opts.Receipts = m.checkpoints[:4], nil
		opts.Anchors = m.anchors[len(m.anchors)-1:]
		return m.entries[:m.anchors[3].Size]
	})},
	"invented tail": {rule: verify.RuleUnsigned, make: stored(func(m *made, _ *verify.Options) []verify.Entry {
		m.grow(1)
		return m.entries
	})},
}

// allFaultCases are those of the form and those of the meaning.
func allFaultCases() map[string]faultCase {
	all := maps.Clone(faultCases)
	maps.Copy(all, meaningCases)
	return all
}

func TestInvariant11_EveryRuleFindsItsFault(t *testing.T) {
	for name, c := range allFaultCases() {
		t.Run(name, func(t *testing.T) {
			entries, opts := c.make(t)
			var fault *verify.Fault
			if _, err := verify.LogWithout(t.Context(), of(entries), opts, c.besides...); !errors.As(err, &fault) || fault.Rule != c.rule {
				t.Errorf("got %v, want a fault of rule %s", err, c.rule)
			}
		})
	}
	covered := map[string]bool{}
	for _, c := range allFaultCases() {
		covered[c.rule] = true
	}
	for _, rule := range []string{
		verify.RuleGap, verify.RuleHash, verify.RuleSchema, verify.RuleCanonical, verify.RuleTenant, verify.RuleTime, verify.RuleLink,
		verify.RuleChange, verify.RuleSignature, verify.RuleReceipt, verify.RuleConsistency, verify.RuleRoot, verify.RuleBehind, verify.RuleUnsigned,
		verify.RuleKind, verify.RulePruned, verify.RuleHandover, verify.RuleRedeem, verify.RuleOutcome, verify.RuleFlush, verify.RulePolicy,
	} {
		if !covered[rule] {
			t.Errorf("no case for rule %s", rule)
		}
	}
}

// The twins: with the rule taken out, the same broken log passes.
func TestInvariant11_Twin_WithoutTheRuleTheFaultPasses(t *testing.T) {
	for name, c := range allFaultCases() {
		t.Run(name, func(t *testing.T) {
			entries, opts := c.make(t)
			without := c.without
			if without == nil {
				without = []string{c.rule}
			}
			if _, err := verify.LogWithout(t.Context(), of(entries), opts, slices.Concat(without, c.besides)...); err != nil {
				t.Errorf("without %v it is still found: %v", without, err)
			}
		})
	}
}
