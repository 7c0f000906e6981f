package verify_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

const origin = "counterfoil.local/log/acme"

// start is the clock of all made-up logs.
var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

func newSigner(t testing.TB, seed byte) *audit.Signer {
	t.Helper()
	s, err := audit.NewSigner(origin, bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A made log is one as a store would hold it, with every head that was signed
// on the way.
type made struct {
	t        testing.TB
	rng      *rand.Rand
	signer   *audit.Signer
	clock    time.Time
	changes  int
	story    story
	entries  []verify.Entry
	frontier audit.Frontier

	checkpoints [][]byte
	anchors     []audit.Anchor
	receipts    []audit.Receipt
	handovers   [][]byte
}

func newLog(t testing.TB, seed uint64) *made {
	return &made{t: t, rng: rand.New(rand.NewPCG(seed, 1)), signer: newSigner(t, 1), clock: start, story: story{version: versions[0]}}
}

// grow commits n batches of one to five changes each, some of them linked.
func (m *made) grow(n int) *made {
	for range n {
		var leaves [][]byte
		m.clock = m.clock.Add(time.Duration(m.rng.IntN(3)) * 1500 * time.Microsecond) // 0 too: batches may share a time
		for range 1 + m.rng.IntN(5) {
			leaves = append(leaves, m.finish(m.change())...)
		}
		m.commit(leaves)
	}
	return m
}

func (m *made) finish(parts []audit.Entry) [][]byte {
	m.t.Helper()
	leaves, err := audit.Finalise(parts, m.clock)
	if err != nil {
		m.t.Fatal(err)
	}
	return leaves
}

// commit appends leaves, whatever they are, and signs the new head: what a
// writer with a fault in it could do too.
func (m *made) commit(leaves [][]byte) {
	m.t.Helper()
	b, err := m.frontier.Append(leaves)
	if err != nil {
		m.t.Fatal(err)
	}
	for i, leaf := range leaves {
		m.entries = append(m.entries, verify.Entry{Index: b.First + int64(i), Leaf: leaf, LeafHash: bytes.Clone(b.Leaves[i][:])})
	}
	m.frontier = b.Frontier
	checkpoint := m.sign(b.Frontier.Size, b.Root)
	m.checkpoints = append(m.checkpoints, checkpoint)
	if len(leaves) == 0 {
		return
	}
	m.anchors = append(m.anchors, audit.Anchor{Tenant: "acme", Size: b.Frontier.Size, Root: b.Root, Time: m.clock, Checkpoint: string(checkpoint)})
	i := b.First + int64(m.rng.IntN(len(leaves)))
	proof, err := b.Prove(i)
	if err != nil {
		m.t.Fatal(err)
	}
	m.receipts = append(m.receipts, audit.Receipt{
		Log: origin, Index: i, LeafHash: b.Leaves[i-b.First], TreeSize: b.Frontier.Size, RootHash: b.Root,
		Proof: proof, Checkpoint: string(checkpoint),
	})
}

func (m *made) sign(size int64, root audit.Hash) []byte {
	m.t.Helper()
	c, err := m.signer.Sign(audit.TreeHead{Origin: origin, Size: size, Root: root})
	if err != nil {
		m.t.Fatal(err)
	}
	return c
}

// known is what an auditor holds: the newest checkpoint and now and then an
// earlier thing.
func (m *made) known() verify.Options {
	opts := verify.Options{VKeys: []string{m.signer.VerifierKey()}, RequireSigned: true}
	for i, c := range m.checkpoints {
		if i == len(m.checkpoints)-1 || m.rng.IntN(4) == 0 {
			opts.Checkpoints = append(opts.Checkpoints, c)
		}
	}
	if n := len(m.anchors); n > 0 && m.rng.IntN(2) == 0 {
		opts.Anchors = append(opts.Anchors, m.anchors[m.rng.IntN(n)])
	}
	if n := len(m.receipts); n > 0 && m.rng.IntN(2) == 0 {
		opts.Receipts = append(opts.Receipts, m.receipts[m.rng.IntN(n)])
	}
	m.rng.Shuffle(len(opts.Checkpoints), func(i, j int) {
		opts.Checkpoints[i], opts.Checkpoints[j] = opts.Checkpoints[j], opts.Checkpoints[i]
	})
	return opts
}

func of(entries []verify.Entry) verify.Source {
	return func(yield func(verify.Entry) error) error {
		for _, e := range entries {
			if err := yield(e); err != nil {
				return err
			}
		}
		return nil
	}
}

// copied is a copy whose entries may be changed.
func copied(entries []verify.Entry) []verify.Entry {
	out := slices.Clone(entries)
	for i := range out {
		out[i].Leaf, out[i].LeafHash = bytes.Clone(out[i].Leaf), bytes.Clone(out[i].LeafHash) // nil stays nil
	}
	return out
}

// renumbered makes index and stored hash of each entry fit again, as somebody
// with access to the database would.
func renumbered(entries []verify.Entry) []verify.Entry {
	for i := range entries {
		entries[i].Index = int64(i)
		if entries[i].Leaf != nil {
			h := audit.LeafHash(entries[i].Leaf)
			entries[i].LeafHash = h[:]
		}
	}
	return entries
}

// long scales a random run: the normal one is for every build.
func long(normal int) int {
	if os.Getenv("COUNTERFOIL_LONG") != "" {
		return normal * 50
	}
	return normal / step()
}

// step is how many of small changes one stands for.
func step() int {
	if underRace {
		return 7
	}
	return 1
}
