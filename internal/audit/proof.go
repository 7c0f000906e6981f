package audit

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Prove returns the RFC 6962 inclusion proof of leaf index in the tree of the
// first size leaves. read gives a complete subtree: level 0 is the leaf hashes,
// the levels above are the stored nodes. A size below that of the log works
// too: a node that is complete then is the same for ever.
func Prove(size, index int64, read func(level int, n int64) (Hash, error)) ([]Hash, error) {
	if err := checkSize(size); err != nil {
		return nil, err
	}
	proof, err := tlog.ProveRecord(size, index, reader(read))
	if err != nil {
		return nil, fmt.Errorf("audit: proof of leaf %d in a tree of %d: %w", index, size, err)
	}
	return proof, nil
}

// ProveConsistency returns the RFC 6962 proof that the tree of the first from
// leaves is the beginning of the tree of the first to leaves.
func ProveConsistency(from, to int64, read func(level int, n int64) (Hash, error)) ([]Hash, error) {
	if err := checkSize(to); err != nil {
		return nil, err
	}
	proof, err := tlog.ProveTree(to, from, reader(read))
	if err != nil {
		return nil, fmt.Errorf("audit: proof that a tree of %d extends one of %d: %w", to, from, err)
	}
	return proof, nil
}

func checkSize(size int64) error {
	if size < 0 || size > MaxSize {
		return fmt.Errorf("%w: no log has %d leaves", ErrTree, size)
	}
	return nil
}

// reader lets tlog ask by its own numbering of stored hashes.
func reader(read func(level int, n int64) (Hash, error)) tlog.HashReaderFunc {
	return func(indexes []int64) ([]Hash, error) {
		hashes := make([]Hash, len(indexes))
		for i, x := range indexes {
			level, n := tlog.SplitStoredHashIndex(x)
			h, err := read(level, n)
			if err != nil {
				return nil, err
			}
			hashes[i] = h
		}
		return hashes, nil
	}
}

// RootAt returns the root of the tree of the first size leaves.
func RootAt(size int64, read func(level int, n int64) (Hash, error)) (Hash, error) {
	if err := checkSize(size); err != nil {
		return Hash{}, err
	}
	root, err := tlog.TreeHash(size, reader(read))
	if err != nil {
		return Hash{}, fmt.Errorf("audit: root of a tree of %d: %w", size, err)
	}
	return root, nil
}
