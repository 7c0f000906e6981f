package export_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/export"
	"github.com/counterfoil/counterfoil/internal/export/exporttest"
)

// start is a quarter of an hour before midnight.
var start = time.Date(2026, 1, 2, 23, 45, 0, 0, time.UTC)

// world is a log and a sink that it is exported to.
type world struct {
	*exporttest.Log
	memory *exporttest.Memory
	dir    string // in place of memory, where it is set
	export.Exporter
}

func newWorld() *world {
	w := &world{Log: exporttest.NewLog("acme"), memory: &exporttest.Memory{}}
	w.Exporter = export.Exporter{Sink: w.memory, Formats: export.Formats{CSV: true, OCSF: true}}
	return w
}

func newDirWorld(t testing.TB) *world {
	t.Helper()
	w := newWorld()
	w.dir = filepath.Join(t.TempDir(), "out")
	sink, err := export.OpenDir(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	w.Sink = sink
	return w
}

// steps goes on as long as there is more, or until an error.
func (w *world) steps(log export.Log) (export.Progress, error) {
	for {
		p, err := w.Step(context.Background(), log)
		if err != nil || !p.More {
			return p, err
		}
	}
}

func (w *world) all(t testing.TB) export.Progress {
	t.Helper()
	p, err := w.steps(w.Log.Log())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (w *world) objects(t testing.TB) exporttest.Objects {
	t.Helper()
	if w.dir == "" {
		return w.memory.Of(w.Tenant)
	}
	objects, err := exporttest.ReadDir(w.dir, w.Tenant)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// check is what an auditor finds; all of the log must be there.
func (w *world) check(t testing.TB) exporttest.Found {
	t.Helper()
	found, err := w.objects(t).Check(w.VerifierKeys()[0])
	if err != nil {
		t.Fatal(err)
	}
	if found.Lines != w.Lines() {
		t.Fatalf("%d entries are out, which are not the %d of the log", found.Entries, w.Size())
	}
	return found
}

func kinds(kind audit.Kind, n int) []audit.Kind {
	list := make([]audit.Kind, n)
	for i := range list {
		list[i] = kind
	}
	return list
}
