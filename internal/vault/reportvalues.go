package vault

import (
	"context"
	"errors"
	"path"
	"slices"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/token"
)

// values restores the person's values into the report: decided one by one for
// the reason, recorded in one entry, and opened after it.
func (j *reportJob) values(ctx context.Context) error {
	if err := j.s.justifyAccess(ctx, j.call.Caller.Tenant, &j.entry, j.req.Reason); err != nil {
		return err
	}
	reason, _ := j.s.rules().ReasonOf(j.call.Caller.Tenant, reasonSubjectAccess)
	if limit := reason.MaxTokens; limit > 0 && len(j.tokens) > limit {
		j.tokens = j.tokens[:limit]
		j.limit(LimitTokens)
	}
	j.entry.Kind = audit.KindRestore
	for range MaxAttempts {
		err := j.valuesOnce(ctx)
		switch {
		case errors.Is(err, ErrExhausted):
			return j.s.exhausted(ctx, j.call, j.keys, j.entry, &j.demands)
		case err == nil, !plannable(err):
			return public(err)
		}
	}
	return public(ErrConflict)
}

func (j *reportJob) valuesOnce(ctx context.Context) error {
	tenant := j.call.Caller.Tenant
	mine, err := j.restorable(ctx)
	if err != nil {
		return err
	}
	entry := j.entry
	entry.Entities, entry.Results = make(map[string]int), make(map[string]int)
	var refs []RestoreRef
	var ids []string
	for i := range mine {
		m := &mine[i]
		refs = append(refs, m.ref(Digest{}))
		ids = append(ids, m.KeyID)
		entry.Tokens = append(entry.Tokens, m.TokenID)
		entry.ScopeRefs = append(entry.ScopeRefs, m.ScopeID)
		entry.Entities[m.Entity]++
		entry.Results[string(StatusRestored)]++
	}
	entry.Tokens, entry.ScopeRefs = unique(entry.Tokens), unique(entry.ScopeRefs)
	keys, err := j.s.openStored(ctx, tenant, ids)
	if err != nil {
		return err
	}
	var effect Effect = Record{}
	var ride func(Change) Change
	if len(refs) > 0 {
		restore := Restore{
			Refs: refs, By: by(j.call.Caller, j.keys, reasonSubjectAccess), Spends: j.demands.spends(j.call.Caller, j.keys, reasonSubjectAccess),
		}
		if err := j.s.refuseStopped(ctx, tenant, j.entry, restore); err != nil {
			return err
		}
		effect, ride = restore, j.s.riders(&j.demands, entry, person(j.call.Caller, j.keys))
	}
	committed, err := j.s.commitRiding(ctx, tenant, effect, entry, &claiming{}, ride)
	if err != nil {
		return err
	}
	var broken []string
	j.report.Values = nil
	for _, m := range mine {
		value, err := openValue(tenant, m, keys[m.KeyID])
		if err != nil {
			j.limit(LimitValuesRefused)
			broken = append(broken, m.TokenID)
			continue
		}
		j.report.Values = append(j.report.Values, ReportValue{
			ScopeRef: m.ScopeID, Entity: m.Entity, Value: value,
			Token: token.Token{Format: token.Format(m.Format), Entity: m.Entity, ID: m.TokenID}.String(),
		})
	}
	if len(broken) > 0 {
		failure := j.entry
		failure.Entities, failure.Results, failure.Decision = nil, nil, ""
		if err := j.s.recordBroken(ctx, tenant, failure, committed.changeID, entry.ScopeRefs, broken); err != nil {
			return err
		}
	}
	j.report.Audit, err = j.s.receipt(j.keys, committed)
	return err
}

// restorable reads the person's mappings and leaves out what is about somebody
// else too, what nothing opens, and what the policy does not give in full.
func (j *reportJob) restorable(ctx context.Context) ([]Mapping, error) {
	byScope := make(map[string][]string)
	var scopes []string
	for _, t := range j.tokens {
		if byScope[t.ScopeID] == nil {
			scopes = append(scopes, t.ScopeID)
		}
		byScope[t.ScopeID] = append(byScope[t.ScopeID], t.TokenID)
	}
	own := len(j.report.SubjectRefs)
	var mine []Mapping
	j.demands = demands{}
	for _, scope := range scopes {
		found, err := j.s.store.Mappings(ctx, j.call.Caller.Tenant, MappingQuery{ScopeID: scope, TokenIDs: byScope[scope]})
		if err != nil {
			return nil, err
		}
		for _, m := range found {
			foreign := func(ref string) bool { return own > 0 && !slices.Contains(j.report.SubjectRefs, ref) }
			switch {
			case len(m.SubjectRefs) > 1, slices.ContainsFunc(m.SubjectRefs, foreign):
				j.limit(LimitThirdParties)
			case !m.KeyAlive, m.over() && !m.Held:
				// erased, or past its time and not swept yet
			case !j.allowed(&m):
				j.limit(LimitValuesRefused)
			default:
				mine = append(mine, m)
			}
		}
	}
	return mine, nil
}

// allowed asks the policy about one mapping. The officer is neither the client
// nor the end user of its scope, and no rule that asks for these applies.
func (j *reportJob) allowed(m *Mapping) bool {
	r := j.s.plainRequest(j.call.Caller, access.ActionRestore)
	r.Reason, r.Entity, r.Class, r.Place = reasonSubjectAccess, m.Entity, access.Class(m.Class), access.PlaceProse
	r.SameClient, r.EndUser = false, access.EndUserOther
	r.Restricted, r.Held = m.State == MappingRestricted, m.over()
	decision := j.s.rules().Decide(r)
	if decision.Allow && decision.Form == access.FormFull && decision.Approvals == 0 {
		j.entry.RuleIDs = unique(append(j.entry.RuleIDs, decision.RuleIDs...))
		j.demands.add(decision, MappingRef{m.ScopeID, m.TokenID})
		return true
	}
	return false
}

// justifyAccess checks that a reason is the one for which a person is answered,
// and writes it into the entry. Who gives another is refused, with an entry.
func (s *Service) justifyAccess(ctx context.Context, tenant string, entry *audit.Entry, reason ReasonGiven) error {
	refuse := func(code string, refusal *Error) error {
		refused := *entry
		refused.Kind, refused.Code = audit.KindRequestRefused, code
		return s.deny(ctx, tenant, refused, refusal)
	}
	if reason.Code != reasonSubjectAccess {
		return refuse("code_other", Invalid("/reason/code", "must be "+reasonSubjectAccess))
	}
	if err := s.rules().CheckReasonOf(tenant, reason.Code, reason.Reference); err != nil {
		code, refusal := "reason", Errorf(CodeInvalid, "the reason is not justified").Because(err)
		var broken *access.ReasonError
		if errors.As(err, &broken) {
			refusal.Violations = []Violation{{Field: broken.Field, Rule: s.spell(tenant, reason.Code, broken)}}
			code = path.Base(broken.Field) + "_" + broken.Rule
		}
		return refuse(code, refusal)
	}
	if err := checkIdentifier("/reason/reference", reason.Reference); err != nil {
		return err
	}
	entry.Reason, entry.Reference = reason.Code, reason.Reference
	return nil
}
