package envelope_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

func newIndexKey(t testing.TB) *envelope.IndexKey {
	t.Helper()
	k, err := envelope.NewIndexKey(envelope.RandomSecret())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// question is one call of an index key.
type question struct {
	label  string
	fields []string
}

// ambiguous are calls that join to the same bytes where fields are not
// delimited, or where labels share a key.
func ambiguous() []question {
	long := "\x00\x00\x00\x00\x00\x00\x00\x01a"
	var out []question
	for label, n := range digestFields {
		fields := make([]string, n)
		for i := range n {
			for _, value := range []string{"a", "aa", "ab", long, "\x00"} {
				one := slices.Clone(fields)
				one[i] = value
				out = append(out, question{label, one})
			}
		}
		out = append(out, question{label, fields})
	}
	return append(out,
		question{"lookup", []string{"ab", "c"}}, question{"lookup", []string{"a", "bc"}}, question{"lookup", []string{"abc", ""}},
		question{"identity", []string{"ab", "c", "d", "e"}}, question{"identity", []string{"a", "bc", "d", "e"}},
		question{"identity", []string{"a", "b", "cd", "e"}}, question{"identity", []string{"a", "b", "c", "de"}},
		question{"identity", []string{"a", "PERSON", "label", "x"}}, question{"identity", []string{"a", "person", "label", "x"}},
	)
}

// collision finds two different calls with one digest.
func collision(k *envelope.IndexKey, questions []question) error {
	seen := map[[32]byte]string{}
	for _, q := range questions {
		name := fmt.Sprintf("%s %q", q.label, q.fields)
		sum := digestOf(k, q.label, q.fields)
		if other, ok := seen[sum]; ok && other != name {
			return fmt.Errorf("%s and %s have one digest", other, name)
		}
		seen[sum] = name
	}
	return nil
}

func TestDigestsAreApart(t *testing.T) {
	if err := collision(newIndexKey(t), ambiguous()); err != nil {
		t.Error(err)
	}
}

func TestDigestsTwinOneLabelCollides(t *testing.T) {
	if err := collision(envelope.NewIndexKeyOneLabel(envelope.RandomSecret()), ambiguous()); err == nil {
		t.Error("digests of different kinds under one sub key were not noticed")
	}
}

// TestDigestsProperty: calls that differ in anything have different digests;
// equal calls have equal ones; another key has others.
func TestDigestsProperty(t *testing.T) {
	k, other := newIndexKey(t), newIndexKey(t)
	labels := slices.Sorted(maps.Keys(digestFields))
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) question {
			label := rapid.SampledFrom(labels).Draw(t, name)
			n := digestFields[label]
			field := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "a", "b", "ab", "\x00"}))
			return question{label, rapid.SliceOfN(field, n, n).Draw(t, name+" fields")}
		}
		a, b := draw("a"), draw("b")
		if err := collision(k, []question{a, b}); err != nil {
			t.Fatal(err)
		}
		first, again := digestOf(k, a.label, a.fields), digestOf(k, a.label, a.fields)
		if first != again {
			t.Fatal("one call has two digests")
		}
		if first == digestOf(other, a.label, a.fields) {
			t.Fatal("two index keys agree")
		}
	})
}

func TestIndexKeySize(t *testing.T) {
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := envelope.NewIndexKey(envelope.NewSecret(make([]byte, n))); !errors.Is(err, envelope.ErrInvalid) {
			t.Errorf("%d bytes: %v, not ErrInvalid", n, err)
		}
	}
}

// TestIndexKeyOutlivesItsSecret: the secret is wiped by the caller.
func TestIndexKeyOutlivesItsSecret(t *testing.T) {
	secret := envelope.RandomSecret()
	k, err := envelope.NewIndexKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	before := k.Subject("a")
	secret.Wipe()
	if k.Subject("a") != before {
		t.Error("the digest changed when the secret was wiped")
	}
}

// TestDigestsFromManyGoroutines: whoever used an HMAC before, and whatever for,
// the digest is that of a key that was never used.
func TestDigestsFromManyGoroutines(t *testing.T) {
	secret := envelope.RandomSecret()
	made := func() *envelope.IndexKey {
		k, err := envelope.NewIndexKey(secret)
		if err != nil {
			panic(err)
		}
		return k
	}
	used := made()
	value := func(n int) []byte { return fmt.Append(nil, "value", n) }
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for n := range 200 {
				got := used.Identity("scope", "PERSON", "label", value(n))
				if want := made().Identity("scope", "PERSON", "label", value(n)); got != want {
					t.Errorf("value %d has another digest", n)
					return
				}
				if got == used.Lookup("PERSON", string(value(n))) {
					t.Error("the HMAC of one kind of digest made another")
				}
			}
		})
	}
	group.Wait()
}

func TestDigestAfterAnUnfinishedOne(t *testing.T) {
	k := newIndexKey(t)
	want := k.Identity("scope", "PERSON", "label", []byte("value"))
	spoiled := 0
	for range 100 {
		// The race detector makes a pool forget at random.
		if k.LeaveUnfinished() {
			spoiled++
		}
		if k.Identity("scope", "PERSON", "label", []byte("value")) != want {
			t.Fatal("what was left in an HMAC is part of the next digest")
		}
	}
	if spoiled == 0 {
		t.Error("no HMAC was idle")
	}
}
