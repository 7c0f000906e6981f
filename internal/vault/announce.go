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

// announcing are the kinds of entries that announce the version that they name.
var announcing = []audit.Kind{audit.KindPolicyLoad, audit.KindTenantCreate}

// write commits a change, after its log was told of the policy version that the
// entry names. Every write of the service goes through it.
func (s *Service) write(ctx context.Context, tenant string, c Change) (Committed, error) {
	if err := s.announce(ctx, tenant, c.entry.Kind, c.entry.PolicyVersion); err != nil {
		return Committed{}, err
	}
	c.entry.Obligations = append(slices.Clone(c.entry.Obligations), s.classesIn(&c.entry)...)
	committed, err := s.store.Commit(ctx, tenant, c)
	committed.changeID = c.id
	return committed, err
}

// classesIn are the classes of what an entry says was tokenized or given back, as
// the policy has them that it was decided under.
func (s *Service) classesIn(e *audit.Entry) []string {
	if e.Kind != audit.KindTokenize && e.Kind != audit.KindRestore {
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
	for _, announces := range announcing {
		if kind == announces {
			return nil // it does so itself, and is looked up by who comes next
		}
	}
	for _, announces := range announcing {
		stored, err := s.ledger.Entries(ctx, tenant, EntryQuery{Kind: string(announces), PolicyVersion: version, Limit: 1})
		if err != nil {
			return err
		}
		if len(stored) > 0 {
			s.announced.add(of)
			return nil
		}
	}
	entry := s.entry(Call{Channel: "process"}, audit.KindPolicyLoad, nil)
	entry.PolicyVersion = version
	change, err := NewChange(tenant, Record{}, entry)
	if err != nil {
		return err
	}
	if _, err := s.store.Commit(ctx, tenant, change); err != nil {
		return err
	}
	s.announced.add(of)
	return nil
}
