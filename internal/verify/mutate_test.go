package verify_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// A mutation changes a sound log, or what is claimed about it, in a way that
// must be found. It works on copies.
type mutation struct {
	name string
	do   func(m *made, rng *rand.Rand, opts *verify.Options) []verify.Entry
}

func flip(rng *rand.Rand, b []byte) { b[rng.IntN(len(b))] ^= 1 << rng.IntN(8) }

var mutations = []mutation{
	{"bit of a leaf", func(m *made, rng *rand.Rand, _ *verify.Options) []verify.Entry {
		entries := copied(m.entries)
		flip(rng, entries[rng.IntN(len(entries))].Leaf)
		return entries
	}},
	{"bit of a leaf, hash redone", func(m *made, rng *rand.Rand, _ *verify.Options) []verify.Entry {
		entries := copied(m.entries)
		flip(rng, entries[rng.IntN(len(entries))].Leaf)
		return renumbered(entries)
	}},
	{"bit of a stored hash", func(m *made, rng *rand.Rand, _ *verify.Options) []verify.Entry {
		entries := copied(m.entries)
		flip(rng, entries[rng.IntN(len(entries))].LeafHash)
		return entries
	}},
	{"index", func(m *made, rng *rand.Rand, _ *verify.Options) []verify.Entry {
		entries := copied(m.entries)
		entries[rng.IntN(len(entries))].Index ^= 1 << rng.IntN(60)
		return entries
	}},
	{"deleted", func(m *made, rng *rand.Rand, _ *verify.Options) []verify.Entry {
		i := rng.IntN(len(m.entries))
		return slices.Delete(copied(m.entries), i, i+1)
	}},
	{"deleted and renumbered", func(m *made, rng *rand.Rand, _ *verify.Options) []verify.Entry {
		i := rng.IntN(len(m.entries))
		return renumbered(slices.Delete(copied(m.entries), i, i+1))
	}},
	{"swapped", func(m *made, rng *rand.Rand, _ *verify.Options) []verify.Entry {
		entries := copied(m.entries)
		i := rng.IntN(len(entries))
		j := (i + 1 + rng.IntN(len(entries)-1)) % len(entries)
		entries[i], entries[j] = entries[j], entries[i]
		return renumbered(entries)
	}},
	{"repeated", func(m *made, rng *rand.Rand, _ *verify.Options) []verify.Entry {
		entries := copied(m.entries)
		i := rng.IntN(len(entries))
		return renumbered(slices.Insert(entries, i, entries[i]))
	}},
	{"invented", func(m *made, rng *rand.Rand, _ *verify.Options) []verify.Entry {
		entries := copied(m.entries)
		i := rng.IntN(len(entries) + 1)
		return renumbered(slices.Insert(entries, i, verify.Entry{Leaf: m.finish(single(m))[0]}))
	}},
	{"tail cut", func(m *made, rng *rand.Rand, _ *verify.Options) []verify.Entry {
		return m.entries[:rng.IntN(len(m.entries))]
	}},
	{"older copy", func(m *made, rng *rand.Rand, opts *verify.Options) []verify.Entry {
		old := rng.IntN(len(m.anchors) - 1)
		opts.Checkpoints, opts.Receipts = m.checkpoints[:old+1], nil
		opts.Anchors = m.anchors[len(m.anchors)-1:]
		return m.entries[:m.anchors[old].Size]
	}},
	{"bit of a checkpoint", func(m *made, rng *rand.Rand, opts *verify.Options) []verify.Entry {
		i := rng.IntN(len(opts.Checkpoints))
		opts.Checkpoints = slices.Clone(opts.Checkpoints)
		opts.Checkpoints[i] = bytes.Clone(opts.Checkpoints[i])
		flip(rng, opts.Checkpoints[i])
		return m.entries
	}},
	{"forged checkpoint", func(m *made, rng *rand.Rand, opts *verify.Options) []verify.Entry {
		forger := *m
		forger.signer = newSigner(m.t, byte(2+rng.IntN(200)))
		root, err := m.frontier.Root()
		if err != nil {
			m.t.Fatal(err)
		}
		opts.Checkpoints = [][]byte{forger.sign(m.frontier.Size, root)}
		return m.entries
	}},
	{"receipt", func(m *made, rng *rand.Rand, opts *verify.Options) []verify.Entry {
		r := m.receipts[rng.IntN(len(m.receipts))]
		flip(rng, r.LeafHash[:])
		opts.Receipts = []audit.Receipt{r}
		return m.entries
	}},
	{"second history", func(m *made, rng *rand.Rand, _ *verify.Options) []verify.Entry {
		other, _ := rewritten(m, rng)
		return other.entries
	}},
	// The worst case: the thief of the key signs the second history. What finds
	// it is any one head that somebody kept from the first.
	{"second history with the key", func(m *made, rng *rand.Rand, opts *verify.Options) []verify.Entry {
		other, from := rewritten(m, rng)
		opts.Checkpoints = append([][]byte{}, other.checkpoints[len(other.checkpoints)-1])
		opts.Receipts = nil
		opts.Anchors = m.anchors[from+1+rng.IntN(len(m.anchors)-from-1):][:1]
		return other.entries
	}},
}

// rewritten is a log that agrees with m up to and with batch from, and tells
// something else after it, at least as long.
func rewritten(m *made, rng *rand.Rand) (*made, int) {
	from := rng.IntN(len(m.anchors) - 1)
	size := m.anchors[from].Size
	other := newLog(m.t, rng.Uint64())
	var leaves [][]byte
	for _, e := range m.entries[:size] {
		leaves = append(leaves, e.Leaf)
	}
	other.commit(leaves)
	other.clock = m.clock
	for len(other.entries) < len(m.entries) {
		other.grow(1)
	}
	return other, from
}

func TestInvariant11_RandomMutationsAreFound(t *testing.T) {
	const perLog = 100
	found := map[string]int{}
	var m *made
	for i := range long(2000) {
		seed := uint64(i / perLog)
		if i%perLog == 0 {
			m = newLog(t, 1000+seed).grow(10 + int(seed%10))
		}
		rng := rand.New(rand.NewPCG(uint64(i), 2))
		mutation := mutations[i%len(mutations)]
		opts := m.known()
		entries := mutation.do(m, rng, &opts)
		var fault *verify.Fault
		if _, err := verify.Log(t.Context(), of(entries), opts); !errors.As(err, &fault) {
			t.Fatalf("mutation %d, %s, of log %d: %v", i, mutation.name, seed, err)
		}
		found[fault.Rule]++
	}
	t.Log(found)
}

// Every single byte of every leaf counts, whether or not the one who changed it
// redid the stored hash.
func TestInvariant11_EveryByteOfEveryLeaf(t *testing.T) {
	m := newLog(t, 5).grow(2)
	opts := m.known()
	for i := range m.entries {
		for at := 0; at < len(m.entries[i].Leaf); at += step() {
			for _, redo := range []bool{false, true} {
				entries := copied(m.entries)
				entries[i].Leaf[at] ^= byte(1 + at%255)
				if redo {
					entries = renumbered(entries)
				}
				var fault *verify.Fault
				if _, err := verify.Log(t.Context(), of(entries), opts); !errors.As(err, &fault) {
					t.Fatalf("byte %d of leaf %d, hash redone %v: %v", at, i, redo, err)
				}
			}
		}
	}
}
