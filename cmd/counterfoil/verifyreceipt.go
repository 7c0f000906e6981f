package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/counterfoil/counterfoil/internal/verify"
	"github.com/counterfoil/counterfoil/internal/verify/verifycli"
)

// receipts checks receipts of erasures with nothing but the keys of the log, and
// prints of each what it proves.
func (c verifyCommand) receipts(s streams) error {
	keys, err := verifycli.Keys("--log-key", c.LogKey)
	if err != nil {
		return &exitCoded{exitUsage, fmt.Errorf("verify: %w", err)}
	}
	for _, path := range c.Receipt {
		text, err := readBounded(path, verify.MaxReceipt)
		if err != nil {
			return &exitCoded{exitUnread, fmt.Errorf("verify: --receipt: %w", err)}
		}
		result, err := verify.Erasure(text, keys...)
		switch {
		case errors.Is(err, verify.ErrOptions):
			return &exitCoded{exitUsage, fmt.Errorf("verify: --log-key: %w", err)}
		case err != nil:
			return &exitCoded{exitError, fmt.Errorf("verify: %s: %w", path, err)}
		}
		if err := proved(s.out, &result); err != nil {
			return err
		}
	}
	return nil
}

// readBounded reads a file of at most limit bytes and one more, by which a
// longer one is known.
func readBounded(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, limit+1))
}

// proved says what a receipt proves, and what it does not.
func proved(w io.Writer, r *verify.ErasureResult) error {
	line := fmt.Sprintf("PROVED tenant=%s entry=%d size=%d root=%s", r.Tenant, r.Index, r.Size, r.Root)
	if !r.Entry {
		_, err := fmt.Fprintln(w, line+"\n       the entry is in the log; what it says is in the internal copy alone")
		return err
	}
	c := r.Counts
	line += fmt.Sprintf(" request=%s reference=%s erased_at=%s erased=%d deferred=%d shared=%d keys=%d rekeyed=%d",
		r.RequestID, r.Reference, stamp(r.ErasedAt), c.Erased, c.Deferred, c.Shared, c.Keys, c.Rekeyed)
	if r.Replayed {
		line += "\n       it was erased again then, in an older copy of the data that took over; the counts are those of the copy"
	}
	if r.Later > 0 {
		line += fmt.Sprintf("\n       %d more were erased when they were released: later entries say so, not this receipt", r.Later)
	}
	_, err := fmt.Fprintln(w, line)
	return err
}
