package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// SearchSubjects says where a person is found.
func (a *api) SearchSubjects(ctx context.Context, r gen.SearchSubjectsRequestObject) (gen.SearchSubjectsResponseObject, error) {
	ctx, x := begin(ctx)
	result, err := a.service.SearchSubjects(ctx, x.call, vault.SubjectSearchRequest{
		Subject: value(r.Body.Subject), Identifiers: identifiers(r.Body.Identifiers),
		Variants: value(r.Body.Match) == gen.Variants,
	})
	if err != nil {
		return nil, err
	}
	answer := gen.SubjectSearchAnswer{
		SubjectRefs: list(result.SubjectRefs), Found: make([]gen.Sighting, 0, len(result.Sightings)),
		Ambiguous: result.Ambiguous, More: result.More, Audit: receipt(result.Audit), RequestId: x.requestID,
	}
	for _, s := range result.Sightings {
		sent := make([]gen.DestinationUse, 0, len(s.Destinations))
		for _, d := range s.Destinations {
			sent = append(sent, gen.DestinationUse{
				Destination: d.Destination, Mappings: int64(d.Mappings), FirstSent: d.First, LastSent: d.Last,
			})
		}
		answer.Found = append(answer.Found, gen.Sighting{
			ScopeRef: s.ScopeID, Kind: gen.ScopeKind(s.Kind), Entity: s.Entity, Class: gen.EntityClass(s.Class),
			Count: int64(s.Mappings), Expired: int64(s.Expired),
			FirstCreatedAt: s.First, LastCreatedAt: s.Last, EndsAt: s.Ends,
			Destinations: sent, SubjectRefs: list(s.SubjectRefs),
		})
	}
	return ok(answer), nil
}

// identifiers are the values that a person is known by.
func identifiers(given *[]gen.PersonIdentifier) []vault.Identifier {
	var out []vault.Identifier
	for _, i := range value(given) {
		out = append(out, vault.Identifier{Entity: i.Entity, Value: i.Value})
	}
	return out
}
