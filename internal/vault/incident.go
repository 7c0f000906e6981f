package vault

import (
	"context"
	"slices"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
)

const (
	// authorityClock is how long there is to tell the supervisory authority of a
	// breach: GDPR Art. 33(1), from when somebody became aware.
	authorityClock = 72 * time.Hour
	// personsClock is how long there is to tell the persons: 45 CFR 164.404(b). The
	// GDPR says "without undue delay" (Art. 34) and gives no number.
	personsClock = 60 * 24 * time.Hour
	// MaxIncidentEvents bounds the events of one incident.
	MaxIncidentEvents = 500
)

// incidentBody is what is kept of an incident.
type incidentBody struct {
	Reference        string          `json:"reference"`
	AwareAt          time.Time       `json:"aware_at"`
	From             time.Time       `json:"from,omitzero"`
	To               time.Time       `json:"to,omitzero"`
	Events           []incidentEvent `json:"events,omitempty"`
	Outcome          IncidentOutcome `json:"outcome,omitempty"`
	OutcomeReference string          `json:"outcome_reference,omitempty"`
}

type incidentEvent struct {
	Kind      IncidentEventKind `json:"kind"`
	Reference string            `json:"reference"`
	By        string            `json:"by"`
	At        time.Time         `json:"at"`
}

// OpenIncident writes down an incident and starts its clocks.
func (s *Service) OpenIncident(ctx context.Context, call Call, req IncidentRequest) (IncidentResult, error) {
	s = s.under(call)
	keys, entry, err := s.authorise(ctx, call, access.ActionIncidentManage, audit.KindIncidentOpen)
	if err != nil {
		return IncidentResult{}, err
	}
	if err := checkReference(req.Reference); err != nil {
		return IncidentResult{}, err
	}
	now := s.clock()
	switch {
	case req.AwareAt.IsZero():
		req.AwareAt = now
	case req.AwareAt.After(now):
		return IncidentResult{}, Invalid("/aware_at", "must be a time that is over")
	case req.AwareAt.Before(now.Add(-maxReceivedAgo)):
		return IncidentResult{}, Invalid("/aware_at", "must not be more than a year ago")
	}
	if !req.From.IsZero() && !req.To.IsZero() && !req.To.After(req.From) {
		return IncidentResult{}, Invalid("/to", "must be after from")
	}
	entry.Reference = req.Reference
	body := incidentBody{Reference: req.Reference, AwareAt: instant(req.AwareAt), From: instant(req.From), To: instant(req.To)}
	entry.SetInstant(audit.CountAwareAt, body.AwareAt)
	p, receipt, err := openProceeding(ctx, s, call, keys, entry, func() (Proceeding, error) {
		return Proceeding{
			Kind: ProceedingIncident, State: ProceedingStanding, Actor: call.Caller.Subject,
			DueAt: body.AwareAt.Add(authorityClock), Body: encodeBody(body),
		}, nil
	})
	if err != nil {
		return IncidentResult{}, err
	}
	return IncidentResult{Incident: s.describeIncident(p, body), Audit: receipt}, nil
}

func (s *Service) describeIncident(p Proceeding, b incidentBody) IncidentInfo {
	info := IncidentInfo{
		ID: p.ID, Reference: b.Reference, OpenedBy: p.Actor, AwareAt: b.AwareAt, From: b.From, To: b.To,
		AuthorityDueAt: b.AwareAt.Add(authorityClock), PersonsDueAt: b.AwareAt.Add(personsClock),
		Outcome: b.Outcome, OutcomeReference: b.OutcomeReference, OpenedAt: p.CreatedAt, ClosedAt: p.ClosedAt,
	}
	for _, e := range b.Events {
		info.Events = append(info.Events, IncidentEvent(e))
		switch {
		case e.Kind == IncidentAuthorityNotified && info.AuthorityNotified.IsZero():
			info.AuthorityNotified = e.At
		case e.Kind == IncidentPersonsNotified && info.PersonsNotified.IsZero():
			info.PersonsNotified = e.At
		}
	}
	// A clock stops where it was answered, or the incident was closed.
	late := func(due, answered time.Time) bool {
		end := answered
		if end.IsZero() {
			end = p.ClosedAt
		}
		if end.IsZero() {
			end = s.clock()
		}
		return !end.Before(due)
	}
	info.AuthorityOverdue = late(info.AuthorityDueAt, info.AuthorityNotified)
	info.PersonsOverdue = late(info.PersonsDueAt, info.PersonsNotified)
	return info
}

// Incident shows one incident and its clocks.
func (s *Service) Incident(ctx context.Context, call Call, id string) (IncidentInfo, error) {
	s = s.under(call)
	if _, err := s.read(ctx, call, access.ActionIncidentRead); err != nil {
		return IncidentInfo{}, err
	}
	var body incidentBody
	p, err := s.storedProceeding(ctx, call.Caller.Tenant, ProceedingIncident, id, &body)
	if err != nil {
		return IncidentInfo{}, err
	}
	return s.describeIncident(p, body), nil
}

// Incidents returns a page of incidents, the newest first.
func (s *Service) Incidents(ctx context.Context, call Call, req ProceedingListRequest) (IncidentPage, error) {
	s = s.under(call)
	var page IncidentPage
	next, err := listProceedings(ctx, s, call, access.ActionIncidentRead, ProceedingQuery{Kind: ProceedingIncident}, req,
		func(p Proceeding, b incidentBody) { page.Incidents = append(page.Incidents, s.describeIncident(p, b)) })
	page.Next = next
	return page, err
}

// NoteIncident writes down that something happened in an incident. Two of the
// events stop its clocks.
func (s *Service) NoteIncident(ctx context.Context, call Call, id string, kind IncidentEventKind, reference string) (IncidentResult, error) {
	s = s.under(call)
	kinds := []IncidentEventKind{
		IncidentAssessed, IncidentContained, IncidentAuthorityNotified, IncidentPersonsNotified, IncidentHandedOver,
	}
	known := slices.Contains(kinds, kind)
	return s.changeIncident(ctx, call, id, string(kind), reference, func(row *Proceeding, body *incidentBody) error {
		switch {
		case !known:
			return Invalid("/kind", "must be assessed, contained, authority_notified, persons_notified or handed_over")
		case len(body.Events) >= MaxIncidentEvents:
			return tooLarge("/", "incident_events", MaxIncidentEvents)
		}
		body.Events = append(body.Events, incidentEvent{
			Kind: kind, Reference: reference, By: call.Caller.Subject, At: instant(s.clock()),
		})
		if kind == IncidentAuthorityNotified {
			row.DueAt = body.AwareAt.Add(personsClock)
		}
		return nil
	})
}

// CloseIncident closes an incident: with everybody told, or with why nobody was.
func (s *Service) CloseIncident(ctx context.Context, call Call, id string, outcome IncidentOutcome, reference string) (IncidentResult, error) {
	s = s.under(call)
	return s.changeIncident(ctx, call, id, "closed_"+string(outcome), reference, func(row *Proceeding, body *incidentBody) error {
		switch outcome {
		case OutcomeNoRisk, OutcomeNotIncident:
		case OutcomeNotified:
			told := func(e incidentEvent) bool {
				return e.Kind == IncidentAuthorityNotified || e.Kind == IncidentPersonsNotified
			}
			if !slices.ContainsFunc(body.Events, told) {
				return Errorf(CodeConflict, "nobody was notified yet")
			}
		default:
			return Invalid("/outcome", "must be notified, no_risk or not_an_incident")
		}
		body.Outcome, body.OutcomeReference, row.State = outcome, reference, ProceedingDone
		return nil
	})
}

func (s *Service) changeIncident(
	ctx context.Context, call Call, id, code, reference string, change func(*Proceeding, *incidentBody) error,
) (IncidentResult, error) {
	keys, entry, err := s.authorise(ctx, call, access.ActionIncidentManage, audit.KindIncidentChange)
	if err != nil {
		return IncidentResult{}, err
	}
	if err := checkReference(reference); err != nil {
		return IncidentResult{}, err
	}
	entry.Code, entry.Reference = code, reference
	row, body, receipt, err := changeProceeding(ctx, s, call, keys, ProceedingIncident, id, entry, change)
	if err != nil {
		return IncidentResult{}, err
	}
	return IncidentResult{Incident: s.describeIncident(row, body), Audit: receipt}, nil
}
