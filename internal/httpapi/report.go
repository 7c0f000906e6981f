package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// ReportOnRequest reports what there is of a person, as data or as a page.
func (a *api) ReportOnRequest(ctx context.Context, r gen.ReportOnRequestRequestObject) (gen.ReportOnRequestResponseObject, error) {
	ctx, x := begin(ctx)
	req := vault.ReportRequest{
		Values: value(r.Body.Values), Reason: reasonGiven(r.Body.Reason), Actors: value(r.Body.Actors),
	}
	if r.Body.Reason != nil && !req.Values {
		return nil, vault.Invalid("/reason", "goes with values")
	}
	report, err := a.service.ReportOnRequest(ctx, x.call, r.RequestId, req)
	if err != nil {
		return nil, err
	}
	x.reason = req.Reason.Code // the service has accepted it, or there is none
	if value(r.Body.Format) == gen.ReportFormatHtml {
		return newReportPage(&report)
	}
	return ok(subjectReport(&report, req.Values)), nil
}

func subjectReport(r *vault.SubjectReport, values bool) gen.SubjectReport {
	out := gen.SubjectReport{
		RequestId: r.RequestID, Reference: r.Reference, Kind: gen.SubjectRequestKind(r.Kind), GeneratedAt: r.GeneratedAt,
		SubjectRefs: list(r.SubjectRefs), Holdings: holdings(r.Holdings), Destinations: reportDestinations(r.Destinations),
		Purposes: make([]gen.ReportPurpose, 0, len(r.Purposes)), Restorations: restorations(r.Restorations),
		Retention: retentionLines(r.Retention), Limits: make([]gen.ReportLimit, 0, len(r.Limits)), Audit: receipt(r.Audit),
	}
	for _, p := range r.Purposes {
		out.Purposes = append(out.Purposes, gen.ReportPurpose{
			Reason: p.Reason, Description: p.Description, LegalBasis: p.LegalBasis, Restorations: int64(p.Restorations),
		})
	}
	for _, l := range r.Limits {
		out.Limits = append(out.Limits, gen.ReportLimit(l))
	}
	if values {
		told := make([]gen.ReportValue, 0, len(r.Values))
		for _, v := range r.Values {
			told = append(told, gen.ReportValue{ScopeRef: v.ScopeRef, Token: v.Token, Entity: v.Entity, Value: v.Value})
		}
		out.Values = &told
	}
	return out
}

func holdings(all []vault.ReportHolding) []gen.ReportHolding {
	out := make([]gen.ReportHolding, 0, len(all))
	for _, h := range all {
		out = append(out, gen.ReportHolding{
			ScopeRef: h.ScopeRef, ScopeKind: gen.ScopeKind(h.ScopeKind), Entity: h.Entity, Class: gen.EntityClass(h.Class),
			Values: int64(h.Values), Expired: int64(h.Expired),
			FirstCreatedAt: h.First, LastCreatedAt: h.Last, EndsAt: h.Ends,
		})
	}
	return out
}

func reportDestinations(all []vault.ReportDestination) []gen.ReportDestination {
	out := make([]gen.ReportDestination, 0, len(all))
	for _, d := range all {
		out = append(out, gen.ReportDestination{
			Destination: d.Destination, Vendor: d.Vendor, Region: d.Region, VendorRetentionDays: int64(d.VendorRetentionDays),
			Training: d.Training, Values: int64(d.Values), FirstSent: d.First, LastSent: d.Last,
		})
	}
	return out
}

func restorations(all []vault.ReportRestoration) []gen.ReportRestoration {
	out := make([]gen.ReportRestoration, 0, len(all))
	for _, r := range all {
		out = append(out, gen.ReportRestoration{
			At: r.At, Index: r.Index, Reason: r.Reason, Roles: list(r.Roles), Actor: optional(r.Actor), Client: r.Client,
			Recipient: optional(r.Recipient), Reference: optional(r.Reference), Values: int64(r.Values),
		})
	}
	return out
}
