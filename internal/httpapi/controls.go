package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Controls shows the controls and how they stand.
func (a *api) Controls(ctx context.Context, _ gen.ControlsRequestObject) (gen.ControlsResponseObject, error) {
	ctx, x := begin(ctx)
	all, err := a.service.Controls(ctx, x.call)
	if err != nil {
		return nil, err
	}
	return ok(controlsAnswer(all, x)), nil
}

// CheckControls tries all controls now.
func (a *api) CheckControls(ctx context.Context, _ gen.CheckControlsRequestObject) (gen.CheckControlsResponseObject, error) {
	ctx, x := begin(ctx)
	all, err := a.service.CheckControls(ctx, x.call)
	if err != nil {
		return nil, err
	}
	return ok(controlsAnswer(all, x)), nil
}

func controlsAnswer(all []vault.ControlInfo, x *exchange) gen.ControlsAnswer {
	return gen.ControlsAnswer{Controls: each(all, control), RequestId: x.requestID}
}

func control(c *vault.ControlInfo) gen.Control {
	out := gen.Control{
		Id: c.ID, Title: c.Title, Query: c.Query, Frequency: gen.ControlFrequency(c.Frequency), Clauses: list(c.Clauses),
		Result: optional(gen.ControlResult(c.Result)), Population: int64(c.Population), Exceptions: int64(c.Exceptions),
		At: moment(c.At), Due: moment(c.Due),
	}
	if len(c.Entries) > 0 {
		out.Entries = &c.Entries
	}
	if len(c.Detail) > 0 {
		out.Detail = &c.Detail
	}
	return out
}
