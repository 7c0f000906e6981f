package scenario

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/system"
)

// The works of one machine alone.
const (
	embeddedTokenizeWork = "embedded, tokenize 5 values"
	embeddedRestoreWork  = "embedded, restore 5 tokens"
	embeddedShare        = 0.5
)

// Embedded measures the service on SQLite and a key file beside a bare program on
// SQLite that does the same durable work with grouped commits.
func Embedded(ctx context.Context, e *Env) (err error) {
	service, err := e.Site.Embedded(ctx)
	if err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	defer func() { err = errors.Join(err, service.Stop(context.WithoutCancel(ctx))) }()
	floor, err := e.Site.FloorSQLite(ctx)
	if err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	defer func() { err = errors.Join(err, floor.Stop(context.WithoutCancel(ctx))) }()
	c := &core{
		Env: e,
		service: &face{
			of: system.Counterfoil, on: service, client: load.NewClient(connections),
			bearer: e.Site.Credential(e.Site.Tenants()[0], "gateway"),
		},
		floor: &face{of: system.Floor, on: floor, client: load.NewClient(connections)},
	}
	defer c.service.client.Close()
	defer c.floor.client.Close()
	held := make(map[*face][]holding)
	for _, f := range c.faces() {
		if held[f], err = c.holdings(ctx, f, scopesOfFew, few); err != nil {
			return fmt.Errorf("scenario: what is restored: %w", err)
		}
	}
	for _, clients := range c.at() {
		var tokenize, restore []*trial
		for _, f := range c.faces() {
			tokenize = append(tokenize, c.trial(f, embeddedTokenizeWork, clients, few, func() (load.Do, func(context.Context) error) {
				return c.tokenizing(f, clients, few)
			}))
			restore = append(restore, c.trial(f, embeddedRestoreWork, clients, few, func() (load.Do, func(context.Context) error) {
				return f.restoring(held[f], clients), nil
			}))
		}
		if err := c.interleave(ctx, append(tokenize, restore...)...); err != nil {
			return err
		}
	}
	for _, clients := range []int{16, 64} {
		at := loadOf(clients)
		e.judgeShare("embedded: tokenize 5 values, "+at, embeddedTokenizeWork, at, embeddedShare)
		e.judgeShare("embedded: detokenize 5 tokens, "+at, embeddedRestoreWork, at, embeddedShare)
	}
	return nil
}
