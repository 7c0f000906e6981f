package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// ErrOlder says that the data are an older copy: what is kept outside the database
// knows more. `counterfoil recover` takes them up.
var ErrOlder = errors.New("the data are an older copy")

// journalTries bounds how often an append begins anew because another replica
// wrote in between.
const journalTries = 5

// Journals keeps the journals of erasures of all tenants, beside their anchors. It
// is safe for concurrent use.
type Journals struct {
	anchors AnchorStore
	source  vault.JournalSource

	mu   sync.Mutex // of open
	open map[string]*journal
}

// journal is that of one tenant.
type journal struct {
	mu    sync.Mutex
	read  bool
	known vault.Journal
}

// NewJournals keeps journals of what a store says.
func NewJournals(anchors AnchorStore, source vault.JournalSource) *Journals {
	return &Journals{anchors: anchors, source: source, open: make(map[string]*journal)}
}

func (k *Journals) of(tenant string) *journal {
	k.mu.Lock()
	defer k.mu.Unlock()
	j := k.open[tenant]
	if j == nil {
		j = &journal{}
		k.open[tenant] = j
	}
	return j
}

// Lines reads a journal from its beginning, and follows it.
func (k *Journals) Lines(tenant string) (lines []vault.JournalLine, chain []audit.Hash, err error) {
	raw, err := k.anchors.Journal(tenant, 0)
	if err != nil {
		return nil, nil, err
	}
	var known vault.Journal
	for _, text := range raw {
		line, err := known.Follow(text)
		if err != nil {
			return nil, nil, fmt.Errorf("lifecycle: the journal of %s: %w", tenant, err)
		}
		lines, chain = append(lines, line), append(chain, known.Chain)
	}
	return lines, chain, nil
}

// Intact holds a journal against its anchor, which may know less of it and nothing
// else. It returns the lines, and how many the anchor speaks for.
func (k *Journals) Intact(anchor audit.Anchor) (lines []vault.JournalLine, spoken int, err error) {
	lines, chain, err := k.Lines(anchor.Tenant)
	if err != nil || anchor.Tombstones == (audit.Hash{}) {
		return lines, 0, err
	}
	for n, hash := range chain {
		if hash == anchor.Tombstones {
			return lines, n + 1, nil
		}
	}
	return nil, 0, fmt.Errorf("lifecycle: %w: that of %s is not the one that its anchor speaks for", vault.ErrJournal, anchor.Tenant)
}

// Check holds a journal against its anchor and against the store, which has to have
// every erasure that is in it.
func (k *Journals) Check(ctx context.Context, anchor audit.Anchor) error {
	lines, spoken, err := k.Intact(anchor)
	if err != nil {
		return err
	}
	// What the anchor speaks for is before the head that the store was held
	// against; only what is younger may be missing.
	states := make(map[string]vault.ErasureState)
	for _, line := range lines[spoken:] {
		if line.Erased != nil {
			states[line.Erased.ID] = line.Erased.State
		}
	}
	for id, state := range states {
		row, err := k.source.Erasures(ctx, anchor.Tenant, vault.ErasureQuery{ID: id, Limit: 1})
		if err != nil {
			return err
		}
		if len(row) == 0 || state == vault.ErasureCompleted && row[0].State != state {
			return fmt.Errorf("lifecycle: %w: %s has an erasure in its journal that is not in the database", ErrOlder, anchor.Tenant)
		}
	}
	return nil
}

// CatchUp journals the erasures of a tenant that were committed since, and returns
// the digest of the journal: an anchor of a head that was read before may hold it.
func (k *Journals) CatchUp(ctx context.Context, tenant string) (audit.Hash, error) {
	j := k.of(tenant)
	j.mu.Lock()
	defer j.mu.Unlock()
	var followed func()
	err := k.add(tenant, j, func() (lines []vault.JournalLine, err error) {
		lines, followed, err = vault.JournalDue(ctx, k.source, tenant, &j.known)
		return lines, err
	})
	if err != nil {
		return audit.Hash{}, err
	}
	followed()
	return j.known.Chain, nil
}

// Anchors are those of all tenants.
func (k *Journals) Anchors() ([]audit.Anchor, error) { return k.anchors.Read() }

// SetAside is that of the anchors.
func (k *Journals) SetAside(tenant string, by *audit.Anchor) error {
	return k.anchors.SetAside(tenant, by)
}

// Add journals lines of a tenant.
func (k *Journals) Add(tenant string, lines ...vault.JournalLine) error {
	j := k.of(tenant)
	j.mu.Lock()
	defer j.mu.Unlock()
	return k.add(tenant, j, func() ([]vault.JournalLine, error) { return lines, nil })
}

// add appends what is due, by what is known; where another replica was faster it
// is asked for again. j.mu is held.
func (k *Journals) add(tenant string, j *journal, due func() ([]vault.JournalLine, error)) error {
	for range journalTries {
		if err := k.follow(tenant, j); err != nil {
			return err
		}
		lines, err := due()
		if err != nil || len(lines) == 0 {
			return err
		}
		raw := make([][]byte, len(lines))
		for n, line := range lines {
			raw[n] = line.Marshal()
		}
		if err = k.anchors.Append(tenant, j.known.Lines, raw); errors.Is(err, vault.ErrJournalMoved) {
			j.read = false
			continue
		}
		if err != nil {
			j.read = false // it may have been kept all the same
			return err
		}
		for _, text := range raw {
			if _, err := j.known.Follow(text); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("lifecycle: the journal of %s: %w", tenant, vault.ErrJournalMoved)
}

// follow reads what is in the journal and not known yet.
func (k *Journals) follow(tenant string, j *journal) error {
	if j.read {
		return nil
	}
	raw, err := k.anchors.Journal(tenant, j.known.Lines)
	if err != nil {
		return err
	}
	for _, text := range raw {
		if _, err := j.known.Follow(text); err != nil {
			return fmt.Errorf("lifecycle: the journal of %s: %w", tenant, err)
		}
	}
	j.read = true
	return nil
}
