package httpapi

import (
	"context"
	"net/netip"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// ExplainPolicy says what the policy would decide, and why.
func (a *api) ExplainPolicy(ctx context.Context, r gen.ExplainPolicyRequestObject) (gen.ExplainPolicyResponseObject, error) {
	ctx, x := begin(ctx)
	req, err := explainRequest(r.Body)
	if err != nil {
		return nil, err
	}
	explained, err := a.service.ExplainPolicy(ctx, x.call, req)
	if err != nil {
		return nil, err
	}
	d := &explained.Decision
	return ok(gen.ExplainAnswer{
		Allow: d.Allow, Sentence: explained.Sentence, Form: optional(gen.Form(d.Form)), Why: optional(gen.DenialCause(d.Why)),
		RuleIds: list(d.RuleIDs), Obligations: list(d.Obligations), Approvals: int64(d.Approvals), Purpose: optional(d.Purpose),
		Rules: each(explained.Rules, ruleExplained), Demands: each(explained.Demands, demandExplained), RequestId: x.requestID,
	}), nil
}

func explainRequest(b *gen.ExplainRequest) (vault.ExplainRequest, error) {
	req := vault.ExplainRequest{
		Action: value(b.Action), Roles: b.Roles, Reason: value(b.Reason), Entity: value(b.Entity), Class: string(value(b.Class)),
		SameClient: b.SameClient == nil || *b.SameClient, EndUser: string(value(b.EndUser)), MFA: value(b.Mfa), ACR: value(b.Acr),
		Attributes: make(map[string]string), Place: string(value(b.Place)), Tool: value(b.Tool),
		Held: value(b.Held), Restricted: value(b.Restricted), Environment: value(b.Environment),
		Approved: int(value(b.Approved)), Consented: value(b.Consented),
	}
	for _, attribute := range value(b.Attributes) {
		req.Attributes[attribute.Name] = attribute.Value
	}
	var err error
	if req.At, err = instant("/at", b.At); err != nil {
		return req, err
	}
	if b.Address != nil {
		if req.Address, err = netip.ParseAddr(*b.Address); err != nil {
			return req, vault.Invalid("/address", "must be an IP address")
		}
	}
	return req, nil
}

func ruleExplained(r *access.RuleExplanation) gen.RuleExplained {
	return gen.RuleExplained{
		Id: r.ID, Deny: r.Deny, Role: r.Role, Form: optional(gen.Form(r.Form)), Decided: r.Decided, Lacks: list(r.Lacks),
	}
}

func demandExplained(d *access.Demand) gen.DemandExplained {
	return gen.DemandExplained{Name: d.Name, Wants: d.Wants, Met: d.Met}
}
