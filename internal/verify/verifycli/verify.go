package verifycli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/verify"
	"github.com/counterfoil/counterfoil/internal/verify/verifyhttp"
)

const (
	// maxSmallFile bounds keys and tokens: hundreds of keys, or the largest token
	// that a server takes in a header.
	maxSmallFile = 64 << 10
	// maxReceipts bounds a file of receipts: a hundred thousand usual ones.
	maxReceipts = 256 << 20
)

// Verify reads what is given and verifies the log. Everything that is read must be
// under a checkpoint, or it is not said to be sound.
func (g *Given) Verify(ctx context.Context) (verify.Result, error) {
	if err := g.Check(); err != nil {
		return verify.Result{}, err
	}
	opts, since, err := g.options()
	if err != nil {
		return verify.Result{}, err
	}
	switch {
	case g.URL != "":
		token, err := readFile(g.BearerFile, maxSmallFile)
		if err != nil {
			return verify.Result{}, err
		}
		base, err := verifyhttp.Address(g.URL, g.PlainHTTP)
		if err != nil {
			return verify.Result{}, err
		}
		return verifyhttp.New(base, strings.TrimSpace(string(token))).Verify(ctx, opts, since)
	case g.Tiles != "":
		return verify.Tiles(ctx, os.DirFS(g.Tiles), opts)
	}
	f, err := os.Open(g.Log + g.Bundle) // one of them is empty
	if err != nil {
		return verify.Result{}, fmt.Errorf("the log cannot be read: %w", err)
	}
	defer func() { _ = f.Close() }()
	if g.Bundle != "" {
		return verify.Bundle(ctx, f, opts)
	}
	return verify.Log(ctx, verify.Lines(f), opts)
}

// options reads what is known of the log. Since is among the checkpoints where all
// of the log is read.
func (g *Given) options() (opts verify.Options, since []byte, err error) {
	opts.RequireSigned = true
	if opts.VKeys, err = Keys("--key", g.Keys); err != nil {
		return opts, nil, err
	}
	if opts.Checkpoints, err = readFiles(g.Checkpoints, audit.MaxCheckpoint); err != nil {
		return opts, nil, err
	}
	if opts.Handovers, err = readFiles(g.Handovers, audit.MaxStatement); err != nil {
		return opts, nil, err
	}
	for _, path := range g.Receipts {
		text, err := readFile(path, maxReceipts)
		if err != nil {
			return opts, nil, err
		}
		some, err := readReceipts(text)
		if err != nil {
			return opts, nil, fmt.Errorf("%s: %w", path, err)
		}
		opts.Receipts = append(opts.Receipts, some...)
	}
	if g.Since == "" {
		return opts, nil, nil
	}
	if since, err = readFile(g.Since, audit.MaxCheckpoint); err == nil && g.URL == "" {
		opts.Checkpoints = append(opts.Checkpoints, since)
	}
	return opts, since, err
}

var (
	errReceipt = errors.New("not a receipt as the service gives it")
	errTooLong = errors.New("longer than allowed")
)

// readReceipts reads a receipt as JSON, or several, one after the other. Its error
// repeats nothing of them.
func readReceipts(text []byte) (all []audit.Receipt, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	for {
		var r audit.Receipt
		err := d.Decode(&r)
		switch {
		case errors.Is(err, io.EOF) && len(all) > 0:
			return all, nil
		case err != nil:
			return nil, errReceipt
		}
		all = append(all, r)
	}
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

// Keys takes verifier keys as they are, and files with one on each line. Errors say
// which flag it was, and not what stood there.
func Keys(flag string, given []string) (all []string, err error) {
	for _, key := range given {
		if _, err := audit.OriginOf(key); err == nil {
			all = append(all, key)
			continue
		}
		b, err := readFile(key, maxSmallFile)
		if err != nil {
			return nil, fmt.Errorf("%s is neither a verifier key nor a file that can be read: %w", flag, cause(err))
		}
		keys := strings.Fields(string(b))
		if len(keys) == 0 {
			return nil, Usagef("%s: the file holds no verifier key", flag)
		}
		all = append(all, keys...)
	}
	return all, nil
}

// cause drops the name from an error of the file system: it is what somebody typed
// for a key.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
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

// Sound is the line that says what was verified.
func Sound(r *verify.Result) string {
	return fmt.Sprintf("SOUND tenant=%s entries=%d root=%s checkpoint=%d first=%s last=%s%s", r.Tenant, r.Entries, r.Root, r.Signed,
		stamp(r.First), stamp(r.Last), more(r))
}

// more is what only some logs have.
func more(r *verify.Result) (text string) {
	for _, n := range []struct {
		name  string
		count int64
	}{{"from", r.From}, {"pruned", r.Pruned}, {"files", int64(r.Files)}} {
		if n.count > 0 {
			text += fmt.Sprintf(" %s=%d", n.name, n.count)
		}
	}
	return text
}

// stamp is the time of an entry, or a dash where the log is empty.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.RFC3339Nano)
}
