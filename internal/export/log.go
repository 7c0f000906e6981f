package export

import (
	"context"
	"fmt"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Log is what an export asks of the log of one tenant.
type Log struct {
	Tenant string
	// Origin is the name of the log.
	Origin string
	// Head returns the last checkpoint that was published; the zero value where none was.
	Head func(ctx context.Context) (Head, error)
	// Entries returns those from an index on, in order and without a gap, at most
	// limit of them and at least one where there is one.
	Entries func(ctx context.Context, from int64, limit int) ([]Entry, error)
	// Cursor returns what SetCursor kept last, and the zero value where it never did.
	Cursor func(ctx context.Context) (Cursor, error)
	// SetCursor keeps a cursor. One whose Next is lower than that of the one that is
	// kept may be dropped; it is read again before anything else is done.
	SetCursor func(ctx context.Context, c Cursor) error
	// Sign signs a statement with the key of the log that is in use.
	Sign func(ctx context.Context, s audit.Statement) ([]byte, error)
	// Keys returns the keys of the log, the first one first.
	Keys func(ctx context.Context) ([]Key, error)
}

// Head is where a log stands, signed.
type Head struct {
	Size       int64
	Root       audit.Hash
	Checkpoint []byte
	// At is an instant, by the clock of the log, at which it had no entry beyond
	// Size; zero where that is not known. Only a day that it lies behind is over by
	// the clock.
	At time.Time
}

// Entry is a stored entry.
type Entry struct {
	Index    int64
	Leaf     []byte // nil where it was pruned
	LeafHash audit.Hash
}

// Key is a key of a log.
type Key struct {
	VerifierKey string
	// Handover is the statement by which the key before it vouched for this one;
	// nil of the first.
	Handover []byte
}

// Cursor says where an export goes on. Body is nobody else's business.
type Cursor struct {
	Next int64 // index of the first entry that may not be out
	Body []byte
}

// MaxCursor is the size in bytes of the largest cursor.
const MaxCursor = 64 << 10

func verifierKeys(keys []Key) []string {
	vkeys := make([]string, len(keys))
	for i, key := range keys {
		vkeys[i] = key.VerifierKey
	}
	return vkeys
}

// head asks for the head, and believes its signature alone.
func (l Log) head(ctx context.Context, keys []Key) (Head, error) {
	head, err := l.Head(ctx)
	if err != nil {
		return Head{}, fmt.Errorf("export: head: %w", err)
	}
	if head.Checkpoint == nil && head.Size == 0 {
		return Head{}, nil
	}
	stated, err := audit.OpenCheckpoint(head.Checkpoint, verifierKeys(keys)...)
	if err != nil {
		return Head{}, fmt.Errorf("%w: %w", ErrLog, err)
	}
	if stated != (audit.TreeHead{Origin: l.Origin, Size: head.Size, Root: head.Root}) {
		return Head{}, fmt.Errorf("%w: the checkpoint states another head", ErrLog)
	}
	return head, nil
}
