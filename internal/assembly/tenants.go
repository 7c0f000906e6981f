package assembly

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// CreateTenant makes a tenant. It fails with ErrInUse where the service is
// running and has its store for itself.
func CreateTenant(ctx context.Context, b Backends, tenant string, opts Options) error {
	if err := MakeKey(ctx, b, tenant); err != nil {
		return err
	}
	in, err := open(ctx, b, opts.withDefaults())
	if err == nil {
		err = in.provision(ctx, nil)
	}
	if err == nil {
		err = in.createTenant(ctx, tenant)
	}
	if err == nil {
		err = in.Worker.Publish(ctx)
	}
	return errors.Join(err, in.release())
}

// SetTenantState suspends, resumes or closes a tenant. It fails with ErrInUse
// where the service is running and has its store for itself; every replica of
// any other goes by it from the commit on. Approval is the id of the one that the
// policy demands for closing, or empty.
func SetTenantState(ctx context.Context, b Backends, tenant string, state vault.TenantState, approval string, opts Options) error {
	in, err := open(ctx, b, opts.withDefaults())
	if err == nil {
		err = in.Service.SetTenantState(ctx, vault.Call{Channel: "process", ApprovalID: approval}, tenant, state)
	}
	if err == nil {
		err = in.Worker.Publish(ctx)
	}
	return errors.Join(err, in.release())
}

// Tenants lists the tenants of a service that is running or not. The system's
// own log is not one of them.
func Tenants(ctx context.Context, b Backends) (_ []vault.Tenant, err error) {
	view, closer, err := openView(ctx, b)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	all, err := view.Tenants(ctx)
	if err != nil {
		return nil, err
	}
	var tenants []vault.Tenant
	for _, tenant := range all {
		if tenant.Name != vault.SystemTenant {
			tenants = append(tenants, tenant)
		}
	}
	return tenants, nil
}

// provision makes those of the wanted tenants that are missing, and the
// system's own log, and keeps the public keys of all logs outside the database.
func (in *Instance) provision(ctx context.Context, wanted []string) error {
	names, err := in.Service.Tenants(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(in.backends.LogKeys, 0o700); err != nil {
		return fmt.Errorf("assembly: %w", err)
	}
	standing := make(map[string]bool, len(names))
	for _, name := range names {
		standing[name] = true
		if err := in.keepLogKey(ctx, name); err != nil {
			return err
		}
	}
	for _, tenant := range append([]string{vault.SystemTenant}, wanted...) {
		if standing[tenant] {
			continue
		}
		err := in.createTenant(ctx, tenant)
		if vault.CodeOf(err) == vault.CodeConflict {
			// Another replica that starts at this moment was faster.
			err = in.keepLogKey(ctx, tenant)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (in *Instance) createTenant(ctx context.Context, tenant string) error {
	if err := in.Service.CreateTenant(ctx, vault.Call{Channel: "process"}, tenant); err != nil {
		return err
	}
	return in.keepLogKey(ctx, tenant)
}

// keepLogKey keeps the public keys of a log outside the database, the first one
// first. A key that none of those which are kept vouches for is refused: they are
// what auditors were given.
func (in *Instance) keepLogKey(ctx context.Context, tenant string) error {
	keys, err := in.Service.LogKeys(ctx, tenant) // the newest first
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return fmt.Errorf("assembly: the log of %s has no key", tenant)
	}
	file := in.backends.LogKey(tenant)
	read, err := os.ReadFile(file)
	kept := strings.Fields(string(read))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kept = []string{keys[len(keys)-1].Key}
	case err != nil:
		return fmt.Errorf("assembly: %w", err)
	}
	slices.Reverse(keys)
	if follows(kept, keys) != nil {
		return fmt.Errorf("assembly: refusing to serve: the log key of %s is not the one in %s", tenant, in.backends.LogKeys)
	}
	var text strings.Builder
	for _, key := range keys {
		text.WriteString(key.Key + "\n")
	}
	if text.String() == string(read) {
		return nil
	}
	if err := os.WriteFile(file+".new", []byte(text.String()), 0o600); err != nil {
		return fmt.Errorf("assembly: %w", err)
	}
	return os.Rename(file+".new", file)
}

var errOtherKey = errors.New("assembly: a key for which nobody vouches")

// follows tells whether the keys of a log, the first one first, begin with those
// that are kept and go on with such as were vouched for.
func follows(kept []string, keys []vault.LogKey) error {
	var handovers [][]byte
	for i, key := range keys {
		switch {
		case i < len(kept) && kept[i] != key.Key:
			return errOtherKey
		case i >= len(kept):
			handovers = append(handovers, []byte(key.Handover))
		}
	}
	if len(kept) > len(keys) || len(kept) == 0 {
		return errOtherKey
	}
	good, err := audit.FollowHandovers(kept, handovers...)
	if err == nil && good[len(good)-1] != keys[len(keys)-1].Key {
		err = errOtherKey
	}
	return err
}
