package evidence

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/audit"
)

const (
	// MaxSample bounds a sample: auditors take 25 to 250.
	MaxSample = 10_000
	// maxSeed bounds a seed, which people type.
	maxSeed = 256
)

// A Draw is an item of a sample.
type Draw struct {
	Item
	Draw int               // 1 for the first that was drawn
	Key  [sha256.Size]byte // by which it was
}

// Sample draws size items without replacement. Anybody who has the population can
// draw the same again:
//
//	key of an item = HMAC-SHA-256(key: the bytes of the seed,
//	                              message: digest of the population (32 bytes)
//	                                       || index of the item (8 bytes, big-endian))
//
// The items with the smallest keys, compared byte by byte, are drawn, in that order.
// So each choice of size items is as likely as any other to whom the seed was not
// known when the log was written, and a larger sample of the same seed begins with
// the smaller one. Who chooses the seed must not be who is audited.
func Sample(p *Population, size int, seed string) ([]Draw, error) {
	switch {
	case size < 1 || size > MaxSample:
		return nil, fmt.Errorf("%w: a sample has 1 to %d items", ErrPopulation, MaxSample)
	case seed == "" || len(seed) > maxSeed:
		return nil, fmt.Errorf("%w: a seed has 1 to %d bytes", ErrPopulation, maxSeed)
	}
	draws := make([]Draw, len(p.Items))
	mac := hmac.New(sha256.New, []byte(seed))
	var index [8]byte
	for i := range p.Items {
		mac.Reset()
		binary.BigEndian.PutUint64(index[:], uint64(p.Items[i].Index)) //nolint:gosec // an index is never negative
		_, _ = mac.Write(p.Digest[:])                                  // a hash never fails
		_, _ = mac.Write(index[:])
		draws[i].Item = p.Items[i]
		mac.Sum(draws[i].Key[:0])
	}
	// Two items with one key would be a collision of SHA-256: indexes differ.
	slices.SortFunc(draws, func(a, b Draw) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	draws = slices.Clip(draws[:min(size, len(draws))])
	for i := range draws {
		draws[i].Draw = i + 1
	}
	return draws, nil
}

// Receipts proves each item of a sample under a checkpoint: one after the other, in
// the order of the draws.
func Receipts(draws []Draw, head audit.TreeHead, checkpoint []byte, prove func(size, index int64) ([]audit.Hash, error)) ([]audit.Receipt, error) {
	receipts := make([]audit.Receipt, len(draws))
	for i, d := range draws {
		proof, err := prove(head.Size, d.Index)
		if err != nil {
			return nil, err
		}
		receipts[i] = audit.Receipt{
			Log: head.Origin, Index: d.Index, LeafHash: d.Hash, TreeSize: head.Size, RootHash: head.Root, Proof: proof, Checkpoint: string(checkpoint),
		}
	}
	return receipts, nil
}

// SampleTable is a sample as a table.
func SampleTable(p *Population, draws []Draw, seed string) Table {
	t := Table{
		Name: "sample_" + string(p.Kind), Title: "Sample: " + string(p.Kind), Query: p.query(),
		Columns: append([]Column{{"draw", "Draw", KindCount}, {"key", "Key", KindRef}}, itemColumns...),
		Notes: append(p.notes(),
			fmt.Sprintf("%d of %d items, drawn with the seed %q: those with the smallest HMAC-SHA-256(seed, digest of the population || index as 8 bytes, big-endian).", len(draws), len(p.Items), seed)),
	}
	for i := range draws {
		t.Entries = append(t.Entries, draws[i].Index)
		t.Rows = append(t.Rows, append([]string{count(draws[i].Draw), hex.EncodeToString(draws[i].Key[:])}, draws[i].row()...))
	}
	return t
}
