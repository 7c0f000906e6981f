package httpapi

import (
	"context"
	"time"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
)

// Policy serves the policy in force.
func (a *api) Policy(ctx context.Context, _ gen.PolicyRequestObject) (gen.PolicyResponseObject, error) {
	ctx, x := begin(ctx)
	info, err := a.service.PolicyInfo(ctx, x.call)
	if err != nil {
		return nil, err
	}
	answer := gen.PolicyAnswer{
		Version: info.Version, RequestId: x.requestID,
		Reasons:  make([]gen.ReasonInfo, 0, len(info.Reasons)),
		Entities: make([]gen.EntityInfo, 0, len(info.Entities)),
	}
	for _, r := range info.Reasons {
		answer.Reasons = append(answer.Reasons, gen.ReasonInfo{
			Code: r.Code, Description: r.Description,
			LegalBasis:        gen.LegalBasis{Gdpr: optional(r.GDPR), Hipaa: optional(r.HIPAA)},
			ReferenceRequired: r.ReferenceRequired, ReferencePattern: optional(r.ReferencePattern),
			MaxTokens: int32(r.MaxTokens), //nolint:gosec // at most what one request may hold
		})
	}
	for _, e := range info.Entities {
		answer.Entities = append(answer.Entities, gen.EntityInfo{
			Name: e.Name, Class: gen.EntityClass(e.Class), Action: gen.EntityInfoAction(e.Action),
			Retention: int64(e.Retention / time.Second),
		})
	}
	return ok(answer), nil
}
