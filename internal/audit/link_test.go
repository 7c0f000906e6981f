package audit_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

func TestLinkDividesAndLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEntry(t, 200)
		// rapid draws short lists; repeat what it drew to get over the limits.
		times := rapid.IntRange(1, 60).Draw(t, "times")
		e.Tokens = slices.Repeat(e.Tokens, times)
		e.SubjectRefs = slices.Repeat(e.SubjectRefs, times)
		parts, err := audit.Link(e)
		if err != nil {
			t.Fatal(err)
		}
		leaves, err := audit.Finalise(parts, at)
		if err != nil {
			t.Fatal(err)
		}
		checkParts(t, e, parts, leaves)
	})
}

func checkParts(t *rapid.T, e audit.Entry, parts []audit.Entry, leaves [][]byte) {
	var joined audit.Entry
	prev := ""
	for i, part := range parts {
		if len(leaves[i]) > audit.MaxLeaf || len(part.Tokens) > audit.MaxTokens {
			t.Fatalf("leaf %d has %d bytes and %d tokens", i, len(leaves[i]), len(part.Tokens))
		}
		wantParts := len(parts)
		if wantParts == 1 {
			wantParts = 0
		}
		if part.Seq != i || part.Parts != wantParts || part.Prev != prev {
			t.Fatalf("part %d: seq %d of %d, prev %q, want prev %q", i, part.Seq, part.Parts, part.Prev, prev)
		}
		h := audit.LeafHash(leaves[i])
		prev = hex.EncodeToString(h[:])
		joined.Tokens = append(joined.Tokens, part.Tokens...)
		joined.SubjectRefs = append(joined.SubjectRefs, part.SubjectRefs...)
		joined.KeyIDs = append(joined.KeyIDs, part.KeyIDs...)
		joined.ScopeRefs = append(joined.ScopeRefs, part.ScopeRefs...)
		if i > 0 && (part.Entities != nil || part.Results != nil || part.Counts != nil) {
			t.Fatal("counts appear twice")
		}
	}
	whole := parts[0]
	whole.Tokens, whole.SubjectRefs, whole.KeyIDs, whole.ScopeRefs = joined.Tokens, joined.SubjectRefs, joined.KeyIDs, joined.ScopeRefs
	whole.V, whole.Seq, whole.Parts, whole.Time = e.V, e.Seq, e.Parts, e.Time
	if diff := cmp.Diff(e, whole, cmpopts.EquateEmpty()); diff != "" {
		t.Fatal(diff)
	}
}

func TestLinkAtTheLimits(t *testing.T) {
	e := sample()
	for n, want := range map[int]int{0: 1, audit.MaxTokens: 1, audit.MaxTokens + 1: 2, 10_000: 10} {
		e.Tokens = repeat("7K3QX9M2", n)
		parts, err := audit.Link(e)
		if err != nil || len(parts) != want {
			t.Errorf("%d tokens: %d entries, %v; want %d", n, len(parts), err, want)
		}
	}
	// Opaque ids of 26 characters fill the bytes before the count.
	e.Tokens = repeat(strings.Repeat("x", 64), audit.MaxTokens)
	if parts, err := audit.Link(e); err != nil || len(parts) != 3 {
		t.Errorf("long ids: %d entries, %v; want 3", len(parts), err)
	}
}

func TestLinkRefuses(t *testing.T) {
	bad := sample()
	bad.Actor = "two words"
	if _, err := audit.Link(bad); !errors.Is(err, audit.ErrSchema) {
		t.Errorf("a bad field: %v", err)
	}
	big := sample()
	big.Obligations = repeat(strings.Repeat("o", audit.MaxIdentifier), 200)
	if _, err := audit.Link(big); !errors.Is(err, audit.ErrTooLarge) {
		t.Errorf("too long without its lists: %v", err)
	}
}

// Close to the limit each byte matters: whatever Link answers, it never makes a
// leaf that is too long, and never one that brings nothing forward.
func TestLinkWithLittleRoom(t *testing.T) {
	outcomes := map[string]int{}
	for pad := 1; pad <= audit.MaxIdentifier; pad++ {
		e := sample()
		e.ScopeRefs = nil
		e.Obligations = repeat(strings.Repeat("o", 96), 323)
		e.Agent = strings.Repeat("a", pad)
		e.Tokens = repeat(strings.Repeat("x", audit.MaxName), 3)
		parts, err := audit.Link(e)
		switch {
		case err == nil:
			if _, err := audit.Finalise(parts, at); err != nil {
				t.Fatalf("pad %d: %v", pad, err)
			}
			outcomes["linked"]++
		case !errors.Is(err, audit.ErrTooLarge):
			t.Fatalf("pad %d: %v", pad, err)
		case strings.Contains(err.Error(), "no room for its lists"):
			outcomes["no room"]++
		default:
			outcomes["too long"]++
		}
		if pad == 1 {
			e.Tokens = repeat(strings.Repeat("x", audit.MaxName), audit.MaxListed)
			if _, err := audit.Link(e); !errors.Is(err, audit.ErrTooLarge) {
				t.Errorf("more parts than a change may have: %v", err)
			}
		}
	}
	if len(outcomes) != 3 {
		t.Errorf("outcomes seen: %v, want all three", outcomes)
	}
}

func TestFinaliseAgainGivesTheSameChain(t *testing.T) {
	e := sample()
	e.Tokens = repeat("7K3QX9M2", 3*audit.MaxTokens)
	parts, err := audit.Link(e)
	if err != nil {
		t.Fatal(err)
	}
	first, err := audit.Finalise(parts, at)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Finalise(parts, at.Add(1e9)); err != nil {
		t.Fatal(err)
	}
	again, err := audit.Finalise(parts, at.Add(999)) // below a microsecond
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Error(diff)
	}
	if !parts[2].Time.Equal(at) {
		t.Errorf("the entry has %v", parts[2].Time)
	}
}

func TestFinaliseRefusesWhatIsNotOneChange(t *testing.T) {
	e := sample()
	e.Tokens = repeat("7K3QX9M2", 3*audit.MaxTokens)
	link := func() []audit.Entry {
		parts, err := audit.Link(e)
		if err != nil {
			t.Fatal(err)
		}
		return parts
	}
	for name, change := range map[string]func([]audit.Entry) []audit.Entry{
		"none":           func([]audit.Entry) []audit.Entry { return nil },
		"one missing":    func(p []audit.Entry) []audit.Entry { return p[:2] },
		"swapped":        func(p []audit.Entry) []audit.Entry { p[0], p[1] = p[1], p[0]; return p },
		"another change": func(p []audit.Entry) []audit.Entry { p[1].ChangeID = "other"; return p },
		"another tenant": func(p []audit.Entry) []audit.Entry { p[1].Tenant = "globex"; return p },
	} {
		if _, err := audit.Finalise(change(link()), at); !errors.Is(err, audit.ErrChain) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func ExampleLink() {
	e := audit.Entry{Tenant: "acme", Kind: audit.KindRestore, ChangeID: "c1", Tokens: make([]string, 1500), Results: map[string]int{"restored": 1500}}
	for i := range e.Tokens {
		e.Tokens[i] = fmt.Sprintf("%08d", i)
	}
	parts, err := audit.Link(e)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range parts {
		fmt.Println(p.Seq, len(p.Tokens), slices.Collect(maps.Values(p.Results)))
	}
	// Output:
	// 0 1024 [1500]
	// 1 476 []
}
