package telemetry_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/counterfoil/counterfoil/internal/telemetry"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// texts are values that must never become an attribute, a surname in lower case
// and a number of a card among them.
var texts = []string{
	"kanarie-7c1e@example.org", "Erika Mustermann", "mustermann", "5105105105105100", "/v1/x?y=z", "chat-1", "", " ",
	"pq: relation does not exist", "Bearer abc", strings.Repeat("a", 500), "\x00", "denied ", "Denied",
	"51051051051051005105105105105100x",
}

func TestInvariant12_NoAttributeTakesAValue(t *testing.T) {
	for _, text := range texts {
		for name, a := range map[string]telemetry.Attribute{
			"code": telemetry.Code(vault.Code(text)), "request id": telemetry.RequestID(text), "policy version": telemetry.PolicyVersion(text),
		} {
			if key, said := a.Stated(); key != "" || said != "" {
				t.Errorf("%s: %q is stated", name, said)
			}
		}
		if telemetryTakes(text) {
			t.Errorf("an operation is called %q", text)
		}
	}
	// A tenant has a name of its operator's choice. It comes from a verified
	// credential, and only what cannot be one is left out here.
	for _, text := range texts {
		if _, said := telemetry.Tenant(text).Stated(); strings.ContainsAny(said, "@ /?:\x00") || len(said) > 63 {
			t.Errorf("tenant: %q is stated", said)
		}
	}
}

// telemetryTakes tells whether a text can be the name of an operation. A word
// can; names are made at the start, of what the interface is called.
func telemetryTakes(text string) (taken bool) {
	defer func() { _ = recover() }()
	telemetry.NewOperation(text)
	return text != "mustermann"
}

// Every attribute there is has its key in the list, and no two have the same.
func TestKeysAreClosed(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range []telemetry.Attribute{
		telemetry.Status(200), telemetry.BytesIn(0), telemetry.BytesOut(1), telemetry.Tokens(1), telemetry.NotTokenized(1),
		telemetry.Results(1), telemetry.Restored(1), telemetry.Entries(1), telemetry.Code(vault.CodeDenied),
		telemetry.RequestID(vault.NewID()), telemetry.Tenant("acme"), telemetry.PolicyVersion(strings.Repeat("0a", 32)),
	} {
		key, text := a.Stated()
		if seen[key] || text == "" || !slices.Contains(telemetry.Keys(), key) {
			t.Errorf("%s=%s", key, text)
		}
		seen[key] = true
	}
	if len(seen) != len(telemetry.Keys()) {
		t.Errorf("%d of %d keys", len(seen), len(telemetry.Keys()))
	}
}

func TestInvariant12_Twin_ABareAttributeIsSeen(t *testing.T) {
	w := newWorld(t, nil)
	_, span := w.tracer.Request(t.Context(), nil, tokenize)
	span.Bare("note", texts[0])
	span.End()
	if w.sent(); !strings.Contains(w.Text(), texts[0]) {
		t.Error("the search is blind")
	}
}

// The caller's trace goes on where its traceparent is one, and is taken.
func TestParents(t *testing.T) {
	const good = "00-" + parentTrace + "-" + parentSpan + "-01"
	for name, tt := range map[string]struct {
		header http.Header
		joined bool
	}{
		"good":             {traceparent(good), true},
		"not sampled":      {traceparent("00-" + parentTrace + "-" + parentSpan + "-00"), true},
		"of a later level": {traceparent("01-" + parentTrace + "-" + parentSpan + "-01-kanarie"), true},
		"none":             {nil, false},
		"twice":            {http.Header{"Traceparent": {good, good}}, false},
		"a text":           {traceparent("kanarie"), false},
		"with more":        {traceparent(good + "-kanarie"), false},
		"in capitals":      {traceparent(strings.ToUpper(good)), false},
		"no trace":         {traceparent("00-00000000000000000000000000000000-" + parentSpan + "-01"), false},
		"no span":          {traceparent("00-" + parentTrace + "-0000000000000000-01"), false},
		"a card":           {traceparent("00-00000000000000005105105105105100-" + parentSpan + "-01"), false},
		"two cards":        {traceparent("00-51051051051051005105105105105100-" + parentSpan + "-01"), false},
		"letters":          {traceparent("00-00000000" + "6b616e617269652d37633165" + "-" + parentSpan + "-01"), false}, // kanarie-7c1e
	} {
		for _, parent := range telemetry.Parents() {
			w := newWorld(t, func(c *telemetry.Config) { c.Parent = parent })
			header := tt.header.Clone()
			if header == nil {
				header = http.Header{}
			}
			header.Set("Tracestate", "vendor=kanarie")
			header.Set("Baggage", "who=kanarie")
			ctx, _ := w.request(t.Context(), header)
			told := propagated(ctx)
			sent := w.sent()
			if parent == telemetry.ParentFollow && name == "not sampled" {
				if len(sent) != 0 || told.Get("Traceparent") == "" || strings.HasSuffix(told.Get("Traceparent"), "01") {
					t.Errorf("%s, %s: %d spans, told on: %v", name, parent, len(sent), told)
				}
				continue
			}
			if len(sent) != 1 {
				t.Fatalf("%s, %s: %d spans", name, parent, len(sent))
			}
			joined := id(sent[0].TraceId) == parentTrace && id(sent[0].ParentSpanId) == parentSpan
			if joined != (tt.joined && parent != telemetry.ParentIgnore) || (!joined && len(sent[0].ParentSpanId) != 0) {
				t.Errorf("%s, %s: %v", name, parent, sent[0].Span)
			}
			text := w.Text() + strings.Join(told.Values("Traceparent"), "")
			if strings.Contains(text, "kanarie") || strings.Contains(text, "6b616e61") || strings.Contains(text, "5105105105105100") || len(told) != 1 {
				t.Errorf("%s, %s: told on: %v", name, parent, told)
			}
			if want := "00-" + id(sent[0].TraceId) + "-" + id(sent[0].SpanId) + "-01"; told.Get("Traceparent") != want {
				t.Errorf("%s, %s: told on %v, want %s", name, parent, told, want)
			}
		}
	}
}

// Whoever sets the flag does not decide, unless it is said that they do.
func TestTheFlagOfACallerDoesNotDecide(t *testing.T) {
	for parent, want := range map[telemetry.Parent]int{telemetry.ParentIgnore: 0, telemetry.ParentJoin: 0, telemetry.ParentFollow: 50} {
		w := newWorld(t, func(c *telemetry.Config) { c.Ratio, c.Parent = 1e-12, parent })
		for range 50 {
			w.request(t.Context(), traceparent("00-"+parentTrace+"-"+parentSpan+"-01"))
		}
		if sent := w.sent(); len(sent) != want {
			t.Errorf("%s: %d spans, want %d", parent, len(sent), want)
		}
	}
}

// propagated are the headers of trace and baggage that would go on from a
// context.
func propagated(ctx context.Context) http.Header {
	told := http.Header{}
	both := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	both.Inject(ctx, propagation.HeaderCarrier(told))
	return told
}

// Few random ids spell anything.
func TestRandomIDsSpellNothing(t *testing.T) {
	w := newWorld(t, nil)
	for range 1000 {
		_, span := w.request(t.Context(), nil)
		traceID, err := trace.TraceIDFromHex(span.TraceID())
		if err != nil || telemetry.Spells(traceID) {
			t.Errorf("%s: %v", traceID, err)
		}
	}
}
