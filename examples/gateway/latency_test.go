package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

const (
	frames     = 200
	frameEvery = 5 * time.Millisecond // as a fast model speaks
)

// pacemaker is a model that sends a frame at a time and notes when. Each of so many
// frames has a token, none for 0.
type pacemaker struct {
	every int

	mu   sync.Mutex
	sent [frames]time.Time
}

func (p *pacemaker) answer(w http.ResponseWriter, _ string, body []byte) {
	token := tokensIn(body)["EMAIL_ADDRESS"]
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	tick := time.NewTicker(frameEvery)
	defer tick.Stop()
	for i := range frames {
		<-tick.C
		text := "word "
		if p.every > 0 && i%p.every == p.every-1 {
			text = token + " "
		}
		frame := fmt.Sprintf(`data: {"id":"c1","object":"chat.completion.chunk","created":%d,"choices":[{"index":0,"delta":{"content":%s}}]}`+"\n\n", i, quoted(text))
		p.mu.Lock()
		p.sent[i] = time.Now()
		p.mu.Unlock()
		_, _ = io.WriteString(w, frame)
		_ = out.Flush()
	}
	_, _ = io.WriteString(w, "data: [DONE]\n\n")
}

// figures are how long frames took from the model to the application: the first of
// each answer, all, and each tenth, which is where the values are.
type figures struct{ first, all, tenth []time.Duration }

// listen asks through a proxy.
func (p *pacemaker) listen(b *testing.B, proxy string, to *figures) {
	b.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, proxy+"/v1/chat/completions", bytes.NewReader(chatBody(user(asked))))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	n := 0
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		now := time.Now()
		_, rest, numbered := strings.Cut(lines.Text(), `"created":`)
		var i int
		if _, err := fmt.Sscan(strings.SplitN(rest, ",", 2)[0], &i); !numbered || err != nil {
			continue
		}
		p.mu.Lock()
		took := now.Sub(p.sent[i])
		p.mu.Unlock()
		n++
		to.all = append(to.all, took)
		if i == 0 {
			to.first = append(to.first, took)
		}
		if i%10 == 9 {
			to.tenth = append(to.tenth, took)
		}
	}
	if err := lines.Err(); err != nil || n < frames {
		b.Fatalf("%d frames, %v", n, err)
	}
}

func (f *figures) report(b *testing.B) {
	b.Helper()
	at := func(d []time.Duration, percent int) float64 {
		slices.Sort(d)
		return float64(d[len(d)*percent/100]) / float64(time.Microsecond)
	}
	b.ReportMetric(0, "ns/op") // the model's pace, which says nothing
	b.ReportMetric(at(f.first, 50), "first-µs")
	b.ReportMetric(at(f.all, 50), "p50-µs")
	b.ReportMetric(at(f.tenth, 50), "tenth-p50-µs")
	b.ReportMetric(at(f.all, 95), "p95-µs")
	b.ReportMetric(at(f.all, 99), "p99-µs")
}

// BenchmarkStreamAgainstRawCopy measures from the model's write of a frame to the
// application's read of it: through a proxy that copies, and through the gateway, with
// no token in the answer and with one in each tenth frame. What the gateway adds is
// the difference. -benchtime 5x hears five answers of each, a thousand frames.
func BenchmarkStreamAgainstRawCopy(b *testing.B) {
	for _, c := range []struct {
		name   string
		copies bool
		every  int
	}{{"raw_copy", true, 0}, {"no_tokens", false, 0}, {"token_in_each_tenth", false, 10}} {
		b.Run(c.name, func(b *testing.B) {
			p := &pacemaker{every: c.every}
			w := newWorld(b, vaulttest.New(b), p.answer)
			proxy := w.gateway.URL
			if c.copies {
				to, err := url.Parse(w.behind.URL)
				if err != nil {
					b.Fatal(err)
				}
				raw := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }})
				b.Cleanup(raw.Close)
				proxy = raw.URL
			}
			var took figures
			for b.Loop() {
				p.listen(b, proxy, &took)
			}
			took.report(b)
		})
	}
}
