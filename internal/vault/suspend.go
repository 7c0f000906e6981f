package vault

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// MaxSuspensionTerms bounds what one suspension names.
const MaxSuspensionTerms = 100

// suspensionBody is what is kept of a suspension: what it stops, and on whose word.
type suspensionBody struct {
	SuspensionMatch
	Reason   string `json:"reason"`
	LiftedOn string `json:"lifted_on,omitempty"`
}

// Suspend stops restorations: from the commit on nothing that it matches is given
// back, on every replica, whatever was decided before. Tokenizing goes on.
func (s *Service) Suspend(ctx context.Context, call Call, req SuspensionRequest) (SuspensionResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionSuspend, audit.KindSuspend)
	if err != nil {
		return SuspensionResult{}, err
	}
	match, err := s.suspensionMatch(keys, &req.Match)
	if err != nil {
		return SuspensionResult{}, err
	}
	if req.Reason == "" {
		return SuspensionResult{}, Invalid("/reason", "is required")
	}
	if err := checkIdentifier("/reason", req.Reason); err != nil {
		return SuspensionResult{}, err
	}
	standing, err := s.suspensions(ctx, call.Caller.Tenant)
	if err != nil {
		return SuspensionResult{}, public(err)
	}
	if len(standing) >= MaxSuspensions {
		refusal := Errorf(CodeConflict, "%d suspensions stand: lift one first, or widen one", MaxSuspensions)
		refusal.Limit = "suspensions"
		return SuspensionResult{}, refusal
	}
	entry.Reference, entry.Counts = req.Reason, match.sorts()
	body := suspensionBody{SuspensionMatch: match, Reason: req.Reason}
	p, receipt, err := openProceeding(ctx, s, call, keys, entry, func() (Proceeding, error) {
		return Proceeding{
			Kind: ProceedingSuspension, State: ProceedingStanding, Actor: call.Caller.Subject, Body: encodeBody(body),
		}, nil
	})
	if err != nil {
		return SuspensionResult{}, err
	}
	return SuspensionResult{Suspension: describeSuspension(p, body), Audit: receipt}, nil
}

// suspensionMatch checks the words of a suspension and makes digests of those that
// are kept so.
func (s *Service) suspensionMatch(keys *keySet, w *SuspensionWords) (SuspensionMatch, error) {
	lists := map[string][]string{
		"callers": w.Callers, "clients": w.Clients, "end_users": w.EndUsers, "scopes": w.Scopes, "reasons": w.Reasons, "entities": w.Entities,
	}
	terms := 0
	for field, list := range lists {
		terms += len(list)
		for i, word := range list {
			at := "/match/" + field + "/" + strconv.Itoa(i)
			if err := checkName(at, word, true); err != nil {
				return SuspensionMatch{}, err
			}
		}
	}
	for i, name := range w.Entities {
		if _, known := s.rules().Entity(name); !known {
			return SuspensionMatch{}, Invalid("/match/entities/"+strconv.Itoa(i), "is not in the list of entities")
		}
	}
	for i, code := range w.Reasons {
		if _, known := s.rules().Reason(code); !known {
			return SuspensionMatch{}, Invalid("/match/reasons/"+strconv.Itoa(i), "is not in the catalogue of reasons")
		}
	}
	switch {
	case terms > MaxSuspensionTerms:
		return SuspensionMatch{}, tooLarge("/match", "suspension_terms", MaxSuspensionTerms)
	case terms == 0 && w.From.IsZero() && w.To.IsZero():
		return SuspensionMatch{}, Invalid("/match", "must say what is stopped")
	case !w.From.IsZero() && !w.To.IsZero() && !w.To.After(w.From):
		return SuspensionMatch{}, Invalid("/match/to", "must be after from")
	}
	match := SuspensionMatch{
		Callers: w.Callers, Clients: w.Clients, Reasons: w.Reasons, Entities: w.Entities, From: instant(w.From), To: instant(w.To),
	}
	for _, name := range w.EndUsers {
		match.EndUsers = append(match.EndUsers, keys.index.EndUser(name))
	}
	for _, name := range w.Scopes {
		match.Scopes = append(match.Scopes, keys.index.Scope(name))
	}
	return match, nil
}

// sorts counts what a suspension names, by its sort, for the entry: nil where it
// names nothing and stops what was tokenized in a time.
func (m *SuspensionMatch) sorts() map[string]int {
	counts := make(map[string]int)
	for name, n := range map[string]int{
		audit.CountCallers: len(m.Callers), audit.CountClients: len(m.Clients), audit.CountEndUsers: len(m.EndUsers),
		audit.CountScopes: len(m.Scopes), audit.CountReasons: len(m.Reasons), audit.CountEntities: len(m.Entities),
	} {
		if n > 0 {
			counts[name] = n
		}
	}
	if len(counts) == 0 {
		return nil
	}
	return counts
}

func describeSuspension(p Proceeding, b suspensionBody) SuspensionInfo {
	return SuspensionInfo{
		ID: p.ID, Callers: b.Callers, Clients: b.Clients, Reasons: b.Reasons, Entities: b.Entities,
		EndUsers: len(b.EndUsers), Scopes: len(b.Scopes), From: b.From, To: b.To,
		Reason: b.Reason, PlacedBy: p.Actor, PlacedAt: p.CreatedAt, LiftedAt: p.ClosedAt,
	}
}

// Suspensions returns a page of them, the newest first.
func (s *Service) Suspensions(ctx context.Context, call Call, req ProceedingListRequest) (SuspensionPage, error) {
	s = s.under(call)
	var page SuspensionPage
	next, err := listProceedings(ctx, s, call, access.ActionSuspensionRead, ProceedingQuery{Kind: ProceedingSuspension}, req,
		func(p Proceeding, b suspensionBody) {
			page.Suspensions = append(page.Suspensions, describeSuspension(p, b))
		})
	page.Next = next
	return page, err
}

// LiftSuspension ends a suspension, on somebody's word.
func (s *Service) LiftSuspension(ctx context.Context, call Call, id, reference string) (SuspensionResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionSuspend, audit.KindLiftSuspension)
	if err != nil {
		return SuspensionResult{}, err
	}
	if err := checkReference(reference); err != nil {
		return SuspensionResult{}, err
	}
	entry.Reference = reference
	row, body, receipt, err := changeProceeding(ctx, s, call, keys, ProceedingSuspension, id, entry, func(row *Proceeding, body *suspensionBody) error {
		body.LiftedOn, row.State = reference, ProceedingDone
		return nil
	})
	if err != nil {
		return SuspensionResult{}, err
	}
	return SuspensionResult{Suspension: describeSuspension(row, body), Audit: receipt}, nil
}

// listProceedings reads a page of a kind for who may read it.
func listProceedings[B any](
	ctx context.Context, s *Service, call Call, action access.Action, q ProceedingQuery, req ProceedingListRequest, each func(Proceeding, B),
) (next string, err error) {
	if _, err := s.read(ctx, call, action); err != nil {
		return "", err
	}
	if err := checkPage(&req.Limit, PageProceedings, "proceeding_page", req.Cursor); err != nil {
		return "", err
	}
	q.Open, q.Before, q.Limit = req.Open, req.Cursor, req.Limit+1
	return pageProceedings(ctx, s, call.Caller.Tenant, q, each)
}

// pageProceedings reads a page; the query asks for one more than the page has.
func pageProceedings[B any](ctx context.Context, s *Service, tenant string, q ProceedingQuery, each func(Proceeding, B)) (next string, err error) {
	rows, err := s.proceedings.Proceedings(ctx, tenant, q)
	if err != nil {
		return "", public(err)
	}
	if limit := q.Limit - 1; len(rows) > limit {
		rows, next = rows[:limit], rows[limit-1].ID
	}
	for _, p := range rows {
		var body B
		if err := json.Unmarshal(p.Body, &body); err != nil {
			return "", public(err)
		}
		each(p, body)
	}
	return next, nil
}
