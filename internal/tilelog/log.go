package tilelog

import (
	"context"
	"errors"
	"fmt"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Log is what a folder of tiles asks of the log of one tenant.
type Log struct {
	// Origin is the name of the log.
	Origin string
	// Keys returns all verifier keys of the log.
	Keys func(ctx context.Context) ([]string, error)
	// Checkpoint returns the last one that was published, nil where none was.
	Checkpoint func(ctx context.Context) ([]byte, error)
	// Nodes returns count complete subtrees of a level in a row, at most
	// audit.TileWidth; level 0 are the leaf hashes.
	Nodes func(ctx context.Context, level int, from int64, count int) ([]audit.Hash, error)
	// Leaves returns count leaves in a row, at most audit.TileWidth; nil stands for
	// one that was pruned.
	Leaves func(ctx context.Context, from int64, count int) ([][]byte, error)
}

// What can be wrong.
var (
	// ErrBehind says that the database has fewer entries than the folder.
	ErrBehind = errors.New("tilelog: the log is behind the folder")
	// ErrFork says that the database has another history than the folder, or than it
	// signed itself.
	ErrFork = errors.New("tilelog: the log has another history")
	// ErrFolder says that the folder is not what was written to it.
	ErrFolder = errors.New("tilelog: the folder was changed")
	// ErrBusy says that another process is writing.
	ErrBusy = errors.New("tilelog: another process writes this folder")
)

// head opens a checkpoint of the log.
func (l Log) head(ctx context.Context, keys []string, checkpoint []byte) (audit.TreeHead, error) {
	head, err := audit.OpenCheckpoint(checkpoint, keys...)
	if err != nil {
		return audit.TreeHead{}, err
	}
	if head.Origin != l.Origin {
		return audit.TreeHead{}, fmt.Errorf("%w: the checkpoint is of another log", ErrFork)
	}
	return head, ctx.Err()
}

// holds tells whether the database has the tree of a head.
func (l Log) holds(ctx context.Context, head audit.TreeHead) error {
	root, err := audit.RootAt(head.Size, func(level int, n int64) (audit.Hash, error) {
		nodes, err := l.nodes(ctx, level, n, 1)
		if err != nil {
			return audit.Hash{}, err
		}
		return nodes[0], nil
	})
	if err != nil {
		return fmt.Errorf("tilelog: %w", err)
	}
	if root != head.Root {
		return fmt.Errorf("%w: at size %d", ErrFork, head.Size)
	}
	return nil
}

// nodes asks for subtrees and gets as many.
func (l Log) nodes(ctx context.Context, level int, from int64, count int) ([]audit.Hash, error) {
	nodes, err := l.Nodes(ctx, level, from, count)
	if err != nil {
		return nil, fmt.Errorf("tilelog: nodes of level %d from %d: %w", level, from, err)
	}
	if len(nodes) != count {
		return nil, fmt.Errorf("%w: %d nodes of level %d from %d, asked for %d", ErrFork, len(nodes), level, from, count)
	}
	return nodes, nil
}
