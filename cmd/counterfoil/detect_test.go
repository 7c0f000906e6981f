package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// TestDetectScripts runs the command as a pipeline does.
func TestDetectScripts(t *testing.T) {
	built := builtBinary(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/detect",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(built)+string(os.PathListSeparator)+env.Getenv("PATH"))
			return nil
		},
	})
}

// Who writes a line and waits for its answer before the next one gets it.
func TestDetectScanAnswersWhileTheInputPauses(t *testing.T) {
	in, write := io.Pipe()
	read, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- detectScanCommand{}.scan(t.Context(), in, out) }()
	answers := bufio.NewScanner(read)
	for i := range 3 {
		if _, err := fmt.Fprintf(write, `{"id":%d,"text":"a"}`+"\n", i); err != nil {
			t.Fatal(err)
		}
		if !answers.Scan() || answers.Text() != fmt.Sprintf(`{"id":%d,"spans":[]}`, i) {
			t.Fatalf("answer %d: %q, %v", i, answers.Text(), answers.Err())
		}
	}
	_ = write.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// A line is bounded; the one at the limit passes.
func TestDetectScanBoundsLines(t *testing.T) {
	pad := func(n int) string {
		return `{"id":1,"text":"a"` + strings.Repeat(" ", n-len(`{"id":1,"text":"a"}`)) + "}"
	}
	var out bytes.Buffer
	if err := (detectScanCommand{}).scan(t.Context(), strings.NewReader(pad(maxScanLine-1)+"\n"), &out); err != nil || out.Len() == 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
	err := (detectScanCommand{}).scan(t.Context(), strings.NewReader(pad(maxScanLine+1)), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "line 1: longer than") {
		t.Error(err)
	}
	long := `{"id":1,"text":"` + strings.Repeat("a", detect.DefaultMaxText+1) + `"}`
	if err := (detectScanCommand{}).scan(t.Context(), strings.NewReader(long), io.Discard); !errors.Is(err, detect.ErrTooLarge) {
		t.Error(err)
	}
}

// What goes wrong around it is an error, and an interrupt ends it though nobody closes the input.
func TestDetectScanFails(t *testing.T) {
	broken := errors.New("broken")
	if err := (detectScanCommand{}).scan(t.Context(), iotest.ErrReader(broken), io.Discard); !errors.Is(err, broken) {
		t.Error(err)
	}
	in := strings.NewReader(`{"id":1,"text":"a"}`)
	if err := (detectScanCommand{}).scan(t.Context(), in, closedWriter{broken}); !errors.Is(err, broken) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	open, _ := io.Pipe()
	if err := (detectScanCommand{}).scan(ctx, open, io.Discard); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

type closedWriter struct{ err error }

func (w closedWriter) Write([]byte) (int, error) { return 0, w.err }
