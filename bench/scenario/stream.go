package scenario

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/report"
	"github.com/counterfoil/counterfoil/bench/system"
)

// The streams that the goals speak of, and what they may cost.
const (
	streams          = 100
	mostAddedMillis  = 1.0
	mostStreamKiB    = 64.0
	idleStreams      = 480 // some less than the service lets be under way at once
	streamLoad       = "100 streams, 50 frames/s each"
	streamWork       = "stream, frame without a value"
	streamValueWork  = "stream, frame with a value"
	streamMemoryWork = "stream, memory"
)

// Stream measures what restoring an answer while it streams adds to each frame: the
// time from its write to its arrival, less the same through a raw copy, which this
// process serves itself, in turns with it. A frame without a value needs nothing but
// to be read; one with a value is checked against the store before it goes out. Where
// a token is cut over two frames it comes out with the second, and is measured from
// that one's write. Then it measures what a stream keeps in memory.
func Stream(ctx context.Context, e *Env) error {
	service, err := e.Site.Serve(ctx, "streams")
	if err != nil {
		return err
	}
	defer func() { _ = service.Stop(context.WithoutCancel(ctx)) }()
	if err := e.streamLatency(ctx, service); err != nil {
		return err
	}
	if err := service.Stop(ctx); err != nil {
		return err
	}
	return e.streamMemory(ctx)
}

func (e *Env) streamLatency(ctx context.Context, service *system.Service) error {
	copies := httptest.NewServer(http.HandlerFunc(rawCopy))
	defer copies.Close()
	caller := newGrantee(service, e.Site.Credential(e.Site.Tenants()[0], "gateway"))
	var values, copied report.Measurement
	through := func(of string, with *report.Measurement, open func(ctx context.Context, n, frames int) (*streamLine, error)) *trial {
		*with = report.Measurement{Work: streamValueWork, Of: of, Load: streamLoad}
		return &trial{
			Measurement: report.Measurement{Work: streamWork, Of: of, Load: streamLoad}, services: []*system.Service{service},
			run: func(ctx context.Context, plan load.Plan) (load.Result, error) {
				plan.Clients = streams
				got, err := speakAll(ctx, plan, func(n, frames int) (*streamLine, error) { return open(ctx, n, frames) })
				if err != nil {
					return load.Result{}, err
				}
				latencies(with, got.values, got.elapsed)
				return got.result(), nil
			},
		}
	}
	of := through(system.Counterfoil, &values, caller.open)
	raw := through("raw copy", &copied, func(ctx context.Context, n, frames int) (*streamLine, error) {
		token := fmt.Sprintf("[EMAIL_ADDRESS_%010d]", n)
		return openLine(ctx, streamPlace{url: copies.URL}, answerScript{token: token, value: token, frames: frames, phase: n})
	})
	// As on any server that has run for a minute: what was made until now is known to it.
	if err := caller.warm(ctx, e); err != nil {
		return err
	}
	if err := e.interleave(ctx, raw, of); err != nil {
		return err
	}
	e.Report.Measurements = append(e.Report.Measurements, copied, values)
	e.judgeMost(streamWork+": added median", less(of.P50, raw.P50), mostAddedMillis, " ms")
	e.Report.Notes = append(e.Report.Notes, fmt.Sprintf(
		"A frame with a value, which is checked against the store before it goes out, takes %s ms more than through the raw copy.",
		less(values.P50, copied.P50)))
	return nil
}

// latencies appends those of one run.
func latencies(m *report.Measurement, h *hdrhistogram.Histogram, elapsed interface{ Seconds() float64 }) {
	m.PerSecond = append(m.PerSecond, float64(h.TotalCount())/elapsed.Seconds())
	m.P50 = append(m.P50, milliseconds(h, 50))
	m.P95 = append(m.P95, milliseconds(h, 95))
	m.P99 = append(m.P99, milliseconds(h, 99))
	m.P999 = append(m.P999, milliseconds(h, 99.9))
}

// grantee tokenizes values with a grant for each, and opens streams under it.
type grantee struct {
	client        *load.Client
	service       *system.Service
	streamsAt     string // where streams go; the URL of the service unless given
	bearer        string
	into          bytes.Buffer
	conversations int
}

func newGrantee(service *system.Service, bearer string) *grantee {
	return &grantee{client: load.NewClient(1), service: service, bearer: bearer}
}

// open begins a stream whose answer has a value in it.
func (g *grantee) open(ctx context.Context, n, frames int) (*streamLine, error) {
	s, grant, err := g.grant(ctx)
	if err != nil {
		return nil, err
	}
	to := streamPlace{
		url:    cmp.Or(g.streamsAt, g.service.URL) + "/v1/detokenize/stream?format=openai-chat&grant=" + grant,
		bearer: g.bearer, outcome: streamComplete,
	}
	s.frames, s.phase = frames, n
	return openLine(ctx, to, s)
}

// warm leaves the values of earlier conversations, and has the database look at them.
func (g *grantee) warm(ctx context.Context, e *Env) error {
	for range streams {
		if _, _, err := g.grant(ctx); err != nil {
			return err
		}
	}
	if err := e.Site.Analyze(ctx); err != nil {
		return fmt.Errorf("scenario: %w", err)
	}
	return nil
}

// grant tokenizes one value and asks for a grant for its token in the same call.
func (g *grantee) grant(ctx context.Context) (answerScript, string, error) {
	g.conversations++
	value := fmt.Sprintf("person.%d@example.org", g.conversations)
	body := fmt.Sprintf(`{"scope":"stream-%s-%d","values":[{"entity":"EMAIL_ADDRESS","value":%q}],"grant":{"reason":{"code":"LLM_RESPONSE"}}}`,
		g.service.Name, g.conversations, value)
	status, _, err := g.client.Call(ctx, http.MethodPost, g.service.URL+"/v1/tokenize", g.bearer, []byte(body), &g.into)
	if err != nil {
		return answerScript{}, "", err
	}
	var answer struct {
		Values []string
		Grant  struct{ ID string }
	}
	if err := json.Unmarshal(g.into.Bytes(), &answer); err != nil || status != http.StatusOK || len(answer.Values) != 1 || answer.Grant.ID == "" {
		return answerScript{}, "", errors.Join(err, fmt.Errorf("scenario: a grant is refused: %d", status))
	}
	return answerScript{token: answer.Values[0], value: value}, answer.Grant.ID, nil
}
