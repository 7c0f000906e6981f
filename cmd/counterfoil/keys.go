package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/vault"
)

type keysCommands struct {
	Init    keysInitCommand    `cmd:"" help:"Make the key file of a new service, or the first key of a key service."`
	Rotate  keysRotateCommand  `cmd:"" help:"Give the wrapping keys a new version; no key is written under an older one from then on."`
	Rewrap  keysRewrapCommand  `cmd:"" help:"Wrap what older versions wrapped under the current one."`
	Status  keysStatusCommand  `cmd:"" help:"Say for each tenant which version wraps, and what is still to be wrapped anew."`
	Backup  keysBackupCommand  `cmd:"" help:"Write a sealed backup of the key file, and print the shares of its recovery key."`
	Restore keysRestoreCommand `cmd:"" help:"Write the key file again from a backup and shares, which are read from the standard input."`
	Trim    keysTrimCommand    `cmd:"" help:"Destroy versions that no backup needs any more; what was erased under them opens nowhere from then on."`
}

type keysInitCommand struct{ configFile }

// Help says what depends on the file.
func (keysInitCommand) Help() string {
	return "Whoever has the key file and the database has every value; without it the values are gone, for good.\n" +
		"Back it up, in another place than the database. It is never made anew beside a database that exists.\n" +
		"With a key service nothing is kept here: the key of the system's own log is made there, as keys.transit.administration."
}

// Run makes the key file and prints where it is.
func (c keysInitCommand) Run(ctx context.Context, s streams) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	if cfg.Keys.Transit != nil {
		backends, err := assembly.BackendsOf(cfg)
		if err == nil {
			err = assembly.MakeKey(ctx, backends, vault.SystemTenant)
		}
		if err == nil {
			_, err = fmt.Fprintln(s.out, "made the key of", vault.SystemTenant)
		}
		return err
	}
	if err := assembly.CreateKey(cfg.Files()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, "made", cfg.Files().KeyFile)
	return err
}

// epoch is what the commands of a key epoch share.
type epoch struct {
	configFile
	Tenant []string `help:"Only these tenants. Without it all of them, the system's own log among them."`
}

// on opens the service and does something with the tenants that are meant.
func (c epoch) on(ctx context.Context, do func(in *assembly.Instance, tenants []string) error) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	backends, err := assembly.BackendsOf(cfg)
	if err != nil {
		return err
	}
	return explained(assembly.Operate(ctx, backends, serviceOptions(cfg, nil), func(in *assembly.Instance) error {
		tenants, err := in.Service.Tenants(ctx)
		if err != nil {
			return err
		}
		for _, name := range c.Tenant {
			if !slices.Contains(tenants, name) {
				return fmt.Errorf("there is no tenant %s", name)
			}
		}
		if len(c.Tenant) > 0 {
			tenants = c.Tenant
		}
		return do(in, tenants)
	}))
}

type keysRotateCommand struct{ epoch }

// Help says what comes after.
func (keysRotateCommand) Help() string {
	return "What older versions wrapped still opens: `counterfoil keys rewrap` moves it. On PostgreSQL the service goes on;\n" +
		"on SQLite it must be stopped. A key file has one key for all tenants, so it is rotated for all."
}

// Run rotates, and prints a line for each tenant.
func (c keysRotateCommand) Run(ctx context.Context, s streams) error {
	return c.on(ctx, func(in *assembly.Instance, tenants []string) error {
		return in.Rotate(ctx, tenants, func(tenant string, version int) error {
			_, err := fmt.Fprintf(s.out, "%s: version %d wraps\n", tenant, version)
			return err
		})
	})
}

type keysRewrapCommand struct{ epoch }

// Run re-wraps, and prints a line for each tenant.
func (c keysRewrapCommand) Run(ctx context.Context, s streams) error {
	return c.on(ctx, func(in *assembly.Instance, tenants []string) error {
		return in.Rewrap(ctx, tenants, func(tenant string, moved int) error {
			_, err := fmt.Fprintf(s.out, "%s: %d keys wrapped anew\n", tenant, moved)
			return err
		})
	})
}

type keysStatusCommand struct{ epoch }

// Run prints a line for each tenant.
func (c keysStatusCommand) Run(ctx context.Context, s streams) error {
	return c.on(ctx, func(in *assembly.Instance, tenants []string) error {
		for _, tenant := range tenants {
			status, err := in.Service.EpochStatus(ctx, tenant)
			if err != nil {
				return fmt.Errorf("%s: %w", tenant, err)
			}
			stale := fmt.Sprint(status.Stale)
			if status.More {
				stale = "more than " + stale
			}
			if _, err := fmt.Fprintf(s.out, "%s: version %d wraps, none older than %d is written, %s to be wrapped anew\n",
				tenant, status.Current, status.MinWrapVersion, stale); err != nil {
				return err
			}
		}
		return nil
	})
}
