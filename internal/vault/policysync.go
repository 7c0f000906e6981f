package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// openPolicy is a proposal that is not closed.
type openPolicy struct {
	row  Proceeding
	body policyBody
}

// in is its row in another state.
func (p *openPolicy) in(state ProceedingState) Proceeding {
	row := p.row
	row.State = state
	return row
}

// openPolicies reads all proposals that are not closed.
func (s *Service) openPolicies(ctx context.Context) ([]openPolicy, error) {
	var out []openPolicy
	q := ProceedingQuery{Kind: ProceedingPolicy, Open: true, Limit: PageProceedings + 1}
	_, err := pageProceedings(ctx, s, SystemTenant, q, func(p Proceeding, body policyBody) {
		out = append(out, openPolicy{p, body})
	})
	return out, err
}

// changePolicies changes the proposal of an id, or without one the one in force.
func (s *Service) changePolicies(
	ctx context.Context, keys *keySet, id string, entry audit.Entry,
	change func(chosen *openPolicy, all []openPolicy) ([]Proceeding, error),
) (ProposalResult, error) {
	all, err := s.openPolicies(ctx)
	if err != nil {
		return ProposalResult{}, err
	}
	i := slices.IndexFunc(all, func(p openPolicy) bool {
		return p.row.ID == id || id == "" && p.row.State == ProceedingStanding
	})
	if i < 0 {
		return ProposalResult{}, Errorf(CodeNotFound, "there is no such proposal that is open")
	}
	chosen := all[i]
	rows, err := change(&chosen, all)
	if err != nil {
		return ProposalResult{}, err
	}
	entry.Obligations = append(entry.Obligations, audit.ObligationProceeding+chosen.row.ID, audit.ObligationVersion+chosen.body.Version)
	committed, err := s.commitRiding(ctx, SystemTenant, ChangeProceedings{rows}, entry, &claiming{}, s.notifying(entry))
	if errors.Is(err, ErrConflict) {
		return ProposalResult{}, Errorf(CodeConflict, "somebody changed the policy meanwhile: look again").Because(err)
	}
	if err != nil {
		return ProposalResult{}, public(err)
	}
	return s.proposalAfter(ctx, keys, chosen.row.ID, committed)
}

// SyncPolicies takes the ruling that the proposals of the store say. The background
// work of each replica calls it; what cannot be believed changes nothing and is an
// error, so that a bad bundle never replaces a good one.
func (s *Service) SyncPolicies(ctx context.Context) error {
	p := s.policies
	p.changing.Lock()
	defer p.changing.Unlock()
	open, err := s.openPolicies(ctx)
	if err != nil {
		return err
	}
	before := p.now.Load()
	next := &ruling{configured: before.configured, trials: make(map[string]*access.Policy), loaded: make(map[string]*access.Policy)}
	// The oldest first: where two are tried in a tenant, the later one decides.
	slices.Reverse(open)
	for i := range open {
		one := &open[i]
		if one.row.State == ProceedingApproved {
			continue
		}
		policy := before.loaded[one.row.ID]
		if policy == nil {
			if policy, err = p.stored(ctx, one.body); err != nil {
				return public(fmt.Errorf("vault: the proposed policy %s: %w", one.row.ID, err))
			}
		}
		next.loaded[one.row.ID] = policy
		if one.row.State == ProceedingStanding {
			next.promoted = policy
			continue
		}
		for _, tenant := range one.body.Tenants {
			next.trials[tenant] = policy
		}
	}
	p.now.Store(next)
	return nil
}

// stored reads a bundle as it was proposed.
func (p *policies) stored(ctx context.Context, body policyBody) (*access.Policy, error) {
	bundle, err := access.ReadBundle(body.Bundle)
	if err != nil {
		return nil, err
	}
	policy, err := p.believe(ctx, bundle)
	if err == nil && policy.Version() != body.Version {
		err = fmt.Errorf("%w: it has another version than was written down", access.ErrBundle)
	}
	return policy, err
}
