package vault

import (
	"context"
	"regexp"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

// consentBody is what is kept of a consent.
type consentBody struct {
	Purpose     string `json:"purpose"`
	Reference   string `json:"reference"` // of how it was given
	WithdrawnOn string `json:"withdrawn_on,omitempty"`
}

// The statuses of a consent.
const (
	consentLive      = "live"
	consentExpired   = "expired"
	consentWithdrawn = "withdrawn"
)

// consentPurpose: a word, not a sentence. It goes into entries.
var consentPurpose = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// GiveConsent writes down that a person consents to a purpose (GDPR Art. 7(1): it
// has to be demonstrated). Reasons whose basis is consent restore values about a
// person while one stands, judged in the commit of each restoration.
func (s *Service) GiveConsent(ctx context.Context, call Call, req ConsentRequest) (ConsentResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionConsentManage, audit.KindConsent)
	if err != nil {
		return ConsentResult{}, err
	}
	if err := checkName("/subject", req.Subject, true); err != nil {
		return ConsentResult{}, err
	}
	if !consentPurpose.MatchString(req.Purpose) {
		return ConsentResult{}, Invalid("/purpose", "must match "+consentPurpose.String())
	}
	if err := checkReference(req.Reference); err != nil {
		return ConsentResult{}, err
	}
	if !req.ExpiresAt.IsZero() && !req.ExpiresAt.After(s.clock()) {
		return ConsentResult{}, Invalid("/expires_at", "must be in the future")
	}
	entry.Reference, entry.Code = req.Reference, req.Purpose
	body := consentBody{Purpose: req.Purpose, Reference: req.Reference}
	p, receipt, err := openProceeding(ctx, s, call, keys, entry, func() (Proceeding, error) {
		ref, err := s.subjectRef(ctx, call, keys, req.Subject, entry.RuleIDs)
		return Proceeding{
			Kind: ProceedingConsent, State: ProceedingStanding, Actor: call.Caller.Subject, SubjectRef: ref,
			ExpiresAt: instant(req.ExpiresAt), Body: encodeBody(body),
		}, err
	})
	if err != nil {
		return ConsentResult{}, err
	}
	return ConsentResult{Consent: s.describeConsent(p, body), Audit: receipt}, nil
}

// subjectRef is the reference of a person, who is made where nobody named them yet:
// by the rules that allow what names them.
func (s *Service) subjectRef(ctx context.Context, call Call, keys *keySet, name string, rules []string) (string, error) {
	tenant := call.Caller.Tenant
	known, err := s.store.Subjects(ctx, tenant, []Digest{keys.index.Subject(name)})
	if err != nil {
		return "", err
	}
	if len(known) > 0 {
		return known[0].Ref, nil
	}
	entry := s.entry(call, audit.KindSubjectLink, keys)
	entry.Decision, entry.RuleIDs = audit.Allow, rules
	made, err := s.linkOnce(ctx, tenant, keys, LinkRequest{Subject: name}, entry, &claiming{})
	return made.SubjectRef, err
}

func (s *Service) describeConsent(p Proceeding, b consentBody) ConsentInfo {
	info := ConsentInfo{
		ID: p.ID, SubjectRef: p.SubjectRef, Purpose: b.Purpose, Reference: b.Reference,
		GivenAt: p.CreatedAt, ExpiresAt: p.ExpiresAt, WithdrawnAt: p.ClosedAt, Status: consentLive,
	}
	switch {
	case p.State.Closes():
		info.Status = consentWithdrawn
	case expired(p, s.clock()):
		info.Status = consentExpired
	}
	return info
}

// Consents returns a page of consents, the newest first: of one person, or of all.
func (s *Service) Consents(ctx context.Context, call Call, subject string, req ProceedingListRequest) (ConsentPage, error) {
	s = s.under(call)
	keys, err := s.begin(ctx, call)
	if err != nil {
		return ConsentPage{}, public(err)
	}
	q := ProceedingQuery{Kind: ProceedingConsent}
	var page ConsentPage
	if subject != "" {
		known, err := s.store.Subjects(ctx, call.Caller.Tenant, []Digest{keys.index.Subject(subject)})
		if err != nil {
			return ConsentPage{}, public(err)
		}
		// Nobody has the reference that nothing has: the answer is an empty page,
		// to who may read one.
		q.SubjectRefs = []string{NewID()}
		if len(known) > 0 {
			q.SubjectRefs[0] = known[0].Ref
		}
	}
	page.Next, err = listProceedings(ctx, s, call, access.ActionConsentRead, q, req, func(p Proceeding, b consentBody) {
		page.Consents = append(page.Consents, s.describeConsent(p, b))
	})
	return page, err
}

// WithdrawConsent ends a consent. It is as easy as to give one (GDPR Art. 7(3)), and
// holds from the commit on.
func (s *Service) WithdrawConsent(ctx context.Context, call Call, id, reference string) (ConsentResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionConsentManage, audit.KindWithdrawConsent)
	if err != nil {
		return ConsentResult{}, err
	}
	if err := checkReference(reference); err != nil {
		return ConsentResult{}, err
	}
	entry.Reference = reference
	row, body, receipt, err := changeProceeding(ctx, s, call, keys, ProceedingConsent, id, entry, func(row *Proceeding, body *consentBody) error {
		body.WithdrawnOn, row.State = reference, ProceedingDone
		return nil
	})
	if err != nil {
		return ConsentResult{}, err
	}
	return ConsentResult{Consent: s.describeConsent(row, body), Audit: receipt}, nil
}

// Exposure says what each destination has had of what is stored, as tokens, and
// what would go there in clear now.
func (s *Service) Exposure(ctx context.Context, call Call) ([]DestinationExposure, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionExposureRead); err != nil {
		return nil, err
	}
	sent, err := s.proceedings.Exposure(ctx, call.Caller.Tenant)
	if err != nil {
		return nil, public(err)
	}
	now := s.clock()
	var out []DestinationExposure
	at := make(map[string]int)
	for _, d := range s.rules().Destinations() {
		at[d.Name] = len(out)
		e := DestinationExposure{
			Name: d.Name, Vendor: d.Vendor, Region: d.Region, Training: d.Training, VendorRetentionDays: d.VendorRetentionDays,
			BAA: agreementInfo(d.BAA, now), DPA: agreementInfo(d.DPA, now),
		}
		route, err := s.rules().Route([]string{d.Name}, now)
		if err != nil {
			return nil, public(err)
		}
		for _, entity := range s.rules().Entities() {
			if route.Action(entity).InClear() {
				e.InClear = append(e.InClear, entity.Name)
			}
		}
		out = append(out, e)
	}
	for _, line := range sent {
		i, known := at[line.Destination]
		if !known {
			i = len(out)
			at[line.Destination] = i
			out = append(out, DestinationExposure{Name: line.Destination})
		}
		out[i].Sent = append(out[i].Sent, line)
	}
	return out, nil
}

func agreementInfo(a access.Agreement, now time.Time) *AgreementInfo {
	if a.Ref == "" {
		return nil
	}
	return &AgreementInfo{Ref: a.Ref, ValidFrom: a.ValidFrom, ValidTo: a.ValidTo, InForce: a.InForce(now)}
}
