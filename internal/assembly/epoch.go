package assembly

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// keysCall is how entries of a key epoch say where they came from.
var keysCall = vault.Call{Channel: "keys"}

// Operate opens a service for a command, without serving, and lets go of it
// afterwards. It fails with ErrInUse where the service is running and has its
// store for itself.
func Operate(ctx context.Context, b Backends, opts Options, do func(*Instance) error) error {
	in, err := open(ctx, b, opts.withDefaults())
	if err == nil {
		err = do(in)
	}
	if err == nil {
		err = in.Worker.Publish(ctx)
	}
	return errors.Join(err, in.release())
}

// Rotate gives the wrapping keys of the tenants a new version, and says for each
// that no key is written under an older one any more.
func (in *Instance) Rotate(ctx context.Context, tenants []string, told func(tenant string, version int) error) error {
	if err := in.RotateKeys(ctx, tenants...); err != nil {
		return err
	}
	for _, tenant := range tenants {
		version, _, err := in.Service.RaiseWrapMinimum(ctx, keysCall, tenant)
		if err == nil {
			err = told(tenant, version)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", tenant, err)
		}
	}
	return nil
}

// Rewrap moves every key of the tenants that is below the minimum to the
// current version, batch by batch, and tells how many it moved.
func (in *Instance) Rewrap(ctx context.Context, tenants []string, told func(tenant string, moved int) error) error {
	for _, tenant := range tenants {
		moved := 0
		for more := true; more; {
			n, again, err := in.Service.Rewrap(ctx, keysCall, tenant)
			if err != nil {
				return fmt.Errorf("%s: %w", tenant, err)
			}
			moved, more = moved+n, again
		}
		if err := told(tenant, moved); err != nil {
			return err
		}
	}
	return nil
}
