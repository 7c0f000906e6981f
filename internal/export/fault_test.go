package export_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/export"
)

var errFault = errors.New("the fault that was put in")

// faults breaks calls: the n-th of all, before it is done or after.
type faults struct {
	calls   int
	broken  int // the call that fails; -1 for none
	persist bool
}

// call does a call or breaks it.
func (f *faults) call(do func() error) error {
	n := f.calls
	f.calls++
	if n != f.broken {
		return do()
	}
	if f.persist {
		if err := do(); err != nil {
			return err
		}
	}
	return errFault
}

// brokenSink is a sink whose calls may fail.
type brokenSink struct {
	export.Sink
	*faults
}

func (s brokenSink) Put(ctx context.Context, name string, body []byte) error {
	return s.call(func() error { return s.Sink.Put(ctx, name, body) })
}

func (s brokenSink) Get(ctx context.Context, name string) (body []byte, err error) {
	err = s.call(func() error { body, err = s.Sink.Get(ctx, name); return err })
	return body, err
}

// breaks lets the calls of a log fail too.
func (f *faults) breaks(log export.Log) export.Log {
	head, entries, cursor, set, sign, keys := log.Head, log.Entries, log.Cursor, log.SetCursor, log.Sign, log.Keys
	log.Head = func(ctx context.Context) (h export.Head, err error) {
		return h, f.call(func() error { h, err = head(ctx); return err })
	}
	log.Entries = func(ctx context.Context, from int64, limit int) (e []export.Entry, err error) {
		return e, f.call(func() error { e, err = entries(ctx, from, limit); return err })
	}
	log.Cursor = func(ctx context.Context) (c export.Cursor, err error) {
		return c, f.call(func() error { c, err = cursor(ctx); return err })
	}
	log.SetCursor = func(ctx context.Context, c export.Cursor) error {
		return f.call(func() error { return set(ctx, c) })
	}
	log.Sign = func(ctx context.Context, s audit.Statement) (b []byte, err error) {
		return b, f.call(func() error { b, err = sign(ctx, s); return err })
	}
	log.Keys = func(ctx context.Context) (k []export.Key, err error) {
		return k, f.call(func() error { k, err = keys(ctx); return err })
	}
	return log
}

// history lets a log grow over three days, with steps in between, and goes on after
// each fault. It returns how many calls there were.
func history(t *testing.T, w *world, f *faults) int {
	t.Helper()
	w.Sink = brokenSink{w.memory, f}
	log := f.breaks(w.Log.Log())
	failed := 0
	goOn := func(hours int) {
		for {
			_, err := w.steps(log)
			if err == nil {
				return
			}
			if failed++; !errors.Is(err, errFault) || failed > 1 {
				t.Fatalf("call %d, persisted %t: %v", f.broken, f.persist, err)
			}
			// While it was down the log has grown.
			w.Append(start.Add(time.Duration(hours)*time.Hour), audit.KindRestore)
		}
	}
	for _, hours := range []int{0, 1, 50} {
		w.Append(start.Add(time.Duration(hours)*time.Hour), audit.KindTokenize, audit.KindRestore)
		if hours == 1 {
			w.Rotate()
			w.Append(start.Add(time.Duration(hours)*time.Hour), audit.KindLogRotate)
		}
		goOn(hours)
	}
	w.Quiet(start.Add(100 * time.Hour))
	goOn(101)
	return f.calls
}

// inOrder tells whether entries came to be in their order.
func inOrder(t *testing.T, w *world) {
	t.Helper()
	var lines []string
	for _, name := range w.memory.Order() {
		if strings.HasPrefix(name, "acme/entries/") && strings.Count(name, ".") == 1 && strings.HasSuffix(name, ".jsonl") {
			lines = append(lines, name)
		}
	}
	if !slices.IsSorted(lines) {
		t.Errorf("entries came to be in the order %q", lines)
	}
}

// Whichever call of the log or of the sink fails, done or not: no gap, no entry
// twice, every day whole, in order.
func TestFaultTable(t *testing.T) {
	calls := history(t, newWorld(), &faults{broken: -1})
	if calls < 60 {
		t.Fatalf("the history has %d calls", calls)
	}
	stride := 2
	if os.Getenv("COUNTERFOIL_LONG") != "" {
		stride = 1
	}
	for n := 0; n < calls; n += stride {
		for _, persist := range []bool{false, true} {
			w := newWorld()
			history(t, w, &faults{broken: n, persist: persist})
			if found := w.check(t); found.Repeated > 0 {
				t.Errorf("call %d, persisted %t: %d entries twice", n, persist, found.Repeated)
			}
			inOrder(t, w)
		}
	}
}

// What is wrong with the sink is told from what is wrong with the log.
func TestErrorsOfTheSink(t *testing.T) {
	calls := history(t, newWorld(), &faults{broken: -1})
	ofSink := 0
	for n := range calls {
		w := newWorld()
		w.Append(start, audit.KindTokenize)
		f := &faults{broken: n}
		w.Sink = brokenSink{w.memory, f}
		if _, err := w.steps(w.Log.Log()); errors.Is(err, export.ErrSink) != (err != nil) {
			t.Errorf("call %d of the sink: %v", n, err)
		} else if err != nil {
			ofSink++
		}
		f = &faults{broken: n}
		w.Sink = w.memory
		if _, err := w.steps(f.breaks(w.Log.Log())); errors.Is(err, export.ErrSink) {
			t.Errorf("call %d of the log: %v", n, err)
		}
	}
	if ofSink < 4 {
		t.Errorf("%d calls of the sink failed", ofSink)
	}
}

func TestALogOfWhichNothingIsSigned(t *testing.T) {
	w := newWorld()
	log := w.Log.Log()
	log.Head = func(context.Context) (export.Head, error) { return export.Head{}, nil }
	if p, err := w.steps(log); err != nil || p != (export.Progress{}) {
		t.Errorf("%+v, %v", p, err)
	}
	w.Append(start, audit.KindTokenize)
	w.all(t)
	if _, err := w.steps(log); !errors.Is(err, export.ErrLog) {
		t.Errorf("of which something was: %v", err)
	}
}

// Twin: were the batch not in the cursor before it is written, a log that grew in
// the meantime would bring entries out twice.
func TestTwinOfTheIntent(t *testing.T) {
	twice := int64(0)
	for n := range 40 {
		w := newWorld()
		f := &faults{broken: -1}
		w.Sink = brokenSink{w.memory, f}
		log := f.breaks(w.Log.Log())
		set := log.SetCursor
		log.SetCursor = func(ctx context.Context, c export.Cursor) error {
			if strings.Contains(string(c.Body), `"intent"`) {
				return nil // it is not kept
			}
			return set(ctx, c)
		}
		w.Append(start, audit.KindTokenize)
		f.broken = n
		_, _ = w.steps(log)
		f.broken = -1
		w.Append(start, audit.KindTokenize)
		if _, err := w.steps(log); err != nil {
			t.Fatal(err)
		}
		twice += w.check(t).Repeated
	}
	if twice == 0 {
		t.Error("nothing is twice without an intent")
	}
}

// Two that export one log at a time, which nobody should let them, write much
// twice and spoil nothing.
func TestTwoExportersSpoilNothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 10 {
		w := newWorld()
		other := &world{Log: w.Log, memory: w.memory, Exporter: w.Exporter}
		log, parked := w.Log.Log(), [2]func(){}
		// Each of the two works with what it read before the other wrote.
		for n := range 60 {
			if n%3 == 0 {
				w.Append(start.Add(time.Duration(n)*time.Hour), audit.KindTokenize)
			}
			who := random.IntN(2)
			kept := w.Kept()
			parked[who] = func() {
				stale := log
				stale.Cursor = func(context.Context) (export.Cursor, error) { return kept, nil }
				x := []*world{w, other}[who]
				if _, err := x.Step(context.Background(), stale); err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
			}
			if do := parked[random.IntN(2)]; do != nil {
				do()
			}
		}
		w.all(t)
		w.check(t)
	}
}

// What is out already counts where the program has been changed since: nothing
// else is written under its name.
func TestAnUpdateBetweenIntentAndObject(t *testing.T) {
	for name, tt := range map[string]struct {
		out  func(w *world) []byte // what is out under the name, nil for nothing
		want error
	}{
		"it is out as it was intended": {out: func(*world) []byte { return []byte("an older form") }},
		"it is not out":                {out: func(*world) []byte { return nil }},
		"something else is out":        {out: func(*world) []byte { return []byte("planted") }, want: export.ErrDiffers},
	} {
		w := newWorld()
		w.Append(start, audit.KindTokenize)
		f := &faults{broken: -1}
		log := w.Log.Log()
		set := log.SetCursor
		log.SetCursor = func(ctx context.Context, c export.Cursor) error {
			if err := set(ctx, export.WithSum(c, ".csv", "an older form")); err != nil {
				return err
			}
			return errFault
		}
		if _, err := w.steps(f.breaks(log)); !errors.Is(err, errFault) {
			t.Fatal(err)
		}
		object := "acme/entries/2026/01/02/000000000000000-000000000000000.csv"
		if out := tt.out(w); out != nil {
			if err := w.Sink.Put(context.Background(), object, out); err != nil {
				t.Fatal(err)
			}
		}
		w.Quiet(start.Add(time.Hour))
		if _, err := w.steps(w.Log.Log()); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if tt.want == nil {
			w.check(t) // the manifest names what is out
		}
	}
}

func TestACursorIsStrict(t *testing.T) {
	w := newWorld()
	w.Append(start, audit.KindTokenize, audit.KindTokenize)
	w.all(t)
	kept := w.Kept()
	for name, c := range map[string]export.Cursor{
		"no JSON":            {Next: 2, Body: []byte("x")},
		"another field":      {Next: 2, Body: []byte(strings.Replace(string(kept.Body), `"v"`, `"w"`, 1))},
		"another version":    {Next: 2, Body: []byte(strings.Replace(string(kept.Body), `"v":1`, `"v":2`, 1))},
		"another log":        {Next: 2, Body: []byte(strings.Replace(string(kept.Body), "log.example", "log.examplf", 1))},
		"another index":      {Next: 1, Body: kept.Body},
		"no day":             {Next: 2, Body: []byte(strings.Replace(string(kept.Body), "2026-01-02", "", 1))},
		"an impossible day":  {Next: 2, Body: []byte(strings.Replace(string(kept.Body), "2026-01-02", "2026-02-30", 1))},
		"another tree":       {Next: 2, Body: []byte(strings.Replace(string(kept.Body), `"frontier":"AQ`, `"frontier":"AA`, 1))},
		"two of them":        {Next: 2, Body: []byte(string(kept.Body) + string(kept.Body))},
		"an intent backward": {Next: 2, Body: []byte(strings.TrimSuffix(string(kept.Body), "}") + `,"intent":{"to":1,"objects":[]}}`)},
	} {
		log := w.Log.Log()
		log.Cursor = func(context.Context) (export.Cursor, error) { return c, nil }
		if _, err := w.Step(context.Background(), log); !errors.Is(err, export.ErrCursor) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.Step(context.Background(), w.Log.Log()); err != nil {
		t.Error(fmt.Errorf("as it was kept: %w", err))
	}
}
