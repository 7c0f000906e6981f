package assembly

import (
	"context"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/envelope"
)

// Unwrap tells whether a wrapped key opens.
func (in *Instance) Unwrap(ctx context.Context, tenant string, wrapped envelope.Wrapped) (bool, error) {
	opened, err := in.key.Unwrap(ctx, tenant, []envelope.Wrapped{wrapped})
	if err != nil {
		return false, err
	}
	return opened[0].Err == nil, nil
}

// MakeEvidence puts the oldest evidence together that a tenant waits for.
func (in *Instance) MakeEvidence(ctx context.Context, tenant string) (bool, error) {
	return in.bundles.next(ctx, tenant)
}

// Export exports the next batch of a tenant.
func (in *Instance) Export(ctx context.Context, tenant string) (bool, error) {
	return in.export.step(ctx, tenant)
}

// NewDetection makes the detection of a service without a configuration of it.
func NewDetection() error {
	policy, err := access.Load(authz.FS)
	if err == nil {
		_, err = newDetection(nil, policy)
	}
	return err
}
