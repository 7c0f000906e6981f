package scenario

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/bench/load"
)

const testToken = "[EMAIL_ADDRESS_0000000000]"

// TestScript: whatever the phase, the deltas are the text, and each value that begins
// in it ends in it.
func TestScript(t *testing.T) {
	for phase := range 2 * valueEvery {
		for _, frames := range []int{1, 2, 9, 10, 11, 57} {
			s := answerScript{token: testToken, value: "a@example.org", frames: frames, phase: phase}
			var whole strings.Builder
			kinds := make(map[deltaKind]int)
			for n := range frames {
				frame := string(s.frame(nil, n))
				at, text, err := readFrame(strings.TrimSuffix(frame, "\n"))
				if err != nil || at != n {
					t.Fatalf("frame %d is read as %d: %v", n, at, err)
				}
				whole.WriteString(text)
				_, kind := s.delta(n)
				kinds[kind]++
			}
			if got := strings.Count(whole.String(), testToken); got != kinds[deltaValue] || strings.Count(whole.String(), "[") != got {
				t.Errorf("phase %d, %d frames: %d tokens in %v: %s", phase, frames, got, kinds, &whole)
			}
			if diff := cmp.Diff(strings.ReplaceAll(whole.String(), testToken, "a@example.org"), s.said()); diff != "" {
				t.Errorf("phase %d, %d frames: %s", phase, frames, diff)
			}
			if frames == 57 && (kinds[deltaValue] < 5 || kinds[deltaOpens] < 2) {
				t.Errorf("phase %d: %v", phase, kinds)
			}
		}
	}
}

// streamThrough sends five streams through a server for a third of a second.
func streamThrough(t *testing.T, server http.HandlerFunc, value, outcome string) (*streamed, error) {
	t.Helper()
	s := httptest.NewServer(server)
	t.Cleanup(s.Close)
	begun, ended := 0, 0
	plan := load.Plan{
		Clients: 5, Warm: 5 * frameEvery, For: 10 * frameEvery,
		Begin: func() { begun++ }, End: func() { ended++ },
	}
	got, err := speakAll(t.Context(), plan, func(n, frames int) (*streamLine, error) {
		return openLine(t.Context(), streamPlace{url: s.URL, outcome: outcome}, answerScript{token: testToken, value: value, frames: frames, phase: n})
	})
	if begun > 1 || ended > begun || err == nil && ended != 1 {
		t.Errorf("begun %d times, ended %d times", begun, ended)
	}
	return got, err
}

// TestStreamsAreMeasured: every frame after the warm-up is counted once, where it
// belongs.
func TestStreamsAreMeasured(t *testing.T) {
	got, err := streamThrough(t, rawCopy, testToken, "")
	if err != nil {
		t.Fatal(err)
	}
	if got.good != 50 || got.lost != 0 || got.elapsed != 10*frameEvery {
		t.Errorf("%d came, %d are lost, in %s", got.good, got.lost, got.elapsed)
	}
	if words, values := got.words.TotalCount(), got.values.TotalCount(); words != 45 || values != 5 {
		t.Errorf("%d words, %d values", words, values)
	}
	if r := got.result(); r.PerSecond() != 250 || r.Failed != 0 {
		t.Errorf("%g a second, %d failed", r.PerSecond(), r.Failed)
	}
}

// copied is rawCopy with something done to each piece.
func copied(change func([]byte) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		in, out := io.Pipe()
		go func() {
			buffer := make([]byte, 4<<10)
			for {
				n, err := r.Body.Read(buffer)
				if _, failed := out.Write(change(buffer[:n])); failed != nil || err != nil {
					_ = out.CloseWithError(io.EOF)
					return
				}
			}
		}()
		copyOf := r.Clone(r.Context())
		copyOf.Body = in
		rawCopy(w, copyOf)
	}
}

// TestStreams_Twins: what is slow is measured as slow; what says something else, ends
// otherwise or does not end at all is an error.
func TestStreams_Twins(t *testing.T) {
	const slow = 3 * time.Millisecond
	got, err := streamThrough(t, copied(func(b []byte) []byte { time.Sleep(slow); return b }), testToken, "")
	if err != nil {
		t.Fatal(err)
	}
	if p50 := milliseconds(got.words, 50); p50 < milli(slow) {
		t.Errorf("%g ms through what takes %s", p50, slow)
	}
	for name, c := range map[string]struct {
		change         func([]byte) []byte
		value, outcome string
		want           string
	}{
		"not restored": {value: "a@example.org", want: "said something else"},
		"no trailer":   {value: testToken, outcome: streamComplete, want: "ended"},
		"changed": {
			change: func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`"every `), []byte(`"never `)) },
			value:  testToken, want: "said something else",
		},
		"mangled": {
			change: func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("created"), []byte("began")) },
			value:  testToken, want: "not sent so",
		},
	} {
		t.Run(name, func(t *testing.T) {
			change := c.change
			if change == nil {
				change = func(b []byte) []byte { return b }
			}
			if _, err := streamThrough(t, copied(change), c.value, c.outcome); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestRefusedStream: an answer that is no stream is an error that says its status.
func TestRefusedStream(t *testing.T) {
	_, err := streamThrough(t, func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex() // or the end of the body is waited for
		w.WriteHeader(http.StatusConflict)
	}, testToken, "")
	if err == nil || !strings.Contains(err.Error(), "409") {
		t.Errorf("got %v", err)
	}
}

// TestHungStream: a stream whose answer does not come is given up with the context.
func TestHungStream(t *testing.T) {
	over := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(io.Discard, r.Body)
		<-over
	}))
	defer s.Close()
	defer close(over)
	ctx, cancel := context.WithTimeout(t.Context(), 10*frameEvery)
	defer cancel()
	_, err := speakAll(ctx, load.Plan{Clients: 2, For: 4 * frameEvery}, func(n, frames int) (*streamLine, error) {
		return openLine(ctx, streamPlace{url: s.URL}, answerScript{token: testToken, value: testToken, frames: frames, phase: n})
	})
	if err == nil {
		t.Error("a stream that hangs has no error")
	}
}

// TestConverse: a stream that stays open has carried every frame.
func TestConverse(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(rawCopy))
	defer s.Close()
	l, err := openLine(t.Context(), streamPlace{url: s.URL}, answerScript{token: testToken, value: testToken, frames: framesSpoken})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.converse(); err != nil {
		t.Fatal(err)
	}
	for n, took := range l.took {
		if took <= 0 {
			t.Errorf("frame %d did not come", n)
		}
	}
	if diff := cmp.Diff(l.said(), l.heard.String()); diff != "" {
		t.Error(diff)
	}
	if err := l.close(); err != nil {
		t.Error(err)
	}
}
