package vault

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/token"
)

// existing splits what reads as a token, or only looks like one, into living
// tokens of the scope or, second, of a read scope, kept as they are, and data.
func (j *tokenizeJob) existing(text string, candidates []token.Candidate, living [2]map[string]Mapping) (kept, wrapped []finding, err error) {
	stays := make(map[token.Range]bool)
	for _, c := range candidates {
		m, lives := living[0][c.Token.ID]
		read := !lives
		if read {
			m, lives = living[1][c.Token.ID]
		}
		if !lives || !c.Strict || !sameToken(m, c.Token) {
			continue
		}
		entity, known := j.s.rules().Entity(m.Entity)
		if !known {
			return nil, nil, fmt.Errorf("vault: entity of a mapping is not in the catalogue")
		}
		stays[token.Range{Start: c.Start, End: c.End}] = true
		kept = append(kept, finding{start: c.Start, end: c.End, entity: entity, kept: &c.Token, read: read})
	}
	for _, r := range j.s.words.TokenLike(text) {
		if !stays[r] && !j.s.faults.ignoreTokenLike {
			wrapped = append(wrapped, j.tokenLike(r.Start, r.End))
		}
	}
	return kept, wrapped, nil
}

// living reads the mappings of strict candidates that may be kept, for all
// parts at once.
func (j *tokenizeJob) living(ctx context.Context, candidates [][]token.Candidate) (map[string]Mapping, error) {
	if j.newScope {
		return nil, nil
	}
	return j.livingIn(ctx, j.scope, candidates)
}

// livingElsewhere is the same for the read scopes that the caller may use. A
// token that lives in two of them is nobody's.
func (j *tokenizeJob) livingElsewhere(ctx context.Context, candidates [][]token.Candidate) (map[string]Mapping, error) {
	var living map[string]Mapping
	j.readScopes = nil
	twice := make(map[string]bool)
	for _, name := range unique(slices.Clone(j.req.ReadScopes)) {
		scope, err := j.s.store.Scope(ctx, j.call.Caller.Tenant, Digest(j.keys.index.Scope(name)))
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		request := j.s.plainRequest(j.call.Caller, access.ActionTokenize)
		request.SameClient, request.EndUser = binding(scope, j.call.Caller, j.keys)
		if !j.s.rules().Decide(request).Allow {
			continue // as if there were none
		}
		j.readScopes = append(j.readScopes, scope)
		found, err := j.livingIn(ctx, scope, candidates)
		if err != nil {
			return nil, err
		}
		for id, m := range found {
			if _, seen := living[id]; seen {
				twice[id] = true
			}
			if living == nil {
				living = make(map[string]Mapping)
			}
			living[id] = m
		}
	}
	for id := range twice {
		delete(living, id)
	}
	j.elsewhere = living
	return living, nil
}

func (j *tokenizeJob) livingIn(ctx context.Context, scope Scope, candidates [][]token.Candidate) (map[string]Mapping, error) {
	if j.req.Existing == ExistingWrap {
		return nil, nil
	}
	var ids []string
	for _, c := range slices.Concat(candidates...) {
		if c.Strict {
			ids = append(ids, c.Token.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	mappings, err := j.s.store.Mappings(ctx, j.call.Caller.Tenant, MappingQuery{ScopeID: scope.ID, TokenIDs: unique(ids)})
	if err != nil {
		return nil, err
	}
	living := make(map[string]Mapping, len(mappings))
	for _, m := range mappings {
		if m.State == MappingLive && !m.Expired && m.KeyAlive {
			living[m.TokenID] = m
		}
	}
	return living, nil
}

// sameToken tells whether a mapping is the one that a token names: the same
// id under another label or in another format is another token.
func sameToken(m Mapping, t token.Token) bool {
	return m.TokenID == t.ID && m.Format == string(t.Format) && (t.Format == token.FormatOpaque || m.Entity == t.Entity)
}

// tokenLike is text that would read as a token and is not a living one of the
// scope: it comes back as it was and can never be restored as somebody's value.
func (j *tokenizeJob) tokenLike(start, end int) finding {
	entity, _ := j.s.rules().Entity(access.EntityTokenLike) // no policy loads without it
	return finding{start: start, end: end, entity: entity, action: access.ActTokenize, wrapped: true}
}
