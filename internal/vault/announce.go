package vault

import (
	"context"
	"slices"
	"sync"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// announced remembers which policy versions a log has been told of, so that the
// log says by itself which versions its entries may name: before the first entry
// under a version stands one that announces it (policy_load, or the tenant_create
// that begins the log). Two replicas may both say it; nobody forgets to.
type announced struct {
	mu   sync.Mutex
	seen map[announcement]bool
}

type announcement struct{ tenant, version string }

// maxAnnounced bounds what is remembered; beyond it the log is looked at again.
const maxAnnounced = 1 << 14

func newAnnounced() *announced { return &announced{seen: make(map[announcement]bool)} }

func (a *announced) has(of announcement) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seen[of]
}

func (a *announced) add(of announcement) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.seen) >= maxAnnounced {
		clear(a.seen)
	}
	a.seen[of] = true
}

// write commits a change, after its log was told of the policy version that the
// entry names. Every write of the service goes through it.
func (s *Service) write(ctx context.Context, tenant string, c Change) (Committed, error) {
	if err := s.announce(ctx, tenant, c.entry.Kind, c.entry.PolicyVersion); err != nil {
		return Committed{}, err
	}
	c.entry.Obligations = append(slices.Clone(c.entry.Obligations), s.classesIn(&c.entry)...)
	if c.grant != nil {
		of := *c.grant
		of.Entry.Obligations = append(slices.Clone(of.Entry.Obligations), s.classesIn(&of.Entry)...)
		c.grant = &of
	}
	committed, err := s.store.Commit(ctx, tenant, c)
	committed.changeID = c.id
	return committed, err
}

// classesIn are the classes of what an entry says was tokenized or given back, as
// the policy has them that it was decided under.
func (s *Service) classesIn(e *audit.Entry) []string {
	switch e.Kind {
	case audit.KindTokenize, audit.KindRestore, audit.KindGrant, audit.KindGrantFlush:
	default:
		return nil
	}
	var classes []string
	for name := range e.Entities {
		if entity, known := s.rules().Entity(name); known {
			classes = append(classes, audit.ObligationClass+string(entity.Class))
		}
	}
	return unique(classes)
}

func (s *Service) announce(ctx context.Context, tenant string, kind audit.Kind, version string) error {
	of := announcement{tenant, version}
	if version == "" || s.announced.has(of) || s.faults.silentPolicies {
		return nil
	}
	if kind == audit.KindPolicyLoad || kind == audit.KindTenantCreate {
		return nil // it does so itself, and is looked up by who comes next
	}
	known, err := s.isAnnounced(ctx, tenant, version)
	if err != nil {
		return err
	}
	if !known {
		if err := s.announceFirst(ctx, tenant, version); err != nil {
			return err
		}
		if err := s.commitAnnouncement(ctx, tenant, version); err != nil {
			return err
		}
	}
	s.announced.add(of)
	return nil
}

// isAnnounced tells whether an entry of a log announces a version, or with none any
// of them. Services of before loaded policies without announcing them to every log.
func (s *Service) isAnnounced(ctx context.Context, tenant, version string) (bool, error) {
	for _, kind := range []audit.Kind{audit.KindPolicyLoad, audit.KindTenantCreate} {
		stored, err := s.ledger.Entries(ctx, tenant, EntryQuery{Kind: string(kind), PolicyVersion: version, Limit: 1})
		if err != nil {
			return false, err
		}
		if len(stored) == 0 {
			continue
		}
		entry, err := audit.ParseLeaf(stored[0].Leaf) // leaves of these kinds are never pruned
		if err != nil {
			return false, err
		}
		if slices.Contains(entry.About(audit.ObligationVersion), entry.PolicyVersion) {
			return true, nil
		}
	}
	return false, nil
}

// announceFirst makes the first announcement in a log that has none, of a service
// that did not make any yet: of the version that its last entry names. Replicas of
// the version before may still write under it for a while.
func (s *Service) announceFirst(ctx context.Context, tenant, version string) error {
	known, err := s.isAnnounced(ctx, tenant, "")
	if err != nil || known {
		return err
	}
	last, err := s.ledger.Entries(ctx, tenant, EntryQuery{Descending: true, Limit: 1})
	if err != nil || len(last) == 0 || last[0].Leaf == nil {
		return err
	}
	entry, err := audit.ParseLeaf(last[0].Leaf)
	if err != nil || entry.PolicyVersion == "" || entry.PolicyVersion == version {
		return err
	}
	return s.commitAnnouncement(ctx, tenant, entry.PolicyVersion)
}

func (s *Service) commitAnnouncement(ctx context.Context, tenant, version string) error {
	entry := s.entry(Call{Channel: "process"}, audit.KindPolicyLoad, nil)
	entry.PolicyVersion = version
	entry.Obligations = []string{audit.ObligationVersion + version}
	change, err := NewChange(tenant, Record{}, entry)
	if err != nil {
		return err
	}
	_, err = s.store.Commit(ctx, tenant, change)
	return err
}
