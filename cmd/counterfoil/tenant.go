package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/vault"
)

type tenantCommands struct {
	Create tenantCreateCommand `cmd:"" help:"Make a tenant, with its keys and its log."`
	List   tenantListCommand   `cmd:"" help:"List the tenants and their states. The service may be running."`

	Suspend tenantSuspendCommand `cmd:"" help:"Tokenize and restore nothing for a tenant until it is resumed."`
	Resume  tenantResumeCommand  `cmd:"" help:"Serve a suspended tenant again."`
	Close   tenantCloseCommand   `cmd:"" help:"Tokenize and restore nothing for a tenant any more."`
}

type tenantCreateCommand struct {
	configFile
	Tenant string `required:"" help:"Name: lower-case letters, digits, _ and -."`
}

// Help says why the service must be stopped.
func (tenantCreateCommand) Help() string {
	return "A tenant is made here and never by a request: the service refuses those that it does not know.\n" +
		"One process at a time can have an SQLite database, so stop the service first and start it again after;\n" +
		"on PostgreSQL replicas serve it from then on. With a key service its key is made as keys.transit.administration."
}

// Run makes the tenant, and says whether anybody may speak for it.
func (c tenantCreateCommand) Run(ctx context.Context, s streams) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	backends, err := assembly.BackendsOf(cfg)
	if err != nil {
		return err
	}
	err = assembly.CreateTenant(ctx, backends, c.Tenant, serviceOptions(cfg, nil))
	if errors.Is(err, assembly.ErrInUse) {
		return fmt.Errorf("the service is running: stop it, make the tenant, start it again: %w", err)
	}
	if err != nil {
		return explained(err)
	}
	if _, err := fmt.Fprintf(s.out, "made tenant %s; the public key of its log is %s\n", c.Tenant, cfg.Files().LogKey(c.Tenant)); err != nil {
		return err
	}
	if !spokenFor(cfg, c.Tenant) {
		_, err = fmt.Fprintln(s.out, "no issuer of the configuration may speak for it: see issuers[].tenants")
	}
	return err
}

// tenantState is what the three commands share that change a tenant's state.
type tenantState struct {
	configFile
	Tenant string `required:"" help:"Name of the tenant."`
}

// Help says whether the service may be running.
func (tenantState) Help() string {
	return "On PostgreSQL every replica goes by it from the commit on. On SQLite the service must be stopped."
}

func (c tenantState) set(ctx context.Context, s streams, state vault.TenantState, approval string) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	backends, err := assembly.BackendsOf(cfg)
	if err != nil {
		return err
	}
	err = assembly.SetTenantState(ctx, backends, c.Tenant, state, approval, serviceOptions(cfg, nil))
	if errors.Is(err, assembly.ErrInUse) {
		return fmt.Errorf("the service is running: stop it first: %w", err)
	}
	if err != nil {
		return explained(err)
	}
	_, err = fmt.Fprintf(s.out, "tenant %s is %s\n", c.Tenant, state)
	return err
}

type tenantSuspendCommand struct{ tenantState }

// Run suspends the tenant.
func (c tenantSuspendCommand) Run(ctx context.Context, s streams) error {
	return c.set(ctx, s, vault.TenantSuspended, "")
}

type tenantResumeCommand struct{ tenantState }

// Run resumes the tenant.
func (c tenantResumeCommand) Run(ctx context.Context, s streams) error {
	return c.set(ctx, s, vault.TenantActive, "")
}

type tenantCloseCommand struct {
	tenantState
	Yes      bool   `required:"" help:"A closed tenant cannot be opened again."`
	Approval string `help:"Id of the approval, where the policy demands one (POST /v1/approvals)."`
}

// Help says what becomes of what the tenant holds.
func (tenantCloseCommand) Help() string {
	return "What the tenant holds is not destroyed at once: it expires in its time, and is swept. Its log stays, and can be read.\n" +
		"On PostgreSQL every replica goes by it from the commit on. On SQLite the service must be stopped."
}

// Run closes the tenant for good.
func (c tenantCloseCommand) Run(ctx context.Context, s streams) error {
	return c.set(ctx, s, vault.TenantClosed, c.Approval)
}

func spokenFor(cfg *config.Serve, tenant string) bool {
	return slices.ContainsFunc(cfg.Issuers, func(i config.Issuer) bool { return slices.Contains(i.Tenants, tenant) })
}

type tenantListCommand struct{ configFile }

// Run prints a line for each tenant: its name, when it was made, its state.
func (c tenantListCommand) Run(ctx context.Context, s streams) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	backends, err := assembly.BackendsOf(cfg)
	if err != nil {
		return err
	}
	tenants, err := assembly.Tenants(ctx, backends)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a service that never ran has none
	}
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		if _, err := fmt.Fprintln(s.out, tenant.Name, stamp(tenant.CreatedAt), tenant.State); err != nil {
			return err
		}
	}
	return nil
}
