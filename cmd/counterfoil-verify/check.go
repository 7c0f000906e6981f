package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// maxSmallFile bounds keys and tokens: hundreds of keys, or the largest token
// that a server takes in a header.
const maxSmallFile = 64 << 10

// check reads what the arguments name and verifies the log. Everything that is
// read must be under a checkpoint, or it is not said to be sound.
func check(ctx context.Context, a arguments) (verify.Result, error) {
	opts := verify.Options{RequireSigned: true}
	var err error
	if opts.VKeys, err = readKeys(a.key); err != nil {
		return verify.Result{}, err
	}
	for _, path := range a.checkpoints {
		c, err := readFile(path, audit.MaxCheckpoint)
		if err != nil {
			return verify.Result{}, err
		}
		opts.Checkpoints = append(opts.Checkpoints, c)
	}
	if a.base != nil {
		return checkService(ctx, a, opts)
	}
	f, err := os.Open(a.log)
	if err != nil {
		return verify.Result{}, fmt.Errorf("the log cannot be read: %w", err)
	}
	defer func() { _ = f.Close() }()
	return verify.Log(ctx, verify.Lines(f), opts)
}

func checkService(ctx context.Context, a arguments, opts verify.Options) (verify.Result, error) {
	token, err := readFile(a.bearerFile, maxSmallFile)
	if err != nil {
		return verify.Result{}, err
	}
	s := newService(a.base, strings.TrimSpace(string(token)))
	newest, err := s.checkpoint(ctx)
	if err != nil {
		return verify.Result{}, err
	}
	// The size is not believed yet: it says how far to read, and the verifier
	// says whether that checkpoint is signed and the entries lead to its root.
	head, err := audit.OpenCheckpoint(newest, opts.VKeys...)
	if err != nil {
		if errors.Is(err, audit.ErrKey) {
			return verify.Result{}, usageError("--key: %s", err.Error())
		}
		return verify.Result{}, &verify.Fault{Index: verify.NoIndex, Rule: verify.RuleSignature, Detail: "the checkpoint of the service: " + err.Error()}
	}
	opts.Checkpoints = append(opts.Checkpoints, newest)
	return verify.Log(ctx, s.entries(ctx, head.Size), opts)
}

// readKeys takes a verifier key as it is, or a file with one on each line.
func readKeys(key string) ([]string, error) {
	if _, err := audit.OriginOf(key); err == nil {
		return []string{key}, nil
	}
	b, err := readFile(key, maxSmallFile)
	if err != nil {
		return nil, fmt.Errorf("--key is neither a verifier key nor a readable file: %w", err)
	}
	keys := strings.Fields(string(b))
	if len(keys) == 0 {
		return nil, usageError("--key: the file holds no key")
	}
	return keys, nil
}

// readFile reads a file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := readAtMost(f, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

var errTooLong = errors.New("longer than allowed")

func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: at most %d bytes", errTooLong, limit)
	}
	return b, nil
}
