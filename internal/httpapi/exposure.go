package httpapi

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Exposure says what the vendors have.
func (a *api) Exposure(ctx context.Context, _ gen.ExposureRequestObject) (gen.ExposureResponseObject, error) {
	ctx, x := begin(ctx)
	destinations, err := a.service.Exposure(ctx, x.call)
	if err != nil {
		return nil, err
	}
	return ok(gen.ExposureAnswer{Destinations: each(destinations, destinationExposure), RequestId: x.requestID}), nil
}

func destinationExposure(d *vault.DestinationExposure) gen.DestinationExposure {
	return gen.DestinationExposure{
		Name: d.Name, Vendor: optional(d.Vendor), Region: optional(d.Region),
		Training: d.Training, VendorRetentionDays: int64(d.VendorRetentionDays),
		Baa: agreement(d.BAA), Dpa: agreement(d.DPA), InClear: list(d.InClear), Sent: each(d.Sent, exposureLine),
	}
}

func agreement(i *vault.AgreementInfo) *gen.Agreement {
	if i == nil {
		return nil
	}
	return &gen.Agreement{Ref: i.Ref, ValidFrom: moment(i.ValidFrom), ValidTo: moment(i.ValidTo), InForce: i.InForce}
}

func exposureLine(l *vault.ExposureLine) gen.ExposureLine {
	return gen.ExposureLine{
		Entity: l.Entity, Class: gen.EntityClass(l.Class), Mappings: int64(l.Mappings), FirstSent: l.First, LastSent: l.Last,
	}
}
