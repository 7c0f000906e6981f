package vault

import (
	"context"
	"errors"
	"unicode/utf8"

	"github.com/counterfoil/counterfoil/internal/access"
)

// detokenizeUnder restores a text under a grant, for gateways that see an answer as
// a text that grows: stateless, on any replica. With Partial the end of the text is
// read as a stream's is, and the answer says how much of it is still undecided. The
// same text again costs nothing of the grant's budget.
func (s *Service) detokenizeUnder(ctx context.Context, call Call, req DetokenizeRequest) (DetokenizeResult, error) {
	if err := checkUnderGrant(&req); err != nil {
		return DetokenizeResult{}, err
	}
	u, err := s.useGrant(ctx, call, req.GrantID)
	if err != nil {
		return DetokenizeResult{}, err
	}
	found, held := s.readPartial(*req.Text, req.Partial)
	result := DetokenizeResult{
		PolicyVersion: s.rules().Version(), Reason: u.body.Reason, Partial: req.Partial, HoldbackChars: held,
		Results: make([]TokenResult, len(found)),
	}
	if len(found) > 0 {
		err := u.flush(ctx, found)
		if over := (*overError)(nil); errors.As(err, &over) {
			err = Errorf(CodeConflict, "the grant is over")
		}
		if err != nil {
			return DetokenizeResult{}, public(err)
		}
	}
	var parts []splice
	refused := make(map[string]int)
	for i := range found {
		o := &found[i]
		result.Results[i] = TokenResult{Token: o.written, Status: o.status, Form: string(o.form), Repaired: o.gives() && !o.strict}
		if !o.gives() {
			refused[string(o.status)]++
			continue
		}
		parts = append(parts, splice{o.start, o.end, o.value})
	}
	u.fresh = s.uses.unknown(call.Caller.Tenant, u.row.ID, u.fresh)
	given := u.fresh
	if err := u.note(ctx); err != nil {
		return DetokenizeResult{}, public(err)
	}
	s.uses.add(call.Caller.Tenant, u.row.ID, given)
	u.recordRefused(ctx, refused)
	text := spliced(*req.Text, parts)
	result.Text = &text
	return result, nil
}

// readPartial finds the tokens of a text that may go on, and how many code points of
// its end are undecided.
func (s *Service) readPartial(text string, partial bool) (found []occurrence, held int) {
	if !partial {
		for _, c := range s.words.Scan(text) {
			found = append(found, occurrence{
				start: c.Start, end: c.End, written: text[c.Start:c.End], token: c.Token, readable: true, strict: c.Strict,
				place: access.Place(c.Place),
			})
		}
		return found, 0
	}
	reader := s.words.Stream()
	for _, p := range reader.Push([]byte(text)) {
		if c := p.Candidate; p.Found {
			found = append(found, occurrence{
				start: c.Start, end: c.End, written: p.Text, token: c.Token, readable: true, strict: c.Strict, place: access.Place(c.Place),
			})
		}
	}
	return found, utf8.RuneCountInString(reader.Held())
}

func checkUnderGrant(req *DetokenizeRequest) error {
	switch {
	case req.Text == nil || len(req.Tokens) > 0 || req.Payload != nil || req.Shape != "":
		return Invalid("/", "under a grant exactly text is required")
	case req.Scope != "" || len(req.ReadScopes) > 0:
		return Invalid("/scope", "goes without grant, which has its scopes")
	case req.Reason != ReasonGiven{} || req.Recipient != "":
		return Invalid("/reason", "goes without grant, which has its reason")
	case req.OnRefused != "" && req.OnRefused != RefusedKeep:
		return Invalid("/on_refused", "goes without grant: tokens that are not restored stay")
	}
	return checkText("/text", *req.Text)
}
