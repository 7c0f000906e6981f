package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/embedded"
)

type tenantCommands struct {
	Create tenantCreateCommand `cmd:"" help:"Make a tenant, with its keys and its log. The service must be stopped."`
	List   tenantListCommand   `cmd:"" help:"List the tenants. The service may be running."`
}

type tenantCreateCommand struct {
	configFile
	Tenant string `required:"" help:"Name: lower-case letters, digits, _ and -."`
}

// Help says why the service must be stopped.
func (tenantCreateCommand) Help() string {
	return "A tenant is made here and never by a request: the service refuses those that it does not know.\n" +
		"One process at a time can have an SQLite database, so stop the service first and start it again after."
}

// Run makes the tenant, and says whether anybody may speak for it.
func (c tenantCreateCommand) Run(ctx context.Context, s streams) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	err = embedded.CreateTenant(ctx, cfg.Files(), c.Tenant, serviceOptions(cfg, nil))
	if errors.Is(err, embedded.ErrInUse) {
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

func spokenFor(cfg *config.Serve, tenant string) bool {
	return slices.ContainsFunc(cfg.Issuers, func(i config.Issuer) bool { return slices.Contains(i.Tenants, tenant) })
}

type tenantListCommand struct{ configFile }

// Run prints a line for each tenant: its name and when it was made.
func (c tenantListCommand) Run(ctx context.Context, s streams) error {
	cfg, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	tenants, err := embedded.Tenants(ctx, cfg.Files())
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a service that never ran has none
	}
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		if _, err := fmt.Fprintln(s.out, tenant.Name, stamp(tenant.CreatedAt)); err != nil {
			return err
		}
	}
	return nil
}
