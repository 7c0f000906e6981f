package verify_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// starting is what begins the reading of a log at a size.
func starting(t testing.TB, m *made, from int64) *verify.Start {
	t.Helper()
	root, err := audit.RootAt(from, m.nodes())
	if err != nil {
		t.Fatal(err)
	}
	start := &verify.Start{Checkpoint: m.sign(from, root), Newest: m.newest()}
	if from == 0 {
		return start
	}
	if start.Proof, err = audit.ProveConsistency(from, int64(len(m.entries)), m.nodes()); err != nil {
		t.Fatal(err)
	}
	return start
}

// withStart replaces what is known by where to begin.
func withStart(m *made, start *verify.Start) verify.Options {
	opts := kept(m)
	opts.From, opts.RequireSigned = start, true
	return opts
}

// From any size on, of logs of any size, the reading ends in the root of the whole,
// and the first entry to be judged is that of the start.
func TestInvariant11_ReadingMayBeginAnywhere(t *testing.T) {
	for seed := range uint64(5) {
		m := newLog(t, seed).grow(4 + int(seed)*3)
		root, err := m.frontier.Root()
		if err != nil {
			t.Fatal(err)
		}
		for from := int64(0); from <= int64(len(m.entries)); from++ {
			got, err := verify.Log(t.Context(), of(m.entries[from:]), withStart(m, starting(t, m, from)))
			if err != nil || got.From != from || got.Root != root || got.Entries != int64(len(m.entries)) {
				t.Fatalf("log %d of %d from %d: %+v, %v", seed, len(m.entries), from, got, err)
			}
		}
	}
}

func TestInvariant11_StartsThatDoNotLeadOn(t *testing.T) {
	m := newLog(t, 3).grow(12)
	size := int64(len(m.entries))
	other := newLog(t, 4).grow(12)
	for from := int64(1); from < size; from += 5 {
		sound := starting(t, m, from)
		changed := func(change func(s *verify.Start)) *verify.Start {
			s := *sound
			s.Proof, s.Checkpoint = slices.Clone(s.Proof), slices.Clone(s.Checkpoint)
			change(&s)
			return &s
		}
		for name, c := range map[string]struct {
			start   *verify.Start
			entries []verify.Entry
		}{
			"a hash of the proof": {changed(func(s *verify.Start) { s.Proof[int(from)%len(s.Proof)][3] ^= 1 }), m.entries[from:]},
			"no proof":            {changed(func(s *verify.Start) { s.Proof = nil }), m.entries[from:]},
			"a longer proof":      {changed(func(s *verify.Start) { s.Proof = append(s.Proof, audit.Hash{}) }), m.entries[from:]},
			"another checkpoint":  {changed(func(s *verify.Start) { s.Checkpoint = starting(t, other, from).Checkpoint }), m.entries[from:]},
			"forged checkpoint":   {changed(func(s *verify.Start) { s.Checkpoint[len(s.Checkpoint)-9] ^= 1 }), m.entries[from:]},
			"newest is older":     {changed(func(s *verify.Start) { s.Newest = starting(t, m, from-1).Checkpoint }), m.entries[from:]},
			"entry missing":       {sound, m.entries[from+1:]},
			"entry before it":     {sound, m.entries[from-1:]},
			"tail missing":        {sound, m.entries[from : size-1]},
			"an entry more":       {sound, append(slices.Clone(m.entries[from:]), verify.Entry{Index: size, Leaf: m.finish(single(m))[0]})},
		} {
			var fault *verify.Fault
			if _, err := verify.Log(t.Context(), of(c.entries), withStart(m, c.start)); !errors.As(err, &fault) {
				t.Errorf("%s, from %d: %v", name, from, err)
			}
		}
	}
	opts := withStart(m, starting(t, m, size-1))
	opts.Checkpoints = m.checkpoints[:1]
	if _, err := verify.Log(t.Context(), of(m.entries[size-1:]), opts); !errors.Is(err, verify.ErrOptions) {
		t.Errorf("a checkpoint of before cannot be compared: %v", err)
	}
}

// Twin: where the proof is not checked, a start that nobody proved passes, as long
// as nothing else is known of what follows.
func TestInvariant11_StartTwin_WithoutTheProofAnotherHistoryPasses(t *testing.T) {
	m, other := newLog(t, 3).grow(12), newLog(t, 4).grow(12)
	from, size := int64(len(m.entries)-3), int64(len(m.entries))
	start := starting(t, m, from)
	start.Checkpoint = other.sign(from, audit.LeafHash([]byte("another history")))
	opts := verify.Options{VKeys: []string{m.signer.VerifierKey()}, From: start}
	var fault *verify.Fault
	if _, err := verify.Log(t.Context(), of(m.entries[from:]), opts); !errors.As(err, &fault) || fault.Rule != verify.RuleConsistency {
		t.Errorf("with the rule: %v", err)
	}
	got, err := verify.LogWithout(t.Context(), of(m.entries[from:]), opts, verify.RuleConsistency, verify.RuleRoot)
	if err != nil || got.Entries != size {
		t.Errorf("without it: %+v, %v", got, err)
	}
}

// What is named and was before the start is believed; what is after it is not.
func TestStartBelievesWhatIsBeforeIt(t *testing.T) {
	m := newLog(t, 3).grow(6)
	ask := m.ask("ann", 1)
	m.commit(m.finish([]audit.Entry{ask}))
	from := int64(len(m.entries))
	m.commit(m.finish([]audit.Entry{m.say("approve", "bob", ask.ChangeID)}))
	m.commit(m.finish([]audit.Entry{using(m, ask.ChangeID)}))
	if _, err := verify.Log(t.Context(), of(m.entries[from:]), withStart(m, starting(t, m, from))); err != nil {
		t.Error(err)
	}
	later := m.ask("ann", 2)
	m.commit(m.finish([]audit.Entry{later}))
	m.commit(m.finish([]audit.Entry{using(m, later.ChangeID)}))
	var fault *verify.Fault
	if _, err := verify.Log(t.Context(), of(m.entries[from:]), withStart(m, starting(t, m, from))); !errors.As(err, &fault) || fault.Rule != verify.RuleRedeem {
		t.Error(err)
	}
}
