package envelope

import "context"

// KeyWrapper encrypts keys under wrapping keys that it never gives out, one
// wrapping key with growing versions per tenant. Its contract, each clause with
// a test in package wraptest:
//
// For every method
//   - A tenant is any non-empty string of at most MaxField bytes and is compared
//     byte for byte: tenants that differ in case, in a trailing blank, or of
//     which one begins like the other, are different tenants with unrelated
//     keys. An empty tenant fails the call with ErrInvalid.
//   - The whole call fails with ErrUnavailable while the key service does not
//     answer, and with the error of the context when that has ended.
//   - Results have the length and order of the items. Any number of items may
//     be passed, none included: an answer with none, and no error.
//   - Every method may be called from several goroutines at once.
//   - The given slices are neither changed nor kept.
//
// Wrap is all or nothing, and uses the version that Version tells. Wrapping
// the same bytes twice gives different results. Items have 0 to MaxWrapPlain
// bytes.
//
// Unwrap and Rewrap judge each item on its own: a bad one gets an Err and never
// fails the rest. An item fails with
//   - ErrAuthentication if its bytes or its version were changed, cut or
//     extended, if another tenant wrapped it, or if its version never existed;
//   - ErrVersionGone if its version existed and was destroyed.
//
// An item with an Err carries no plaintext and no wrapped bytes.
//
// Rewrap moves keys to the current version and gives no plaintext to the
// caller; what comes out unwraps to the same bytes. An item that is of the
// current version already may come back as it was.
//
// Version never falls, and is 1 or more: a tenant that was never seen has its
// first version from the first call on.
type KeyWrapper interface {
	Wrap(ctx context.Context, tenant string, plain [][]byte) ([]Wrapped, error)
	Unwrap(ctx context.Context, tenant string, wrapped []Wrapped) ([]Unwrapped, error)
	Rewrap(ctx context.Context, tenant string, wrapped []Wrapped) ([]Rewrapped, error)
	Version(ctx context.Context, tenant string) (int, error)
}

// Wrapped is a key as it may be stored: encrypted under one version of the
// tenant's wrapping key.
type Wrapped struct {
	Version int
	Bytes   []byte
}

// Unwrapped is one item of an Unwrap: the plaintext, or why there is none.
type Unwrapped struct {
	Plain Secret
	Err   error
}

// Rewrapped is one item of a Rewrap: the key under the current version, or why
// there is none.
type Rewrapped struct {
	Wrapped Wrapped
	Err     error
}
