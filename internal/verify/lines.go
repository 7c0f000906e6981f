package verify

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Lines is the source of an exported log: one leaf on each line, byte for byte,
// the first line being index 0. There are no stored hashes to compare.
func Lines(r io.Reader) Source {
	return func(yield func(Entry) error) error {
		// One byte more than the longest leaf and its line break, so that a
		// longer line is noticed and not split.
		in := bufio.NewReaderSize(r, audit.MaxLeaf+2)
		for index := int64(0); ; index++ {
			line, err := in.ReadSlice('\n')
			switch {
			case errors.Is(err, io.EOF) && len(line) == 0:
				return nil
			case errors.Is(err, bufio.ErrBufferFull):
				return &Fault{Index: index, Rule: RuleSchema, Detail: fmt.Sprintf("the line is longer than %d bytes", audit.MaxLeaf)}
			case err != nil && !errors.Is(err, io.EOF):
				return fmt.Errorf("line %d: %w", index+1, err)
			}
			if n := len(line); n > 0 && line[n-1] == '\n' {
				line = line[:n-1]
			}
			if err := yield(Entry{Index: index, Leaf: line}); err != nil {
				return err
			}
		}
	}
}
