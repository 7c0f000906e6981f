package vault

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// MaxOverdueReviews is how many reviews of a person may be past their time before
// the reasons that open reviews are taken from that person.
const MaxOverdueReviews = 2

// demands are what a restoration comes with besides its values, collected over them:
// what it counts against, and who is to hear of it.
type demands struct {
	budgets map[access.Budget]map[MappingRef]bool // different values, by budget
	notify  bool
	review  time.Duration
}

// add collects what the decision about one value comes with.
func (t *demands) add(d access.Decision, value MappingRef) {
	if t.budgets == nil {
		t.budgets = make(map[access.Budget]map[MappingRef]bool)
	}
	for _, b := range d.Budgets {
		if t.budgets[b] == nil {
			t.budgets[b] = make(map[MappingRef]bool)
		}
		t.budgets[b][value] = true
	}
	t.notify = t.notify || d.Notify
	t.review = max(t.review, d.Review)
}

// spends is what is counted in the commit.
func (t *demands) spends(caller Caller, keys *keySet, reason string) []Spend {
	var out []Spend
	for b, values := range t.budgets {
		out = append(out, Spend{Key: budgetKey(caller, keys, reason, b), Tokens: len(values), Limit: b.Tokens})
	}
	return out
}

// budgetKey names a budget and whose it is. Where a caller names no end user, all
// that it does for nobody is one person's: a name that is left out frees nothing.
func budgetKey(caller Caller, keys *keySet, reason string, b access.Budget) Digest {
	who := []string{caller.Subject, caller.Client}
	switch {
	case b.Per == access.PerTenant:
		who = nil
	case b.Per == access.PerEndUser && caller.EndUser != "":
		who = []string{"", caller.EndUser}
	}
	return keys.index.Budget(append([]string{reason, string(b.Per), string(b.Class)}, who...)...)
}

// by is who has values back, as suspensions match it.
func by(caller Caller, keys *keySet, reason string) Restorer {
	r := Restorer{Actor: caller.Subject, Client: caller.Client, Reason: reason}
	if caller.EndUser != "" {
		r.EndUser = keys.index.EndUser(caller.EndUser)
	}
	return r
}

// ref is a mapping as it was read, for the commit.
func (m *Mapping) ref(scopeName Digest) RestoreRef {
	return RestoreRef{
		ScopeID: m.ScopeID, TokenID: m.TokenID, KeyID: m.KeyID, Entity: m.Entity,
		ScopeName: scopeName, MadeAt: m.CreatedAt,
		Restricted: m.State == MappingRestricted, Expired: m.over(),
	}
}

// riders lets what a restoration opens and says ride along with its change.
func (s *Service) riders(t *demands, entry audit.Entry, who []string) func(Change) Change {
	return func(c Change) Change {
		body := encodeBody(useBody{
			Reason: entry.Reason, Reference: entry.Reference, Entities: entry.Entities, Tokens: len(entry.Tokens), ScopeRefs: entry.ScopeRefs, Person: who,
		})
		if t.review > 0 {
			c = c.Opening(Proceeding{
				Kind: ProceedingReview, State: ProceedingStanding, Actor: entry.Actor,
				DueAt: instant(s.clock().Add(t.review)), Body: body,
			})
		}
		if t.notify {
			told := entry
			if t.review > 0 {
				told.Kind = audit.KindReviewOpen // somebody has to look at it, which is more than that it was
			}
			c = s.notifying(told)(c)
		}
		return c
	}
}

// notifying lets a notice of what an entry says ride along, where somebody takes it.
func (s *Service) notifying(entry audit.Entry) func(Change) Change {
	return func(c Change) Change {
		if !s.notifies {
			return c
		}
		return c.Notifying(string(entry.Kind), noticeOf(entry, c.id))
	}
}

// useBody is what a review says of the use that it is about.
type useBody struct {
	Reason           string         `json:"reason"`
	Reference        string         `json:"reference,omitempty"`
	Entities         map[string]int `json:"entities,omitempty"`
	Tokens           int            `json:"tokens"`
	ScopeRefs        []string       `json:"scope_refs,omitempty"`
	Person           []string       `json:"person"` // every name of who used it, as digests
	Finding          string         `json:"finding,omitempty"`
	FindingReference string         `json:"finding_reference,omitempty"`
	ClosedBy         string         `json:"closed_by,omitempty"`
}

// noticeOf tells somebody outside what an entry says, as far as it is short: never
// a value, and no token.
func noticeOf(entry audit.Entry, id string) []byte {
	about := ""
	for _, o := range entry.Obligations {
		if rest, ok := strings.CutPrefix(o, audit.ObligationProceeding); ok {
			about = rest
		}
	}
	return encodeBody(struct {
		Change    string         `json:"change_id"`
		Kind      audit.Kind     `json:"kind"`
		Tenant    string         `json:"tenant,omitempty"`
		Actor     string         `json:"actor"`
		Reason    string         `json:"reason,omitempty"`
		Reference string         `json:"reference,omitempty"`
		Code      string         `json:"code,omitempty"`
		About     string         `json:"proceeding,omitempty"`
		Entities  map[string]int `json:"entities,omitempty"`
		Tokens    int            `json:"tokens,omitempty"`
		Request   string         `json:"request_id,omitempty"`
	}{id, entry.Kind, entry.Tenant, entry.Actor, entry.Reason, entry.Reference, entry.Code, about, entry.Entities, len(entry.Tokens), entry.RequestID})
}

// consents reads for which persons a consent to a purpose stands: by person, its id.
func (s *Service) consents(ctx context.Context, tenant, purpose string, subjectRefs []string) (map[string]string, error) {
	standing := make(map[string]string)
	refs := unique(subjectRefs)
	if len(refs) == 0 {
		return standing, nil // a query that names nobody would be about all
	}
	q := ProceedingQuery{Kind: ProceedingConsent, State: ProceedingStanding, SubjectRefs: refs, Limit: PageProceedings + 1}
	for {
		next, err := pageProceedings(ctx, s, tenant, q, func(p Proceeding, c consentBody) {
			if c.Purpose == purpose && !expired(p, s.clock()) {
				standing[p.SubjectRef] = p.ID
			}
		})
		if err != nil || next == "" {
			return standing, err
		}
		q.Before = next
	}
}

// expired tells whether a proceeding stands for nothing any more, as far as the
// process can tell: in a commit the store's clock decides.
func expired(p Proceeding, now time.Time) bool {
	return !p.ExpiresAt.IsZero() && !now.Before(p.ExpiresAt)
}

// suspensions reads those that stand.
func (s *Service) suspensions(ctx context.Context, tenant string) ([]Proceeding, error) {
	return s.proceedings.Proceedings(ctx, tenant, ProceedingQuery{Kind: ProceedingSuspension, Open: true, Limit: MaxSuspensions})
}

// refuseStopped refuses what a suspension stops, before the commit would: there is
// nothing to plan anew.
func (s *Service) refuseStopped(ctx context.Context, tenant string, entry audit.Entry, effect Restore) error {
	standing, err := s.suspensions(ctx, tenant)
	if err != nil || !effect.Stopped(standing) {
		return err
	}
	entry.Code, entry.Tokens = "suspended", nil
	return s.deny(ctx, tenant, entry, Errorf(CodeDenied, "a suspension stops it"))
}

// overdue refuses a reason that opens reviews to somebody who has let too many of
// them pass.
func (s *Service) overdue(ctx context.Context, call Call, entry audit.Entry) error {
	late, err := s.proceedings.Proceedings(ctx, call.Caller.Tenant, ProceedingQuery{
		Kind: ProceedingReview, Open: true, Actor: call.Caller.Subject, DueBefore: s.clock(), Limit: MaxOverdueReviews,
	})
	if err != nil || len(late) < MaxOverdueReviews {
		return err
	}
	entry.Code = "reviews_overdue"
	refusal := Errorf(CodeDenied, "%d reviews of your uses of this reason are overdue", MaxOverdueReviews)
	refusal.Limit = "overdue_reviews"
	return s.deny(ctx, call.Caller.Tenant, entry, refusal)
}

// exhausted is the answer where a budget is spent: which one, and until when.
func (s *Service) exhausted(ctx context.Context, call Call, keys *keySet, entry audit.Entry, t *demands) error {
	names := make([]access.Budget, 0, len(t.budgets))
	digests := make([]Digest, 0, len(t.budgets))
	for b := range t.budgets {
		names = append(names, b)
		digests = append(digests, budgetKey(call.Caller, keys, entry.Reason, b))
	}
	spent, resets, err := s.proceedings.Spent(ctx, call.Caller.Tenant, digests)
	if err != nil {
		return public(err)
	}
	refusal := Errorf(CodeExhausted, "a budget of the reason is spent for this hour")
	refusal.RetryAfter = max(resets.Sub(s.clock()), time.Second)
	for i, b := range names {
		if spent[i]+len(t.budgets[b]) > b.Tokens {
			refusal.Limit = "budget_" + string(b.Per)
		}
	}
	entry.Code, entry.Tokens = "budget", nil
	return s.deny(ctx, call.Caller.Tenant, entry, refusal.Because(ErrExhausted))
}

// commitRiding commits a change with an idempotency key and what rides along.
func (s *Service) commitRiding(ctx context.Context, tenant string, effect Effect, entry audit.Entry, claim *claiming, ride func(Change) Change) (Committed, error) {
	change, err := NewChange(tenant, effect, entry)
	if err != nil {
		return Committed{}, fmt.Errorf("vault: %w", err)
	}
	if ride != nil {
		change = ride(change)
	}
	return s.write(ctx, tenant, claim.on(change))
}
