package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/counterfoil/counterfoil/client"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// logCopy is a log that was found sound: of a bundle, or read from a service.
type logCopy struct {
	head       audit.TreeHead
	checkpoint []byte
	source     evidence.Source
	tree       func() (*evidence.Tree, error) // only a sample needs it
	close      func() error
}

// logPage is how many entries are asked for at a time: as many as the service gives.
const logPage = 1000

// ofBundle opens the log of a bundle.
func ofBundle(path string, keys []string) (*logCopy, error) {
	opened, err := evidence.OpenBundle(path, keys...)
	if err != nil {
		return nil, err
	}
	return &logCopy{
		head: opened.Head, checkpoint: opened.Checkpoint, source: opened.Source(),
		tree: func() (*evidence.Tree, error) { return opened.Tree, nil }, close: func() error { return nil },
	}, nil
}

// ofService reads the whole log of a service up to its checkpoint and verifies it as
// it comes, as counterfoil-verify does: what is in no tree that was signed leads to
// no number. Entries hold no values; they are in a temporary file as long as the
// command runs.
func ofService(ctx context.Context, service *client.Client) (_ *logCopy, err error) {
	head, err := service.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	listed, err := service.LogKeys(ctx)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, k := range listed {
		if k.Trusted {
			keys = append(keys, k.Key)
		}
	}
	file, err := os.CreateTemp("", "counterfoil-log-*")
	if err != nil {
		return nil, err
	}
	discard := func() error { return errors.Join(file.Close(), os.Remove(file.Name())) }
	defer func() {
		if err != nil {
			err = errors.Join(err, discard())
		}
	}()
	out := bufio.NewWriter(file)
	opts := verify.Options{VKeys: keys, Checkpoints: [][]byte{[]byte(head.Note)}, RequireSigned: true}
	if _, err := verify.Log(ctx, copying(pages(ctx, service, head.Size), out), opts); err != nil {
		return nil, fmt.Errorf("the log of the service: %w", err)
	}
	if err := out.Flush(); err != nil {
		return nil, err
	}
	source := linesOf(file.Name())
	return &logCopy{
		head: audit.TreeHead{Origin: head.Log, Size: head.Size, Root: head.Root}, checkpoint: []byte(head.Note), source: source,
		tree: func() (*evidence.Tree, error) { return evidence.NewTree(source) }, close: discard,
	}, nil
}

// pages gives the first entries of the log of a service.
func pages(ctx context.Context, service *client.Client, size int64) verify.Source {
	return func(yield func(verify.Entry) error) error {
		query := client.AuditQuery{Limit: logPage}
		for read := int64(0); read < size; {
			page, err := service.AuditSearch(ctx, query)
			if err != nil {
				return err
			}
			for i := 0; i < len(page.Entries) && read < size; i++ {
				e := &page.Entries[i]
				if err := yield(verify.Entry{Index: e.Index, Leaf: e.Entry, LeafHash: e.LeafHash[:]}); err != nil {
					return err
				}
				read++
			}
			if query.Cursor = page.NextCursor; query.Cursor == "" {
				return nil // if that is too early, the verifier says so
			}
		}
		return nil
	}
}

// prunedLine is how verify.Lines has an entry whose leaf was taken out.
const prunedLine = "pruned "

// copying writes down what it passes on, as verify.Lines reads it.
func copying(from verify.Source, out *bufio.Writer) verify.Source {
	return func(yield func(verify.Entry) error) error {
		return from(func(e verify.Entry) error {
			line := e.Leaf
			if len(line) == 0 {
				line = []byte(prunedLine + audit.Hash(e.LeafHash).String())
			}
			if _, err := out.Write(append(line[:len(line):len(line)], '\n')); err != nil {
				return err
			}
			return yield(e)
		})
	}
}

// linesOf walks a log that was written down.
func linesOf(path string) evidence.Source {
	return func(yield func(evidence.Entry) error) error {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		return verify.Lines(file)(func(e verify.Entry) error {
			one := evidence.Entry{Index: e.Index, Leaf: e.Leaf}
			if e.Leaf == nil {
				one.Hash = audit.Hash(e.LeafHash)
				return yield(one)
			}
			one.Hash = audit.LeafHash(e.Leaf)
			if one.Entry, err = audit.ParseLeaf(e.Leaf); err != nil {
				return fmt.Errorf("entry %d: %w", e.Index, err)
			}
			return yield(one)
		})
	}
}
