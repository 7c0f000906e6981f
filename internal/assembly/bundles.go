package assembly

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/evidence"
	"github.com/counterfoil/counterfoil/internal/evidence/report"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// bundles puts evidence together and keeps it in a folder: one tar for each
// request. A bundle is in its place whole or not at all. What is lost with the
// folder can be asked for again: it is drawn from the log.
type bundles struct {
	dir     string
	service *vault.Service
}

// bundlePath is where the bundle of a request is. Ids are hexadecimal and names of
// tenants have no slash: neither leads out of the folder.
func bundlePath(dir, tenant, id string) string { return filepath.Join(dir, tenant, id+".tar") }

// open opens a bundle that is done.
func (b *bundles) open(_ context.Context, tenant, id string) (io.ReadCloser, error) {
	return os.Open(bundlePath(b.dir, tenant, id))
}

// next puts the oldest evidence together that a tenant waits for, and tells whether
// there may be more.
func (b *bundles) next(ctx context.Context, tenant string) (bool, error) {
	asked, found, err := b.service.NextEvidence(ctx, tenant)
	if err != nil || !found {
		return false, err
	}
	done, err := b.make(ctx, tenant, asked)
	if err != nil && !refusesForGood(err) {
		return false, err // as where the store is away: it is tried again
	}
	return true, errors.Join(err, b.service.FinishEvidence(ctx, tenant, done))
}

// refusesForGood tells an error that comes again however often it is tried: what
// the log holds cannot be put into a bundle.
func refusesForGood(err error) bool {
	for _, known := range []error{evidence.ErrSource, evidence.ErrBundle, evidence.ErrTable, evidence.ErrPeriod} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// make writes the bundle of a request. Where it cannot be made what is returned has
// no digest.
func (b *bundles) make(ctx context.Context, tenant string, asked vault.EvidenceInfo) (vault.EvidenceInfo, error) {
	path := bundlePath(b.dir, tenant, asked.ID)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return asked, fmt.Errorf("assembly: evidence: %w", err)
	}
	clearAborted(filepath.Dir(path))
	file, err := os.CreateTemp(filepath.Dir(path), abortedPattern)
	if err != nil {
		return asked, fmt.Errorf("assembly: evidence: %w", err)
	}
	defer func() { _ = os.Remove(file.Name()) }() // fails once it was renamed, as it should
	out := &counted{to: file, sum: sha256.New()}
	size, err := b.write(ctx, tenant, asked, out)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return asked, fmt.Errorf("assembly: evidence: %w", err)
	}
	done := asked
	done.SHA256, done.Bytes, done.Size = hex.EncodeToString(out.sum.Sum(nil)), out.n, size
	return done, nil
}

const (
	// abortedPattern is what files are called that are not in their place yet.
	abortedPattern = ".bundle-*"
	// abortedAfter is longer than any bundle takes: a file of that age is one of a
	// process that was cut off.
	abortedAfter = 24 * time.Hour
)

// clearAborted takes away what processes left that were cut off. It is a help: what
// is not taken away only takes room.
func clearAborted(dir string) {
	left, err := filepath.Glob(filepath.Join(dir, abortedPattern))
	if err != nil {
		return
	}
	for _, name := range left {
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > abortedAfter {
			_ = os.Remove(name)
		}
	}
}

// write draws the evidence from the log as it stands, and returns its size.
func (b *bundles) write(ctx context.Context, tenant string, asked vault.EvidenceInfo, w io.Writer) (int64, error) {
	s := b.service
	head, checkpoint, err := s.SignedHead(ctx, tenant)
	if err != nil {
		return 0, err
	}
	facts, err := s.Facts(ctx, tenant)
	if err != nil {
		return 0, err
	}
	keys, handovers, err := trustedKeys(ctx, s, tenant, head.Size)
	if err != nil {
		return 0, err
	}
	period := evidence.Period{From: asked.From.UTC(), To: asked.To.UTC()}
	// The log is walked twice: for the tables, and into the bundle.
	log := b.telling(ctx, tenant, asked.ID, head.Size)
	e, err := evidence.Build(ctx, log, facts, period)
	if err != nil {
		return 0, err
	}
	controls, err := s.ControlsTable(ctx, log, facts, period)
	if err != nil {
		return 0, err
	}
	e.Tables = append(e.Tables, controls)
	var page bytes.Buffer
	if err := report.Write(&page, e); err != nil {
		return 0, err
	}
	bundle := evidence.Bundle{
		Evidence: e, Log: log, Policies: facts.Policies, Checkpoint: checkpoint, Keys: keys, Handovers: handovers,
		Extra: []evidence.File{{Path: "report.html", Body: page.Bytes()}},
	}
	return head.Size, bundle.Write(ctx, w, func(st audit.Statement) ([]byte, error) {
		return s.SignStatement(ctx, tenant, st.Title, st.Body)
	})
}

// trustedKeys is the first key of a log, and how it handed over to those after it
// while the log had at most a size: what came later is not of the head of that size.
func trustedKeys(ctx context.Context, s *vault.Service, tenant string, size int64) (keys []string, handovers [][]byte, err error) {
	all, err := s.LogKeys(ctx, tenant)
	if err != nil {
		return nil, nil, err
	}
	for i := len(all) - 1; i >= 0; i-- { // the newest is the first
		if all[i].Handover == "" {
			keys = append(keys, all[i].Key)
			continue
		}
		known := append(slices.Clone(keys), all[i+1].Key)
		handover, err := audit.OpenHandover([]byte(all[i].Handover), known...)
		if err != nil {
			return nil, nil, err
		}
		if handover.Size <= size {
			handovers = append(handovers, []byte(all[i].Handover))
		}
	}
	return keys, handovers, nil
}

// progressEvery is how often a replica says how far it is: several times within
// the time in which others leave it alone.
const progressEvery = 10 * time.Second

// walks is how often the log is walked for one bundle: for the tables, the controls
// and the entries.
const walks = 3

// telling is the log, told how far it was walked.
func (b *bundles) telling(ctx context.Context, tenant, id string, size int64) evidence.Source {
	var seen int64
	var told time.Time
	log := b.service.Log(ctx, tenant, size)
	return func(yield func(evidence.Entry) error) error {
		return log(func(one evidence.Entry) error {
			if seen++; seen == 1 || seen%1000 == 0 && time.Since(told) >= progressEvery {
				told = time.Now()
				percent := min(99, int(100*seen/max(walks*size, 1)))
				if err := b.service.EvidenceProgress(ctx, tenant, id, percent); err != nil {
					return err
				}
			}
			return yield(one)
		})
	}
}

// counted writes, hashes and counts.
type counted struct {
	to  io.Writer
	sum hash.Hash
	n   int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.to.Write(b)
	c.sum.Write(b[:n])
	c.n += int64(n)
	return n, err
}
