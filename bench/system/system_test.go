package system_test

import (
	"testing"

	"github.com/counterfoil/counterfoil/bench/system"
)

func TestOpen(t *testing.T) {
	ctx := t.Context()
	s, err := system.Open(ctx, system.Options{Say: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	v, err := s.Serve(ctx, "r1")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(v.URL, v.ReadyAfter)
	e, err := s.Embedded(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(e.URL, e.ReadyAfter)
}
