package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// GiveConsent writes down that a person consents.
func (a *api) GiveConsent(ctx context.Context, r gen.GiveConsentRequestObject) (gen.GiveConsentResponseObject, error) {
	ctx, x := begin(ctx)
	expires, err := instant("/expires_at", r.Body.ExpiresAt)
	if err != nil {
		return nil, err
	}
	result, err := a.service.GiveConsent(ctx, x.call, vault.ConsentRequest{
		Subject: r.Body.Subject, Purpose: r.Body.Purpose, Reference: r.Body.Reference, ExpiresAt: expires,
	})
	if err != nil {
		return nil, err
	}
	return created(consentAnswer(&result, x)), nil
}

// SearchConsents lists the consents of a person, or of all.
func (a *api) SearchConsents(ctx context.Context, r gen.SearchConsentsRequestObject) (gen.SearchConsentsResponseObject, error) {
	ctx, x := begin(ctx)
	page, err := a.service.Consents(ctx, x.call, value(r.Body.Subject), proceedingList(r.Body.Open, r.Body.Limit, r.Body.Cursor))
	if err != nil {
		return nil, err
	}
	return ok(gen.ConsentPage{
		Consents: each(page.Consents, consent), NextCursor: optional(page.Next), RequestId: x.requestID,
	}), nil
}

// WithdrawConsent writes down that a person withdrew a consent.
func (a *api) WithdrawConsent(ctx context.Context, r gen.WithdrawConsentRequestObject) (gen.WithdrawConsentResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.WithdrawConsent(ctx, x.call, r.ConsentId, r.Body.Reference)
	if err != nil {
		return nil, err
	}
	return ok(consentAnswer(&result, x)), nil
}

func consentAnswer(r *vault.ConsentResult, x *exchange) gen.Consent {
	out := consent(&r.Consent)
	out.Audit, out.RequestId = receipt(r.Audit), pointer(x.requestID)
	return out
}

func consent(i *vault.ConsentInfo) gen.Consent {
	return gen.Consent{
		Id: i.ID, SubjectRef: i.SubjectRef, Purpose: i.Purpose, Reference: i.Reference, Status: gen.ConsentStatus(i.Status),
		GivenAt: i.GivenAt, ExpiresAt: moment(i.ExpiresAt), WithdrawnAt: moment(i.WithdrawnAt),
	}
}
