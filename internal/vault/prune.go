package vault

import (
	"context"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Pruner takes leaf bytes out of a log that were kept long enough. It is the owner
// of a store, which no service is: a command opens it, works and closes it.
type Pruner interface {
	// Prune takes the leaves of a range, and what they are searched by, out of the
	// tables: those of the kinds whose time is before the given one. Hashes, nodes,
	// times and change ids stay, and so does every proof. It works in batches of
	// PruneBatch, each of which is whole or not at all, and may be repeated: what is
	// out stays out. Told how many leaves went in this call.
	//
	// An entry of kind prune is committed before it and names the range: the log may
	// say more than was done, never less.
	Prune(ctx context.Context, tenant string, p Pruning) (int64, error)
}

// Pruning says which leaves are to go.
type Pruning struct {
	From, To int64 // [From, To)
	Kinds    []audit.Kind
	Before   time.Time
}

// PruneBatch is how many leaves one transaction of a Pruner takes out: tens of
// megabytes at most, so that it ends within a second.
const PruneBatch = 2000

// The counts of an entry of kind prune.
const (
	CountPruneFrom = "from"
	CountPruneTo   = "to"
)
