package assembly

import (
	"context"
	"errors"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/webhook"
)

// loadPolicy reads the policy that a service begins with. A configured bundle is
// held against its signature and its own tests, as at every reload.
func loadPolicy(ctx context.Context, opts Options) (*access.Policy, error) {
	if opts.PolicySource == nil {
		return access.Load(opts.Policy)
	}
	bundle, err := opts.PolicySource(ctx)
	if err != nil {
		return nil, err
	}
	if opts.PolicyKey != "" {
		if err := bundle.VerifySignature(opts.PolicyKey); err != nil {
			return nil, err
		}
	}
	return bundle.Policy(ctx)
}

// deliverWith makes one attempt at a notice and says when the next is due.
func deliverWith(sender *webhook.Sender, now func() time.Time) func(context.Context, string, vault.Notice) vault.Delivery {
	return func(ctx context.Context, tenant string, n vault.Notice) vault.Delivery {
		err := sender.Deliver(ctx, webhook.Notice{ID: n.ID, Tenant: tenant, Kind: n.Kind, At: n.At, Body: n.Body})
		var failed *webhook.Failure
		switch {
		case err == nil:
			return vault.Delivery{Done: true}
		case errors.As(err, &failed) && failed.GiveUp:
			return vault.Delivery{Done: true, Failed: err}
		}
		again := webhook.Next(n.Attempts+1, now())
		if again.IsZero() {
			return vault.Delivery{Done: true, Failed: err}
		}
		if failed != nil {
			if asked := now().Add(failed.RetryAfter); asked.After(again) {
				again = asked
			}
		}
		return vault.Delivery{Again: again, Failed: err}
	}
}
