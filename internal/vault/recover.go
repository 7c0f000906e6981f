package vault

import (
	"context"
	"slices"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// This file takes up an older copy of the data, whose newer one is lost: what the
// journal of erasures says is done again, each erasure in a commit of its own, and
// then the log says what was lost. Each step reads how things stand, so that after
// a crash it is run again.

// The counts of an entry of kind recover: how many entries the lost log had at
// least, and how many the copy had before.
const (
	CountAnchored = "anchored"
	CountCopied   = "copied"
)

// maxSealedUnder bounds what the keys of one erasure seal in an older copy. It is
// in memory at once: a million values are a gigabyte.
const maxSealedUnder = 1_000_000

// Replayed says what was done again of a journal, or has to be.
type Replayed struct {
	Erasures int // that were done again
	Keys     int // data keys that stood and were destroyed
	Erased   int // values that nothing opens any more
	Rekeyed  int // values of others, and names, sealed anew
}

// ReplayErasures does again what a journal says that was erased. With dry it tells
// what that would be, and changes nothing; where one erasure hangs on another it
// may then be told twice.
func (s *Service) ReplayErasures(ctx context.Context, call Call, tenant string, lines []JournalLine, reference string, dry bool) (Replayed, error) {
	s = s.under(call)
	var done Replayed
	l, err := readLineage(lines)
	if err != nil {
		return done, public(err)
	}
	for _, e := range l.erasures {
		plan, err := s.planReplay(ctx, tenant, l, e)
		if err != nil {
			return done, public(err)
		}
		if plan == nil {
			continue
		}
		done.Erasures++
		done.Keys, done.Erased = done.Keys+plan.standing, done.Erased+plan.goes
		done.Rekeyed += len(plan.stays.Survivors) + len(plan.stays.Names)
		if dry {
			continue
		}
		if err := s.replay(ctx, call, tenant, l, plan, reference); err != nil {
			return done, public(err)
		}
	}
	return done, nil
}

// replayPlan is what has to be done again of one erasure.
type replayPlan struct {
	erasure  Erasure
	buried   []Tombstone
	standing int // of the buried
	goes     int
	stays    ErasurePlan
}

// planReplay reads what stands of an erasure; nil where it was done.
func (s *Service) planReplay(ctx context.Context, tenant string, l *lineage, e *lostErasure) (*replayPlan, error) {
	standing, err := s.standing(ctx, tenant, l, e)
	if err != nil {
		return nil, err
	}
	var ids []string
	for id := range standing {
		ids = append(ids, id)
	}
	under, err := s.remains.SealedUnder(ctx, tenant, ids, maxSealedUnder)
	if err != nil {
		return nil, err
	}
	goes := make(map[MappingRef]bool)
	doomed := make(map[string]bool) // keys that go
	for _, id := range e.keys {
		_, doomed[id] = standing[id]
	}
	for _, m := range under.Mappings {
		if ref := (MappingRef{ScopeID: m.ScopeID, TokenID: m.TokenID}); l.goes(e, ref, m.KeyID) {
			goes[ref], doomed[m.KeyID] = true, true
		}
	}
	p := &replayPlan{erasure: e.row, goes: len(goes)}
	for _, m := range under.Mappings {
		if doomed[m.KeyID] && !goes[MappingRef{ScopeID: m.ScopeID, TokenID: m.TokenID}] {
			p.stays.Survivors = append(p.stays.Survivors, withoutErased(m, e.row))
		}
	}
	for _, scope := range under.Names {
		if doomed[scope.NameKeyID] {
			p.stays.Names = append(p.stays.Names, scope)
		}
	}
	p.bury(e, standing, doomed)
	if p.standing > 0 {
		return p, nil
	}
	row, err := s.erasures.Erasures(ctx, tenant, ErasureQuery{ID: e.row.ID, Limit: 1})
	if err == nil && len(row) == 1 && row[0].State == e.row.State && row[0].Counts == e.row.Counts {
		p = nil
	}
	return p, err
}

// bury names the keys that go: those of the erasure, whether they stand or not,
// and others under which anything stands that it took.
func (p *replayPlan) bury(e *lostErasure, standing map[string]DataKey, doomed map[string]bool) {
	for _, id := range e.keys {
		p.buried = append(p.buried, e.buried[id].Tombstone)
	}
	rest := make([]string, 0, len(doomed))
	for id, goes := range doomed {
		if !goes {
			continue
		}
		p.standing++
		if e.buried[id] == nil {
			rest = append(rest, id)
		}
	}
	slices.Sort(rest)
	for _, id := range rest {
		p.buried = append(p.buried, Tombstone{
			KeyID: id, ErasureID: e.row.ID, At: e.row.ErasedAt, WrapVersion: standing[id].Wrapped.Version, Rekeyed: true,
		})
	}
	for i := range p.buried {
		p.buried[i].Tokens = nil // they are in the rows
	}
}

// withoutErased is a survivor that is not about an erased person any more.
func withoutErased(m Mapping, e Erasure) Mapping {
	if e.State == ErasureCompleted || len(m.SubjectRefs) > 1 {
		m.SubjectRefs = slices.DeleteFunc(slices.Clone(m.SubjectRefs), func(ref string) bool { return ref == e.SubjectRef })
	}
	return m
}

// standing are the keys of this copy under which anything may be that an erasure
// took.
func (s *Service) standing(ctx context.Context, tenant string, l *lineage, e *lostErasure) (map[string]DataKey, error) {
	places := l.places(e)
	byScope := make(map[string][]string)
	for ref := range e.went {
		byScope[ref.ScopeID] = append(byScope[ref.ScopeID], ref.TokenID)
	}
	for scope, tokens := range byScope {
		for page := range slices.Chunk(tokens, PageTokens) {
			found, err := s.store.Mappings(ctx, tenant, MappingQuery{ScopeID: scope, TokenIDs: page})
			if err != nil {
				return nil, err
			}
			for _, m := range found {
				places = append(places, m.KeyID)
			}
		}
	}
	standing := make(map[string]DataKey)
	for page := range slices.Chunk(unique(places), maxJournalItems) {
		keys, err := s.store.Keys(ctx, tenant, KeyQuery{IDs: page})
		if err != nil {
			return nil, err
		}
		for _, k := range keys {
			standing[k.ID] = k
		}
	}
	return standing, nil
}

// replay does an erasure again.
func (s *Service) replay(ctx context.Context, call Call, tenant string, l *lineage, p *replayPlan, reference string) error {
	sealed, err := s.reseal(ctx, tenant, p.erasure.SubjectRef, p.stays)
	if err != nil {
		return err
	}
	entry := s.entry(call, audit.KindReplay, nil)
	entry.Reference, entry.ReplayOf = reference, p.erasure.ID
	for _, z := range p.buried {
		entry.KeyIDs = append(entry.KeyIDs, z.KeyID)
	}
	if p.erasure.SubjectRef != "" {
		entry.SubjectRefs = []string{p.erasure.SubjectRef}
	}
	entry.Counts = map[string]int{"erased": p.goes, "keys": p.standing, "rekeyed": len(sealed.values) + len(sealed.names)}
	effect := Replay{Erasure: p.erasure, Buried: p.buried, Fresh: sealed.fresh, Reseal: sealed.values, Names: sealed.names}
	if _, err := s.commit(ctx, tenant, effect, entry); err != nil {
		s.refused(tenant, err, sealed.fresh)
		return err
	}
	l.follow(sealed.values)
	for _, z := range p.buried {
		s.keys.Forget(tenant, z.KeyID)
	}
	return nil
}

// RecordRecovery says that an older copy of the data took over: what its anchor
// names beyond it is lost.
func (s *Service) RecordRecovery(ctx context.Context, call Call, lost audit.Anchor, copied int64, reference string) error {
	s = s.under(call)
	entry := s.entry(call, audit.KindRecover, nil)
	entry.Reference, entry.SourceDigest = reference, lost.Root.String()
	entry.Counts = map[string]int{CountAnchored: int(lost.Size), CountCopied: int(copied)}
	_, err := s.commit(ctx, lost.Tenant, Record{}, entry)
	return public(err)
}
