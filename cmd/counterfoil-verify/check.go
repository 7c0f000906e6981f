package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
	"github.com/counterfoil/counterfoil/internal/verify/verifyhttp"
)

// maxSmallFile bounds keys and tokens: hundreds of keys, or the largest token
// that a server takes in a header.
const maxSmallFile = 64 << 10

// maxReceipt bounds a receipt: its proof has at most 48 hashes.
const maxReceipt = 2*audit.MaxCheckpoint + 8<<10

// check reads what the arguments name and verifies the log. Everything that is
// read must be under a checkpoint, or it is not said to be sound.
func check(ctx context.Context, a arguments) (verify.Result, error) {
	opts, since, err := given(a)
	if err != nil {
		return verify.Result{}, err
	}
	switch {
	case a.base != nil:
		token, err := readFile(a.bearerFile, maxSmallFile)
		if err != nil {
			return verify.Result{}, err
		}
		return verifyhttp.New(a.base, strings.TrimSpace(string(token))).Verify(ctx, opts, since)
	case a.tiles != "":
		return verify.Tiles(ctx, os.DirFS(a.tiles), opts)
	}
	f, err := os.Open(a.log + a.bundle) // one of them is empty
	if err != nil {
		return verify.Result{}, fmt.Errorf("the log cannot be read: %w", err)
	}
	defer func() { _ = f.Close() }()
	if a.bundle != "" {
		return verify.Bundle(ctx, f, opts)
	}
	return verify.Log(ctx, verify.Lines(f), opts)
}

// given reads what is known of the log. Since is among the checkpoints where all of
// the log is read.
func given(a arguments) (opts verify.Options, since []byte, err error) {
	opts.RequireSigned = true
	for _, key := range a.keys {
		keys, err := readKeys(key)
		if err != nil {
			return opts, nil, err
		}
		opts.VKeys = append(opts.VKeys, keys...)
	}
	if opts.Checkpoints, err = readFiles(a.checkpoints, audit.MaxCheckpoint); err != nil {
		return opts, nil, err
	}
	if opts.Handovers, err = readFiles(a.handovers, audit.MaxStatement); err != nil {
		return opts, nil, err
	}
	receipts, err := readFiles(a.receipts, maxReceipt)
	if err != nil {
		return opts, nil, err
	}
	for i, text := range receipts {
		r, err := readReceipt(text)
		if err != nil {
			return opts, nil, fmt.Errorf("%s: %w", a.receipts[i], err)
		}
		opts.Receipts = append(opts.Receipts, r)
	}
	if a.since == "" {
		return opts, nil, nil
	}
	if since, err = readFile(a.since, audit.MaxCheckpoint); err == nil && a.base == nil {
		opts.Checkpoints = append(opts.Checkpoints, since)
	}
	return opts, since, err
}

var errReceipt = errors.New("not a receipt as the service gives it")

// readReceipt reads the JSON of a receipt. Its error repeats nothing of it.
func readReceipt(text []byte) (audit.Receipt, error) {
	var r audit.Receipt
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil || d.More() {
		return audit.Receipt{}, errReceipt
	}
	return r, nil
}

func readFiles(paths []string, limit int64) (all [][]byte, err error) {
	for _, path := range paths {
		b, err := readFile(path, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
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
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = errTooLong
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

var errTooLong = errors.New("longer than allowed")
