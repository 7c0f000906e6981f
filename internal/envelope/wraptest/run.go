package wraptest

import (
	"context"
	"testing"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// Controls is what the suite does to a wrapper beyond its contract.
type Controls interface {
	// Rotate gives the tenant's wrapping key a new current version. It may
	// rotate those of other tenants too.
	Rotate(ctx context.Context, tenant string) error
	// Destroy destroys the versions below the given one.
	Destroy(ctx context.Context, tenant string, below int) error
	// Stop makes the key service fall silent, for good.
	Stop()
}

// wrapper is what a clause is given.
type wrapper interface {
	envelope.KeyWrapper
	Controls
}

// clause is one promise of the contract. check returns what was broken.
type clause struct {
	name  string
	check func(ctx context.Context, w wrapper) error
}

// clauses lists the contract in the order of its prose.
func clauses() []clause {
	return []clause{
		{"tenants are compared byte for byte", tenantsApart},
		{"no tenant is refused", noTenant},
		{"silence is ErrUnavailable", silence},
		{"an ended context ends the call", endedContext},
		{"length and order are kept", lengthAndOrder},
		{"calls run side by side", sideBySide},
		{"arguments are neither changed nor kept", argumentsLeftAlone},
		{"wrap uses the version that is told", wrapVersion},
		{"wrapping twice differs", wrapTwice},
		{"any size comes back", anySize},
		{"one bad item fails alone", oneBadItem},
		{"every byte is authenticated", everyByte},
		{"the version is authenticated", versionBound},
		{"a destroyed version is gone", versionGone},
		{"rewrap moves to the current version", rewrapMoves},
		{"a new version leaves older ones open", olderStayOpen},
	}
}

// Run holds a wrapper against each clause of the contract. open makes a
// wrapper with tenants of its own, which it closes by t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) envelope.KeyWrapper) {
	t.Helper()
	for _, c := range clauses() {
		t.Run(c.name, func(t *testing.T) {
			w, ok := open(t).(wrapper)
			if !ok {
				t.Fatal("the wrapper under test does not implement wraptest.Controls")
			}
			if err := c.check(t.Context(), w); err != nil {
				t.Error(err)
			}
		})
	}
}
