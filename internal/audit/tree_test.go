package audit_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strconv"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

// memory stores a log as a store does: leaf hashes with the entries, nodes
// above them, and the frontier in the head.
type memory struct {
	leaves   []audit.Hash
	nodes    map[[2]int64]audit.Hash
	frontier audit.Frontier
}

func newMemory() *memory {
	return &memory{nodes: map[[2]int64]audit.Hash{}}
}

func (m *memory) append(t fataler, leaves [][]byte) *audit.Batch {
	b, err := m.frontier.Append(leaves)
	if err != nil {
		t.Fatal(err)
	}
	m.leaves = append(m.leaves, b.Leaves...)
	for _, n := range b.Nodes {
		key := [2]int64{int64(n.Level), n.N}
		if _, ok := m.nodes[key]; ok {
			t.Fatal("a node was written twice", n.Level, n.N)
		}
		m.nodes[key] = n.Hash
	}
	m.frontier = b.Frontier
	return b
}

func (m *memory) read(level int, n int64) (audit.Hash, error) {
	if level == 0 && n < int64(len(m.leaves)) {
		return m.leaves[n], nil
	}
	h, ok := m.nodes[[2]int64{int64(level), n}]
	if !ok {
		return audit.Hash{}, errors.New("no such node: " + strconv.Itoa(level) + "/" + strconv.FormatInt(n, 10))
	}
	return h, nil
}

type fataler interface{ Fatal(...any) }

// reference is the same log kept by tlog alone.
type reference []audit.Hash

func (r reference) ReadHashes(indexes []int64) ([]audit.Hash, error) {
	out := make([]audit.Hash, len(indexes))
	for i, x := range indexes {
		out[i] = r[x]
	}
	return out, nil
}

func referenceOf(leaves [][]byte) (r reference) {
	for i, leaf := range leaves {
		stored, err := tlog.StoredHashes(int64(i), leaf, r)
		if err != nil {
			panic(err)
		}
		r = append(r, stored...)
	}
	return r
}

func tlogRoot(leaves [][]byte) audit.Hash {
	root, err := tlog.TreeHash(int64(len(leaves)), referenceOf(leaves))
	if err != nil {
		panic(err)
	}
	return root
}

func TestRFC6962Vectors(t *testing.T) {
	var v struct {
		Leaves []string
		Nodes  [][]string
		Roots  []string
		Proofs []struct {
			Size, Index int64
			Proof       []string
		}
	}
	readJSON(t, "testdata/rfc6962.json", &v)
	if len(v.Leaves) != 8 || len(v.Roots) != 9 || len(v.Proofs) == 0 {
		t.Fatal("the vectors are incomplete")
	}
	m := newMemory()
	for i, leaf := range v.Leaves {
		root, err := m.frontier.Root()
		if err != nil || hex.EncodeToString(root[:]) != v.Roots[i] {
			t.Errorf("size %d: root %x, %v", i, root, err)
		}
		b, _ := hex.DecodeString(leaf)
		m.append(t, [][]byte{b})
	}
	for level, nodes := range v.Nodes {
		for n, want := range nodes {
			h, err := m.read(level, int64(n))
			if err != nil || hex.EncodeToString(h[:]) != want {
				t.Errorf("node %d/%d is %x, %v", level, n, h, err)
			}
		}
	}
	for _, p := range v.Proofs {
		proof, err := audit.Prove(p.Size, p.Index, m.read)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{}
		for _, h := range proof {
			got = append(got, hex.EncodeToString(h[:]))
		}
		if diff := cmp.Diff(p.Proof, got); diff != "" {
			t.Errorf("proof of %d in %d: %s", p.Index, p.Size, diff)
		}
	}
}

func TestLeafHashOfAnyLength(t *testing.T) {
	leaf := bytes.Repeat([]byte("leaf"), audit.MaxLeaf/4)
	for _, n := range []int{0, 1, 63, 64, 767, 768, 769, 5_000, len(leaf)} {
		if got, want := audit.LeafHash(leaf[:n]), tlog.RecordHash(leaf[:n]); got != want {
			t.Errorf("%d bytes: %v, want %v", n, got, want)
		}
	}
}

// For random batches, everything that the writer says agrees with tlog on the
// whole tree: root, stored nodes, proofs of the batch and of any leaf in any
// earlier size, consistency between any two sizes.
func TestInvariant11_TreeAgreesWithTlog(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMemory()
		var all [][]byte
		batches := rapid.SliceOfN(rapid.IntRange(0, 40), 1, 12).Draw(t, "batches")
		for _, n := range batches {
			var leaves [][]byte
			for range n {
				leaves = append(leaves, []byte("leaf "+strconv.Itoa(len(all)+len(leaves))))
			}
			before := m.frontier
			b := m.append(t, leaves)
			all = append(all, leaves...)
			if b.First != before.Size || b.Root != tlogRoot(all) || m.frontier.Size != int64(len(all)) {
				t.Fatalf("batch of %d: first %d, root %v", n, b.First, b.Root)
			}
			for i := b.First; i < b.Frontier.Size; i++ {
				proof, err := b.Prove(i)
				if err != nil {
					t.Fatal(err)
				}
				if err := tlog.CheckRecord(proof, b.Frontier.Size, b.Root, i, audit.LeafHash(all[i])); err != nil {
					t.Fatalf("leaf %d of %d: %v", i, b.Frontier.Size, err)
				}
			}
		}
		if len(all) == 0 {
			return
		}
		full := referenceOf(all)
		if want := len(full); len(m.leaves)+len(m.nodes) != want {
			t.Fatalf("%d hashes are stored, tlog stores %d", len(m.leaves)+len(m.nodes), want)
		}
		size := rapid.Int64Range(1, int64(len(all))).Draw(t, "size")
		compareProofs(t, m, full, size, rapid.Int64Range(0, size-1).Draw(t, "index"), rapid.Int64Range(1, size).Draw(t, "from"))
	})
}

func compareProofs(t *rapid.T, m *memory, full reference, size, index, from int64) {
	want, err := tlog.ProveRecord(size, index, full)
	if err != nil {
		t.Fatal(err)
	}
	got, err := audit.Prove(size, index, m.read)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]audit.Hash(want), got); diff != "" {
		t.Fatalf("proof of %d in %d: %s", index, size, diff)
	}
	wantRoot, err := tlog.TreeHash(size, full)
	if err != nil {
		t.Fatal(err)
	}
	if root, err := audit.RootAt(size, m.read); err != nil || root != wantRoot {
		t.Fatalf("root of %d: %v, %v", size, root, err)
	}
	wantTree, err := tlog.ProveTree(size, from, full)
	if err != nil {
		t.Fatal(err)
	}
	gotTree, err := audit.ProveConsistency(from, size, m.read)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]audit.Hash(wantTree), gotTree); diff != "" {
		t.Fatalf("proof that %d extends %d: %s", size, from, diff)
	}
}

// The twin: a frontier in which one node is another leads to another root and
// to proofs that do not check, so agreement above is not by accident.
func TestInvariant11_Twin_WrongFrontierGivesWrongProofs(t *testing.T) {
	m := newMemory()
	var all [][]byte
	for i := range 21 {
		all = append(all, []byte(strconv.Itoa(i)))
	}
	m.append(t, all[:13])
	for i := range m.frontier.Nodes {
		wrong := audit.Frontier{Size: m.frontier.Size, Nodes: append([]audit.Hash(nil), m.frontier.Nodes...)}
		wrong.Nodes[i][0] ^= 1
		b, err := wrong.Append(all[13:])
		if err != nil {
			t.Fatal(err)
		}
		proof, err := b.Prove(20)
		if err != nil {
			t.Fatal(err)
		}
		root := tlogRoot(all)
		if b.Root == root || tlog.CheckRecord(proof, 21, root, 20, audit.LeafHash(all[20])) == nil {
			t.Errorf("node %d of the frontier does not matter", i)
		}
	}
}

// The twin: a subtree that the end of the tree cuts short stands in the proofs
// of all that is to the left of it, and in no other.
func TestInvariant11_Twin_WrongEndGivesWrongProofs(t *testing.T) {
	var all [][]byte
	for i := range 21 { // 16 + 4 + 1: the last five are cut short
		all = append(all, []byte(strconv.Itoa(i)))
	}
	b := newMemory().append(t, all)
	b.SpoilCut()
	for i := range b.Frontier.Size {
		proof, err := b.Prove(i)
		if err != nil {
			t.Fatal(err)
		}
		checks := tlog.CheckRecord(proof, b.Frontier.Size, b.Root, i, audit.LeafHash(all[i])) == nil
		if want := i == 20; checks != want {
			t.Errorf("leaf %d: its proof checks: %v, want %v", i, checks, want)
		}
	}
}

func TestTreeRefuses(t *testing.T) {
	m := newMemory()
	b := m.append(t, [][]byte{{1}, {2}, {3}})
	for name, err := range map[string]error{
		"proof of an old leaf":       second(m.append(t, [][]byte{{4}}).Prove(0)),
		"proof past the end":         second(b.Prove(3)),
		"size past any log":          second(audit.Prove(audit.MaxSize+1, 0, m.read)),
		"negative size":              second(audit.Prove(-1, 0, m.read)),
		"root of no log":             second(audit.RootAt(-1, m.read)),
		"consistency past any log":   second(audit.ProveConsistency(1, audit.MaxSize+1, m.read)),
		"frontier without its nodes": second(audit.Frontier{Size: 3}.Root()),
		"append to such a frontier":  second(audit.Frontier{Size: 3}.Append(nil)),
		"negative frontier":          second(audit.Frontier{Size: -1}.Root()),
	} {
		if !errors.Is(err, audit.ErrTree) {
			t.Errorf("%s: %v", name, err)
		}
	}
	full := audit.Frontier{Size: audit.MaxSize, Nodes: make([]audit.Hash, 1)}
	if _, err := full.Append([][]byte{{1}}); !errors.Is(err, audit.ErrTree) {
		t.Errorf("one leaf too many: %v", err)
	}
	for name, err := range map[string]error{
		"leaf outside the tree": second(audit.Prove(3, 3, m.read)),
		"longer than the tree":  second(audit.ProveConsistency(4, 3, m.read)),
		"node that is missing":  second(audit.Prove(1000, 3, m.read)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestFrontierOfEmptyBatchStays(t *testing.T) {
	m := newMemory()
	m.append(t, [][]byte{{1}, {2}, {3}})
	before := m.frontier
	b := m.append(t, nil)
	if diff := cmp.Diff(before, b.Frontier); diff != "" || len(b.Nodes) != 0 {
		t.Error(diff, b.Nodes)
	}
}

func frontierSeeds(t testing.TB) (seeds [][]byte) {
	m := newMemory()
	for range 12 {
		b, err := m.frontier.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		seeds = append(seeds, b)
		m.append(t, [][]byte{b})
	}
	if len(seeds) == 0 {
		t.Fatal("no seeds")
	}
	return seeds
}

func TestFrontierBinary(t *testing.T) {
	for _, b := range frontierSeeds(t) {
		var f audit.Frontier
		if err := f.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
		for name, bad := range map[string][]byte{
			"short":        b[:len(b)-1],
			"long":         append(bytes.Clone(b), 0),
			"one more":     append(bytes.Clone(b), make([]byte, 32)...),
			"version":      append([]byte{2}, b[1:]...),
			"beyond size":  append([]byte{1, 0xff}, b[2:]...),
			"another size": append(append([]byte{1}, 0, 0, 0, 0, 0, 0, 0x3f, 0xff), b[9:]...),
		} {
			if err := new(audit.Frontier).UnmarshalBinary(bad); !errors.Is(err, audit.ErrTree) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := (audit.Frontier{Size: 1}).MarshalBinary(); !errors.Is(err, audit.ErrTree) {
		t.Error(err)
	}
}

func FuzzFrontier(f *testing.F) {
	for _, b := range frontierSeeds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var read audit.Frontier
		if err := read.UnmarshalBinary(b); err != nil {
			return
		}
		again, err := read.MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%x reads and writes back as %x, %v", b, again, err)
		}
		if _, err := read.Root(); err != nil {
			t.Error(err)
		}
	})
}
