package exporttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"github.com/counterfoil/counterfoil/internal/export"
)

// Memory is a sink that is fast. It may be used by several goroutines.
type Memory struct {
	mu      sync.Mutex
	objects Objects
	order   []string
}

// Put implements export.Sink.
func (m *Memory) Put(ctx context.Context, name string, body []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if there, is := m.objects[name]; is && !bytes.Equal(there, body) {
		return fmt.Errorf("%w: %s", export.ErrDiffers, name)
	} else if is {
		return ctx.Err()
	}
	if m.objects == nil {
		m.objects = Objects{}
	}
	m.objects[name] = bytes.Clone(body)
	m.order = append(m.order, name)
	return ctx.Err()
}

// Get implements export.Sink.
func (m *Memory) Get(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	body, is := m.objects[name]
	if !is {
		return nil, fmt.Errorf("exporttest: %s: %w", name, fs.ErrNotExist)
	}
	return bytes.Clone(body), nil
}

// Ready implements export.Sink.
func (m *Memory) Ready(context.Context) error { return nil }

// Of returns the objects of a tenant.
func (m *Memory) Of(tenant string) Objects {
	m.mu.Lock()
	defer m.mu.Unlock()
	objects := Objects{}
	for name, body := range m.objects {
		if below, is := strings.CutPrefix(name, tenant+"/"); is {
			objects[below] = body
		}
	}
	return objects
}

// Order is the names in the order in which they came to be.
func (m *Memory) Order() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.order...)
}

// TestSink holds a sink to its contract, below a folder of its own.
func TestSink(t *testing.T, sink export.Sink, folder string) {
	t.Helper()
	ctx := context.Background()
	if err := sink.Ready(ctx); err != nil {
		t.Fatalf("ready: %v", err)
	}
	name := folder + "/entries/2026/01/02/000000000000000-000000000000002.jsonl"
	if _, err := sink.Get(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
	for range 2 {
		if err := sink.Put(ctx, name, []byte("one\n")); err != nil {
			t.Errorf("put: %v", err)
		}
	}
	for _, other := range []string{"two\n", "one", ""} {
		if err := sink.Put(ctx, name, []byte(other)); !errors.Is(err, export.ErrDiffers) {
			t.Errorf("other bytes: %v", err)
		}
	}
	if body, err := sink.Get(ctx, name); err != nil || string(body) != "one\n" {
		t.Errorf("%q, %v", body, err)
	}
	if err := sink.Put(ctx, folder+"/empty", nil); err != nil {
		t.Errorf("an empty one: %v", err)
	}
	if body, err := sink.Get(ctx, folder+"/empty"); err != nil || len(body) != 0 {
		t.Errorf("an empty one: %q, %v", body, err)
	}
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	if err := sink.Put(ctx, folder+"/large", large); err != nil {
		t.Errorf("a large one: %v", err)
	}
	if body, err := sink.Get(ctx, folder+"/large"); err != nil || !bytes.Equal(body, large) {
		t.Errorf("a large one: %d bytes, %v", len(body), err)
	}
	atOnce(t, sink, folder+"/race")
	over, cancel := context.WithCancel(ctx)
	cancel()
	if err := sink.Put(over, folder+"/late", []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is over: %v", err)
	}
}

// atOnce: of many that put one name at once one wins, and nobody changes it.
func atOnce(t *testing.T, sink export.Sink, name string) {
	t.Helper()
	const letters = "abcdefgh" // of each writer one
	errs := make([]error, len(letters))
	var group sync.WaitGroup
	for n := range len(letters) {
		group.Go(func() { errs[n] = sink.Put(context.Background(), name, []byte(letters[n:n+1])) })
	}
	group.Wait()
	body, err := sink.Get(context.Background(), name)
	if err != nil || len(body) != 1 {
		t.Fatalf("%q, %v", body, err)
	}
	for n, err := range errs {
		if won := body[0] == letters[n]; won && err != nil || !won && !errors.Is(err, export.ErrDiffers) {
			t.Errorf("writer %d: won %t, %v", n, won, err)
		}
	}
}
