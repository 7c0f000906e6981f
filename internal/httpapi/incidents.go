package httpapi

import (
	"context"
	"errors"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// OpenIncident writes down an incident.
func (a *api) OpenIncident(ctx context.Context, r gen.OpenIncidentRequestObject) (gen.OpenIncidentResponseObject, error) {
	ctx, x := begin(ctx)
	aware, errAware := instant("/aware_at", r.Body.AwareAt)
	from, errFrom := instant("/from", r.Body.From)
	to, errTo := instant("/to", r.Body.To)
	if err := errors.Join(errAware, errFrom, errTo); err != nil {
		return nil, err
	}
	result, err := a.service.OpenIncident(ctx, x.call, vault.IncidentRequest{
		Reference: r.Body.Reference, AwareAt: aware, From: from, To: to,
	})
	if err != nil {
		return nil, err
	}
	return created(incidentAnswer(&result, x)), nil
}

// Incidents lists the incidents.
func (a *api) Incidents(ctx context.Context, r gen.IncidentsRequestObject) (gen.IncidentsResponseObject, error) {
	ctx, x := begin(ctx)
	page, err := a.service.Incidents(ctx, x.call, proceedingList(r.Params.Open, r.Params.Limit, r.Params.Cursor))
	if err != nil {
		return nil, err
	}
	return ok(gen.IncidentPage{
		Incidents: each(page.Incidents, incident), NextCursor: optional(page.Next), RequestId: x.requestID,
	}), nil
}

// Incident shows one incident.
func (a *api) Incident(ctx context.Context, r gen.IncidentRequestObject) (gen.IncidentResponseObject, error) {
	ctx, x := begin(ctx)
	info, err := a.service.Incident(ctx, x.call, r.IncidentId)
	if err != nil {
		return nil, err
	}
	return ok(incidentAnswer(&vault.IncidentResult{Incident: info}, x)), nil
}

// NoteIncident writes down what happened in an incident.
func (a *api) NoteIncident(ctx context.Context, r gen.NoteIncidentRequestObject) (gen.NoteIncidentResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.NoteIncident(ctx, x.call, r.IncidentId, vault.IncidentEventKind(r.Body.Kind), r.Body.Reference)
	if err != nil {
		return nil, err
	}
	return ok(incidentAnswer(&result, x)), nil
}

// CloseIncident closes an incident.
func (a *api) CloseIncident(ctx context.Context, r gen.CloseIncidentRequestObject) (gen.CloseIncidentResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.CloseIncident(ctx, x.call, r.IncidentId, vault.IncidentOutcome(r.Body.Outcome), r.Body.Reference)
	if err != nil {
		return nil, err
	}
	return ok(incidentAnswer(&result, x)), nil
}

func incidentAnswer(r *vault.IncidentResult, x *exchange) gen.Incident {
	out := incident(&r.Incident)
	out.Audit, out.RequestId = receipt(r.Audit), pointer(x.requestID)
	return out
}

func incident(i *vault.IncidentInfo) gen.Incident {
	return gen.Incident{
		Id: i.ID, Reference: i.Reference, OpenedBy: i.OpenedBy, AwareAt: i.AwareAt, From: moment(i.From), To: moment(i.To),
		AuthorityDueAt: i.AuthorityDueAt, AuthorityNotifiedAt: moment(i.AuthorityNotified), AuthorityOverdue: i.AuthorityOverdue,
		PersonsDueAt: i.PersonsDueAt, PersonsNotifiedAt: moment(i.PersonsNotified), PersonsOverdue: i.PersonsOverdue,
		Events:  each(i.Events, incidentEvent),
		Outcome: optional(gen.IncidentOutcome(i.Outcome)), OutcomeReference: optional(i.OutcomeReference),
		OpenedAt: i.OpenedAt, ClosedAt: moment(i.ClosedAt),
	}
}

func incidentEvent(e *vault.IncidentEvent) gen.IncidentEvent {
	return gen.IncidentEvent{Kind: gen.IncidentEventKind(e.Kind), Reference: e.Reference, By: e.By, At: e.At}
}
