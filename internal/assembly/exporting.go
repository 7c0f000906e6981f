package assembly

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/export"
	"github.com/counterfoil/counterfoil/internal/lifecycle"
	"github.com/counterfoil/counterfoil/internal/tilelog"
	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// exportEvery is how often is looked for what is to be exported; it takes a lease
	// each time, so that it is not each second.
	exportEvery = 5 * time.Second
	// exportWait is how long a batch that is not full waits for more: an object for
	// half a minute of a quiet log, and not one for each entry.
	exportWait = 30 * time.Second
	// tilesEvery is how often the folders of tiles move: as the checkpoint does.
	tilesEvery = time.Second
)

const (
	// evidenceEvery is how often is looked for evidence that somebody asked for.
	evidenceEvery = 2 * time.Second
	// controlsEvery is how often is looked for controls that are due.
	controlsEvery = time.Minute
)

// chores are what goes on beside the sweeps and the checkpoints.
func (in *Instance) chores(opts Options) {
	if opts.Export != nil {
		in.export = newExporting(in.Service, opts.Export, opts.Formats, opts.Clock)
		in.Worker.Also(lifecycle.Chore{Name: "export", Pause: exportEvery, Turns: true, Batch: in.export.step})
	}
	if opts.Tiles != "" {
		in.Worker.Also(lifecycle.Chore{Name: "tiles", Pause: tilesEvery, Batch: newTiling(in.Service, opts.Tiles).step})
	}
	in.Worker.Also(lifecycle.Chore{Name: "evidence", Pause: evidenceEvery, Batch: in.bundles.next})
	in.Worker.Also(lifecycle.Chore{Name: "controls", Pause: controlsEvery, Turns: true, Batch: in.Service.TryDueControls})
}

// exporting carries the logs of all tenants to one sink.
type exporting struct {
	service  *vault.Service
	exporter *export.Exporter
	attempts *export.Attempts // of the sink, which is one for all tenants
	clock    func() time.Time

	progress map[string]export.Progress // after the last step of each log, of step alone
}

func newExporting(s *vault.Service, sink export.Sink, formats export.Formats, clock func() time.Time) *exporting {
	return &exporting{
		service: s, clock: clock, attempts: export.NewAttempts(), progress: make(map[string]export.Progress),
		exporter: &export.Exporter{Sink: sink, Formats: formats, Every: exportWait, Now: clock},
	}
}

// step exports the next batch of a tenant, and tells whether there may be more.
// While the sink is away nothing is asked of it but now and then.
func (e *exporting) step(ctx context.Context, tenant string) (bool, error) {
	if !e.attempts.Due(e.clock()) {
		return false, nil
	}
	log, err := e.log(ctx, tenant)
	if err != nil {
		return false, err
	}
	progress, err := e.exporter.Step(ctx, log)
	// A step that wrote nothing says nothing of the sink.
	if before, known := e.progress[tenant]; err != nil && !errors.Is(err, context.Canceled) ||
		err == nil && known && (progress.Next != before.Next || progress.Day != before.Day) {
		e.attempts.Done(e.clock(), err)
	}
	if err == nil {
		e.progress[tenant] = progress
	}
	return progress.More, err
}

func (e *exporting) log(ctx context.Context, tenant string) (export.Log, error) {
	s := e.service
	keys, err := s.LogKeys(ctx, tenant)
	if err != nil {
		return export.Log{}, err
	}
	origin, err := audit.OriginOf(keys[0].Key)
	vkeys := verifierKeys(keys)
	return export.Log{
		Tenant: tenant, Origin: origin,
		Head: func(ctx context.Context) (export.Head, error) { return publishedHead(ctx, s, tenant, vkeys, e.clock) },
		Entries: func(ctx context.Context, from int64, limit int) ([]export.Entry, error) {
			stored, err := s.StoredEntries(ctx, tenant, from, min(limit, vault.PageEntries))
			out := make([]export.Entry, len(stored))
			for i, one := range stored {
				out[i] = export.Entry{Index: one.Index, Leaf: one.Leaf, LeafHash: one.LeafHash}
			}
			return out, err
		},
		Cursor: func(ctx context.Context) (export.Cursor, error) {
			note, err := s.Bookmark(ctx, tenant, vault.NoteExport)
			return export.Cursor{Next: note.Order, Body: note.Body}, err
		},
		SetCursor: func(ctx context.Context, c export.Cursor) error {
			return s.SetBookmark(ctx, tenant, vault.Note{Kind: vault.NoteExport, Order: c.Next, Body: c.Body})
		},
		Sign: func(ctx context.Context, st audit.Statement) ([]byte, error) {
			return s.SignStatement(ctx, tenant, st.Title, st.Body)
		},
		Keys: func(context.Context) ([]export.Key, error) {
			out := make([]export.Key, len(keys))
			for i, key := range keys { // the newest is the first
				out[len(keys)-1-i] = export.Key{VerifierKey: key.Key}
				if key.Handover != "" {
					out[len(keys)-1-i].Handover = []byte(key.Handover)
				}
			}
			return out, nil
		},
	}, err
}

// publishedHead is the last checkpoint that was published. Where the log has
// nothing beyond it, that is known of the moment before it was looked at.
func publishedHead(ctx context.Context, s *vault.Service, tenant string, vkeys []string, clock func() time.Time) (export.Head, error) {
	before := clock()
	note, err := s.Bookmark(ctx, tenant, vault.NoteCheckpoint)
	if err != nil || note.Body == nil {
		return export.Head{}, err
	}
	now, _, err := s.SignedHead(ctx, tenant)
	if err != nil {
		return export.Head{}, err
	}
	tree, err := audit.OpenCheckpoint(note.Body, vkeys...)
	if err != nil {
		return export.Head{}, err
	}
	head := export.Head{Size: tree.Size, Root: tree.Root, Checkpoint: note.Body}
	if now.Size == tree.Size {
		head.At = before
	}
	return head, nil
}

func verifierKeys(keys []vault.LogKey) []string {
	vkeys := make([]string, len(keys))
	for i, key := range keys {
		vkeys[i] = key.Key
	}
	return vkeys
}

// tiling keeps the logs of all tenants as folders of tiles.
type tiling struct {
	service *vault.Service
	dir     string
	writers map[string]*tilelog.Writer // of step alone
}

func newTiling(s *vault.Service, dir string) *tiling {
	return &tiling{service: s, dir: dir, writers: make(map[string]*tilelog.Writer)}
}

// writer is one for each folder: a new one walks the folder before it writes.
func (t *tiling) writer(tenant string) *tilelog.Writer {
	w := t.writers[tenant]
	if w == nil {
		w = tilelog.NewWriter(filepath.Join(t.dir, tenant))
		t.writers[tenant] = w
	}
	return w
}

// step brings the folder of a tenant to its published head.
func (t *tiling) step(ctx context.Context, tenant string) (bool, error) {
	s := t.service
	note, err := s.Bookmark(ctx, tenant, vault.NoteCheckpoint)
	if err != nil || note.Body == nil {
		return false, err
	}
	keys, err := s.LogKeys(ctx, tenant)
	if err != nil {
		return false, err
	}
	origin, err := audit.OriginOf(keys[0].Key)
	if err != nil {
		return false, err
	}
	_, err = t.writer(tenant).Advance(ctx, tilelog.Log{
		Origin:     origin,
		Keys:       func(context.Context) ([]string, error) { return verifierKeys(keys), nil },
		Checkpoint: func(context.Context) ([]byte, error) { return note.Body, nil },
		Nodes: func(ctx context.Context, level int, from int64, count int) ([]audit.Hash, error) {
			return s.Nodes(ctx, tenant, level, from, count)
		},
		Leaves: func(ctx context.Context, from int64, count int) ([][]byte, error) {
			stored, err := s.StoredEntries(ctx, tenant, from, count)
			leaves := make([][]byte, len(stored))
			for i, one := range stored {
				leaves[i] = one.Leaf
			}
			return leaves, err
		},
	})
	if errors.Is(err, tilelog.ErrBusy) {
		return false, nil // another replica is at it, in a folder that they share
	}
	return false, err
}
