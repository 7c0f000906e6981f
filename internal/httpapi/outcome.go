package httpapi

import (
	"errors"
	"regexp"
	"strings"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// detection is what was found in a request and what was done to it, by names of the
// policy.
type detection struct{ entity, action string }

// What became of a finding, beside those that an answer names itself.
const (
	actionTokenize = "tokenize"
	actionBlock    = "block"
)

// What a restoration came to: all that was asked for, some of it, or nothing.
const (
	decisionAllow   = "allow"
	decisionPartial = "partial"
	decisionDeny    = "deny"
)

// noteOutcome notes what a handler made of its request, for the counts.
func (x *exchange) noteOutcome(request, response any, err error) {
	switch r := request.(type) {
	case gen.TokenizeRequestObject:
		x.found = detections(bodyOf(response), err)
	case gen.DetokenizeRequestObject:
		x.noteDecision(reasonGiven(r.Body.Reason).Code, err)
	case gen.RedeemRestorationRequestObject:
		x.noteDecision(reasonGiven(r.Body.Reason).Code, err)
	}
}

// bodyOf is the body of an answer in JSON, nil of another.
func bodyOf(response any) any {
	switch r := response.(type) {
	case reply:
		return r.body
	case withPayload:
		return r.body
	}
	return nil
}

func detections(body any, err error) map[detection]int {
	found := make(map[detection]int)
	if answer, is := body.(gen.TokenizeAnswer); is && err == nil {
		for i := range answer.Tokens {
			if t := &answer.Tokens[i]; vault.Origin(t.Origin) != vault.OriginKept {
				found[detection{t.Entity, actionTokenize}]++
			}
		}
		for i := range answer.Masked {
			found[detection{answer.Masked[i].Entity, string(answer.Masked[i].Action)}]++
		}
		return found
	}
	var refused *vault.Error
	if errors.As(err, &refused) {
		for _, v := range refused.Violations {
			if entity, _, is := strings.Cut(v.Rule, " is blocked "); is && entityName.MatchString(entity) {
				found[detection{entity, actionBlock}]++
			}
		}
	}
	return found
}

// entityName is how the policy spells entities. A rule is written by the domain, and
// names what the policy names: the shape only keeps its wording out of a label.
var entityName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)

// noteDecision notes what a restoration came to. What was refused before it was
// decided, or failed, is no decision.
func (x *exchange) noteDecision(reason string, err error) {
	if err != nil {
		switch vault.CodeOf(err) {
		case vault.CodeDenied, vault.CodeExhausted:
			x.decision, x.refusedFor = decisionDeny, reason
		}
		return
	}
	switch given := x.given(); {
	case given == sum(x.statuses):
		x.decision = decisionAllow
	case given > 0:
		x.decision = decisionPartial
	default:
		x.decision = decisionDeny
	}
}

// given is how many tokens were restored in some form.
func (e *event) given() int {
	return e.statuses[vault.StatusRestored] + e.statuses[vault.StatusPartial] + e.statuses[vault.StatusMasked]
}
