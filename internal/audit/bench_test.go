package audit_test

import (
	"strconv"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
)

func BenchmarkLeaf(b *testing.B) {
	e := sample()
	e.V, e.Time = audit.Version, at
	leaf, err := e.Leaf()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(leaf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Leaf(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseLeaf(b *testing.B) {
	leaf := leafOf(b, sample())
	b.SetBytes(int64(len(leaf)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := audit.ParseLeaf(leaf); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppend reports the time of one leaf within a batch, with and without
// the inclusion proof that its receipt needs.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 16, 256} {
		leaves := make([][]byte, n)
		for i := range leaves {
			leaves[i] = leafOf(b, sample())
		}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			benchmarkAppend(b, leaves, false)
		})
		b.Run(strconv.Itoa(n)+"+proofs", func(b *testing.B) {
			benchmarkAppend(b, leaves, true)
		})
	}
}

func benchmarkAppend(b *testing.B, leaves [][]byte, prove bool) {
	m := newMemory()
	for range 999 {
		m.append(b, leaves[:1])
	}
	f := m.frontier
	b.ReportAllocs()
	for b.Loop() {
		batch, err := f.Append(leaves)
		if err != nil {
			b.Fatal(err)
		}
		f = batch.Frontier
		for i := batch.First; prove && i < f.Size; i++ {
			if _, err := batch.Prove(i); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(leaves)), "ns/leaf")
}

func BenchmarkSign(b *testing.B) {
	s := newSigner(b, origin, 1)
	head := audit.TreeHead{Origin: origin, Size: 123456, Root: audit.LeafHash(nil)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Sign(head); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLink is what an author does with an entry before it is queued.
func BenchmarkLink(b *testing.B) {
	e := sample()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := audit.Link(e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCommit is all that the log costs one commit, from entries that are
// linked to receipts: time and leaves, the tree, one signature, a proof for
// each entry.
func BenchmarkCommit(b *testing.B) {
	signer := newSigner(b, origin, 1)
	for _, n := range []int{1, 16, 256} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			changes := make([][]audit.Entry, n)
			for i := range changes {
				var err error
				if changes[i], err = audit.Link(sample()); err != nil {
					b.Fatal(err)
				}
			}
			m := newMemory()
			for range 999 {
				m.append(b, [][]byte{{'x'}})
			}
			f := m.frontier
			b.ReportAllocs()
			for b.Loop() {
				f = benchmarkCommit(b, f, signer, changes)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/entry")
		})
	}
}

func benchmarkCommit(b *testing.B, f audit.Frontier, signer *audit.Signer, changes [][]audit.Entry) audit.Frontier {
	leaves := make([][]byte, 0, len(changes))
	for _, entries := range changes {
		made, err := audit.Finalise(entries, at)
		if err != nil {
			b.Fatal(err)
		}
		leaves = append(leaves, made...)
	}
	batch, err := f.Append(leaves)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := signer.Sign(audit.TreeHead{Origin: origin, Size: batch.Frontier.Size, Root: batch.Root}); err != nil {
		b.Fatal(err)
	}
	for i := batch.First; i < batch.Frontier.Size; i++ {
		if _, err := batch.Prove(i); err != nil {
			b.Fatal(err)
		}
	}
	return batch.Frontier
}
