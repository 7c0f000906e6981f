package verify

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/counterfoil/counterfoil/internal/audit"
	"golang.org/x/mod/sumdb/tlog"
)

// prunedLine begins the line of an entry whose leaf was taken out; the rest is its
// leaf hash in base64. A leaf begins with a brace.
const prunedLine = "pruned "

// Lines is the source of an exported log: one leaf on each line, byte for byte,
// the first line being index 0. There are no stored hashes to compare. An entry
// whose leaf was taken out is a line with its hash.
func Lines(r io.Reader) Source {
	return func(yield func(Entry) error) error {
		_, err := readLines(r, 0, yield)
		return err
	}
}

// readLines gives the entries of lines, the first of which has an index, and
// returns the index after the last.
func readLines(r io.Reader, index int64, yield func(Entry) error) (int64, error) {
	// One byte more than the longest leaf and its line break, so that a
	// longer line is noticed and not split.
	in := bufio.NewReaderSize(r, audit.MaxLeaf+2)
	for ; ; index++ {
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return index, nil
		case errors.Is(err, bufio.ErrBufferFull):
			return index, &Fault{Index: index, Rule: RuleSchema, Detail: fmt.Sprintf("the line is longer than %d bytes", audit.MaxLeaf)}
		case err != nil && !errors.Is(err, io.EOF):
			return index, fmt.Errorf("line of entry %d: %w", index, err)
		}
		e := Entry{Index: index, Leaf: bytes.TrimSuffix(line, []byte("\n"))}
		if hash, gone := bytes.CutPrefix(e.Leaf, []byte(prunedLine)); gone {
			if e.Leaf, e.LeafHash = nil, hashOf(string(hash)); e.LeafHash == nil {
				return index, &Fault{Index: index, Rule: RulePruned, Detail: "the line does not hold a leaf hash"}
			}
		}
		if err := yield(e); err != nil {
			return index, err
		}
	}
}

// hashOf reads a hash in its one text form, and gives nil for anything else.
func hashOf(text string) []byte {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != tlog.HashSize || len(text) != base64.StdEncoding.EncodedLen(tlog.HashSize) {
		return nil
	}
	return b
}
