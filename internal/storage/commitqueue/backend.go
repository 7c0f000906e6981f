package commitqueue

import (
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// Backend makes batches durable. The queue never calls it at the same time
// twice for one tenant, and for at most Limits.Workers tenants at a time.
//
// Neither method gets a context: a batch belongs to many requests, and none of
// them may cancel it. A backend bounds its own waiting.
type Backend interface {
	// Apply commits changes of one tenant together and returns one result for
	// each, in order. A change that fails alone has its error in its result.
	//
	// With an error that wraps ErrUnknown the transaction may or may not have
	// been committed; the results then say what holds if it was. With any
	// other error nothing of the batch was committed, nor will be.
	Apply(tenant string, changes []vault.Change) ([]Result, error)
	// Lookup returns those of the change ids that are committed. It is called
	// after an unknown outcome, and answers only once the attempt before it
	// cannot land any more.
	Lookup(tenant string, ids []string) ([]string, error)
}

// Result is what became of one change.
type Result struct {
	Committed vault.Committed
	Err       error
}

// ErrUnknown is wrapped by a backend whose COMMIT was not answered, or was
// answered with an error.
var ErrUnknown = errors.New("commitqueue: the outcome of the commit is unknown")

// PanicError says that the backend panicked. The value of the panic may hold
// anything, so only its type is kept.
type PanicError struct {
	Type  string
	Stack []byte
}

// Error implements error. The stack is left to those who ask for it.
func (e *PanicError) Error() string {
	return fmt.Sprintf("commitqueue: the backend panicked with a %s", e.Type)
}
