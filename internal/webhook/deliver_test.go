package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/counterfoil/counterfoil/internal/webhook"
)

func TestDeliver(t *testing.T) {
	r := receive(t)
	if err := r.sender(t).Deliver(t.Context(), notice("n1")); err != nil {
		t.Fatal(err)
	}
	got := r.all()
	if len(got) != 1 {
		t.Fatalf("%d deliveries", len(got))
	}
	const body = `{"type":"restore","timestamp":"2026-03-01T11:59:00Z","tenant":"acme","data":{"entry":7,"note":"canary-in-body"}}`
	if diff := cmp.Diff(body, string(got[0].body)); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	h := got[0].header
	if h.Get("webhook-id") != "n1" || h.Get("webhook-timestamp") != "1772366400" || h.Get("content-type") != "application/json" ||
		h.Get("accept-encoding") != "" {
		t.Errorf("header: %v", h)
	}
	for name, secret := range map[string][]byte{"the old secret": secretA, "the new secret": secretB} {
		if err := webhook.Verify(h, got[0].body, secret, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOnlyWhoWantsItIsTold(t *testing.T) {
	r := receive(t)
	s := r.sender(t, func(c *webhook.Config) {
		c.Endpoints[0].Kinds = []string{"break_glass", "erase"}
		c.Endpoints[0].Tenants = []string{"acme", "initech"}
	})
	for n, tt := range []struct {
		tenant, kind string
		told         bool
	}{
		{"acme", "break_glass", true}, {"initech", "erase", true}, {"acme", "restore", false}, {"globex", "erase", false},
		{"", "erase", false}, {"acme", "eras", false}, {"ACME", "erase", false},
	} {
		before := len(r.all())
		err := s.Deliver(t.Context(), webhook.Notice{ID: fmt.Sprint("n", n), Tenant: tt.tenant, Kind: tt.kind, Body: []byte("{}")})
		if told := len(r.all()) > before; err != nil || told != tt.told {
			t.Errorf("%q of %q: told %v, %v", tt.kind, tt.tenant, told, err)
		}
	}
}

func TestAnswers(t *testing.T) {
	r := receive(t)
	s := r.sender(t)
	at := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	for n, tt := range []struct {
		status int
		after  string
		want   *webhook.Failure
	}{
		{200, "", nil}, {201, "5", nil}, {299, "", nil},
		{410, "60", &webhook.Failure{GiveUp: true, Refusals: []webhook.Refusal{{Endpoint: "pager", Reason: webhook.ReasonGone, Status: 410}}}},
		{400, "", refused(400, 0)}, {401, "", refused(401, 0)}, {404, "", refused(404, 0)}, {500, "", refused(500, 0)},
		{304, "", refused(304, 0)}, {429, "17", refused(429, 17*time.Second)}, {503, at(time.Hour), refused(503, time.Hour)},
		{503, at(-time.Hour), refused(503, 0)}, {503, "-5", refused(503, 0)}, {503, "soon", refused(503, 0)}, {503, "1e3", refused(503, 0)},
		{503, "86401", refused(503, webhook.MaxRetryAfter)}, {503, strings.Repeat("9", 40), refused(503, webhook.MaxRetryAfter)},
		{503, at(87600 * time.Hour), refused(503, webhook.MaxRetryAfter)}, {503, " 9 ", refused(503, 9*time.Second)},
	} {
		r.status(tt.status, "Retry-After", tt.after)
		err := s.Deliver(t.Context(), notice(fmt.Sprint("n", n)))
		if tt.want == nil {
			if err != nil {
				t.Errorf("%d: %v", tt.status, err)
			}
			continue
		}
		if diff := cmp.Diff(tt.want, failureOf(t, err), cmpopts.IgnoreUnexported(webhook.Refusal{})); diff != "" {
			t.Errorf("%d, Retry-After %q (-want +got):\n%s", tt.status, tt.after, diff)
		}
	}
}

func refused(status int, after time.Duration) *webhook.Failure {
	return &webhook.Failure{RetryAfter: after, Refusals: []webhook.Refusal{{Endpoint: "pager", Reason: webhook.ReasonStatus, Status: status}}}
}

// What cannot be sent will not be sent later either.
func TestNoticesThatCannotBeSent(t *testing.T) {
	r := receive(t)
	s := r.sender(t)
	for name, change := range map[string]func(*webhook.Notice){
		"no id": func(n *webhook.Notice) { n.ID = "" }, "a full stop in the id": func(n *webhook.Notice) { n.ID = "a.1" },
		"a line break in the id": func(n *webhook.Notice) { n.ID = "a\nb" }, "an id too long": func(n *webhook.Notice) { n.ID = strings.Repeat("a", 65) },
		"no kind": func(n *webhook.Notice) { n.Kind = "" }, "no JSON": func(n *webhook.Notice) { n.Body = []byte("{canary") },
		"too large":      func(n *webhook.Notice) { n.Body = []byte(`"` + strings.Repeat("c", webhook.MaxBodyBytes) + `"`) },
		"two JSON texts": func(n *webhook.Notice) { n.Body = []byte(`{}{}`) },
	} {
		n := notice("n1")
		change(&n)
		f := failureOf(t, s.Deliver(t.Context(), n))
		if !f.GiveUp || len(f.Refusals) != 1 || f.Refusals[0].Reason != webhook.ReasonNotice {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if len(r.all()) != 0 {
		t.Error("something was sent")
	}
}

// One endpoint that is down does not make another hear the same again and again.
func TestOnlyWhoMissedItIsToldAgain(t *testing.T) {
	up, down := receive(t), receive(t)
	down.status(503, "Retry-After", "30")
	both := func(c *webhook.Config) {
		other := down.config().Endpoints[0]
		other.Name = "siem"
		c.Endpoints = append(c.Endpoints, other)
		c.AllowHosts = append(c.AllowHosts, down.host())
		c.Roots.AddCert(down.Certificate())
	}
	s := up.sender(t, both)
	for range 3 {
		f := failureOf(t, s.Deliver(t.Context(), notice("n1")))
		if f.GiveUp || f.RetryAfter != 30*time.Second || len(f.Refusals) != 1 || f.Refusals[0].Endpoint != "siem" {
			t.Errorf("%+v", f)
		}
	}
	if len(up.all()) != 1 || len(down.all()) != 3 {
		t.Errorf("told %d and %d times", len(up.all()), len(down.all()))
	}
	down.status(410)
	if f := failureOf(t, s.Deliver(t.Context(), notice("n1"))); !f.GiveUp {
		t.Errorf("nobody is left, and yet %+v", f)
	}
	if err := s.Deliver(t.Context(), notice("n1")); err != nil {
		t.Errorf("who does not want it is asked again: %v", err)
	}
	// Another notice, and the same id of another tenant, are others.
	if err := s.Deliver(t.Context(), notice("n2")); err == nil || len(up.all()) != 2 {
		t.Errorf("another notice: %v, told %d times", err, len(up.all()))
	}
}

func TestOnlyWhoMissedItIsToldAgainTwin(t *testing.T) {
	r := receive(t)
	s := r.sender(t)
	for range 2 {
		if err := s.Deliver(t.Context(), notice("n1")); err != nil {
			t.Fatal(err)
		}
		s.Forget()
	}
	if len(r.all()) != 2 {
		t.Errorf("told %d times without the memory", len(r.all()))
	}
	for n := range 3 * webhook.MaxSettled {
		s.Remember("pager", "acme", fmt.Sprint(n/2))
	}
	if got := s.Remembered(); got != webhook.MaxSettled {
		t.Errorf("%d deliveries are remembered", got)
	}
}

// An endpoint that never ends, or that sends nothing, costs a bounded time and
// a bounded number of bytes.
func TestEndlessAnswers(t *testing.T) {
	r := receive(t)
	body := &counted{}
	s := r.sender(t)
	s.Answer(200, http.Header{}, body)
	if err := s.Deliver(t.Context(), notice("n1")); err != nil || body.read > webhook.MaxResponseBytes {
		t.Errorf("%v, %d bytes read", err, body.read)
	}
	// The twin: read to its end, this body would have gone on.
	if n, _ := io.Copy(io.Discard, io.LimitReader(body, 1<<20)); n != 1<<20 {
		t.Errorf("the body ends after %d bytes by itself", n)
	}
	r.answers(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<17)) })
	if f := failureOf(t, r.sender(t).Deliver(t.Context(), notice("n2"))); f.Refusals[0].Reason != webhook.ReasonConnect || f.GiveUp {
		t.Errorf("a header of 128 KiB: %+v", f)
	}
	hung := make(chan struct{})
	defer close(hung)
	r.answers(func(http.ResponseWriter, *http.Request) { <-hung })
	brief := r.sender(t, func(c *webhook.Config) { c.Timeout = 20 * time.Millisecond })
	if f := failureOf(t, brief.Deliver(t.Context(), notice("n3"))); f.Refusals[0].Reason != webhook.ReasonTimeout || f.GiveUp {
		t.Errorf("no answer: %+v", f)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := brief.Deliver(ctx, notice("n4"))
	if f := failureOf(t, err); f.Refusals[0].Reason != webhook.ReasonCancelled || f.GiveUp || !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits: %v", err)
	}
}

// counted is a body without an end.
type counted struct{ read int }

func (c *counted) Read(p []byte) (int, error) {
	c.read += len(p)
	return len(p), nil
}

func TestServersNobodyVouchesFor(t *testing.T) {
	r := receive(t)
	for name, change := range map[string]func(*webhook.Config){
		"an authority that is not trusted": func(c *webhook.Config) { c.Roots = nil },
		"another name": func(c *webhook.Config) {
			c.Endpoints[0].URL = strings.Replace(c.Endpoints[0].URL, "localhost", "127.0.0.2", 1)
			c.AllowHosts = []string{strings.Replace(c.AllowHosts[0], "localhost", "127.0.0.2", 1)}
		},
	} {
		f := failureOf(t, r.sender(t, change).Deliver(t.Context(), notice("n1")))
		if reason := f.Refusals[0].Reason; f.GiveUp || (reason != webhook.ReasonTLS && reason != webhook.ReasonConnect) {
			t.Errorf("%s: %+v", name, f)
		}
	}
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a notice over plain HTTP") }))
	defer plain.Close()
	host := strings.TrimPrefix(plain.URL, "http://")
	s := r.sender(t, func(c *webhook.Config) { c.Endpoints[0].URL, c.AllowHosts = "https://"+host, []string{host} })
	if f := failureOf(t, s.Deliver(t.Context(), notice("n1"))); f.Refusals[0].Reason != webhook.ReasonTLS {
		t.Errorf("a server without TLS: %+v", f)
	}
	plain.Close()
	if f := failureOf(t, s.Deliver(t.Context(), notice("n1"))); f.Refusals[0].Reason != webhook.ReasonConnect {
		t.Errorf("no server: %+v", f)
	}
	if len(r.all()) != 0 {
		t.Error("a notice was sent")
	}
}
