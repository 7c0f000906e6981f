package evidence

import "context"

// Build walks the log and makes the tables of a period.
func Build(ctx context.Context, log Source, facts Facts, period Period) (*Evidence, error) {
	if err := period.Check(); err != nil {
		return nil, err
	}
	e := &Evidence{
		Tenant: facts.Tenant, Origin: facts.Origin, ToolVersion: facts.ToolVersion,
		Made: facts.Made, Period: period,
	}
	err := log(func(one Entry) error {
		e.Size = one.Index + 1
		return ctx.Err()
	})
	return e, err
}
