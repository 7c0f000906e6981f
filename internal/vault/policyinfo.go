package vault

import (
	"context"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

const (
	// policyUses is how far back the matrix looks for uses of a right: a quarter,
	// the usual period of an access review.
	policyUses = 92 * 24 * time.Hour
	// MaxUses bounds the restorations that it looks at.
	MaxUses = 100_000
)

// ExplainPolicy says what the policy would decide, and why. Nothing is decided by
// it, and nothing recorded but who may not ask.
func (s *Service) ExplainPolicy(ctx context.Context, call Call, req ExplainRequest) (access.Explanation, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionPolicyExplain); err != nil {
		return access.Explanation{}, err
	}
	r := access.Request{
		Action: access.Action(req.Action), Roles: req.Roles, Reason: req.Reason, Entity: req.Entity, Class: access.Class(req.Class),
		SameClient: req.SameClient, EndUser: access.EndUserMatch(req.EndUser), MFA: req.MFA, ACR: req.ACR, Attributes: req.Attributes,
		Place: access.Place(req.Place), Tool: req.Tool, Held: req.Held, Restricted: req.Restricted,
		Environment: req.Environment, At: req.At, Address: req.Address, Approved: req.Approved, Consented: req.Consented,
		Tenant: call.Caller.Tenant,
	}
	if r.Action == "" {
		r.Action = access.ActionRestore
	}
	if !slices.Contains(access.Actions(), r.Action) {
		return access.Explanation{}, Invalid("/action", "is not in the list of actions")
	}
	if r.Environment == "" {
		r.Environment = s.environment
	}
	if r.At.IsZero() {
		r.At = s.clock()
	}
	if r.EndUser == "" {
		r.EndUser = access.EndUserUnbound
	}
	if r.Place == "" && r.Action == access.ActionRestore {
		r.Place = access.PlaceProse
	}
	if e, known := s.rules().Entity(r.Entity); known && r.Class == "" {
		r.Class = e.Class
	}
	return s.rules().Explain(r), nil
}

// PolicyMatrix says who can restore what for which reason, and when each right was
// last used, from the log.
func (s *Service) PolicyMatrix(ctx context.Context, call Call) (MatrixResult, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionPolicyExplain); err != nil {
		return MatrixResult{}, err
	}
	result := MatrixResult{PolicyVersion: s.rules().Version(), Since: instant(s.clock().Add(-policyUses))}
	uses, err := s.usesOf(ctx, call.Caller.Tenant, &result)
	if err != nil {
		return MatrixResult{}, public(err)
	}
	for _, right := range s.rules().Matrix(call.Caller.Tenant) {
		use := uses[rightUsed{right.Rule, string(right.Class)}]
		result.Lines = append(result.Lines, MatrixLine{Right: right, LastUsed: use.last, Uses: use.n})
	}
	return result, nil
}

// rightUsed is a line of the matrix: a rule, and a class that it reaches.
type rightUsed struct{ rule, class string }

type uses struct {
	last time.Time
	n    int
}

// usesOf counts restorations by rule and class. An entry names its rules and its
// entities together: one of several of each counts for all of them.
func (s *Service) usesOf(ctx context.Context, tenant string, result *MatrixResult) (map[rightUsed]uses, error) {
	found := make(map[rightUsed]uses)
	q := EntryQuery{Kind: string(audit.KindRestore), Since: result.Since, Descending: true, Limit: PageEntries}
	for read := 0; ; {
		page, err := s.ledger.Entries(ctx, tenant, q)
		if err != nil {
			return nil, err
		}
		for _, stored := range page {
			entry, err := audit.ParseLeaf(stored.Leaf)
			if err != nil {
				return nil, err
			}
			if entry.Seq > 0 || entry.Decision == audit.Deny {
				continue
			}
			for _, right := range s.rightsUsed(&entry) {
				use := found[right]
				if use.n == 0 {
					use.last = entry.Time
				}
				use.n++
				found[right] = use
			}
		}
		if read += len(page); len(page) < PageEntries {
			return found, nil
		}
		if read >= MaxUses {
			result.Truncated = true
			return found, nil
		}
		q.HasCursor, q.Cursor = true, page[len(page)-1].Index
	}
}

func (s *Service) rightsUsed(entry *audit.Entry) []rightUsed {
	classes := make(map[string]bool)
	for name := range entry.Entities {
		if e, known := s.rules().Entity(name); known {
			classes[string(e.Class)] = true
		}
	}
	var out []rightUsed
	for _, rule := range entry.RuleIDs {
		for class := range classes {
			out = append(out, rightUsed{rule, class})
		}
	}
	return out
}
