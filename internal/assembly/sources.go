package assembly

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/metrics"
	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Sources are where the figures of an instance come from.
func (in *Instance) Sources() metrics.Sources {
	stages := map[metrics.Stage]metrics.Position{
		metrics.StageCheckpoint: metrics.Noted(in.Store, vault.NoteCheckpoint),
		metrics.StageAnchor:     metrics.Anchored(in.journals.Anchors),
	}
	sources := metrics.Sources{
		KeyCache: in.Service.KeyCache, Breakers: make(map[metrics.Breaker]func() string), Deliveries: in.deliveries,
		Epoch: in.epoch, Controls: in.Service.ControlIDs(),
	}
	if store, counts := in.Store.Store.(interface{ CommitStats() commitqueue.Stats }); counts {
		sources.Commits = store.CommitStats
	}
	if key, guarded := in.key.(interface{ BreakerState() string }); guarded {
		sources.Breakers[metrics.BreakerKeyService] = key.BreakerState
	}
	if in.export != nil {
		stages[metrics.StageExport] = metrics.Noted(in.Store, vault.NoteExport)
		sources.Breakers[metrics.BreakerExport] = in.export.state
	}
	if in.tiles != "" {
		stages[metrics.StageTiles] = tiled(in.tiles)
	}
	reader := &metrics.Reader{
		Registry: in.Store, Ledger: in.Store, Requests: in.Store, Proceedings: in.Store, Custody: in.Store,
		Stages: stages, Now: in.clock,
	}
	sources.Standing = reader.Read
	return sources
}

// state says whether the sink is asked.
func (e *exporting) state() string {
	switch {
	case e.attempts.Failed() == 0:
		return "closed"
	case e.attempts.Due(e.clock()):
		return "half-open"
	default:
		return "open"
	}
}

var errNoCheckpoint = errors.New("assembly: the checkpoint of a folder of tiles is malformed")

// tiled is how far the folders of tiles are, as their checkpoints state it. Nothing
// rests on it: a signature is not checked for a figure.
func tiled(dir string) metrics.Position {
	return func(_ context.Context, tenant string) (int64, error) {
		checkpoint, err := os.ReadFile(filepath.Join(dir, tenant, "checkpoint"))
		if errors.Is(err, fs.ErrNotExist) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		lines := strings.SplitN(string(bytes.TrimSpace(checkpoint)), "\n", 3)
		if len(lines) < 3 {
			return 0, errNoCheckpoint
		}
		size, err := strconv.ParseInt(lines[1], 10, 64)
		if err != nil || size < 0 || size > audit.MaxSize {
			return 0, errNoCheckpoint
		}
		return size, nil
	}
}
