package telemetry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Config is what a tracer is made of. All but Headers, Roots and the names is
// required; package config has the rules for what an operator may say.
type Config struct {
	// Endpoint is the URL of the collector. Without a path, its path is the one
	// of the protocol.
	Endpoint string
	// Headers go with each batch, such as a credential for the collector.
	Headers map[string]string
	// Roots are the authorities that may vouch for the collector; nil means
	// those of the system.
	Roots *x509.CertPool
	// Ratio is how many of the requests are traced, over 0 and up to 1.
	Ratio  float64
	Parent Parent
	// The names of what is traced.
	Service, Version, Environment, Replica string
	Logger                                 *slog.Logger
}

const (
	defaultPath = "/v1/traces"
	scope       = "github.com/counterfoil/counterfoil/internal/telemetry"
)

// Tracer traces requests. It is safe for concurrent use, and nil traces nothing.
type Tracer struct {
	provider *sdk.TracerProvider
	requests trace.Tracer
	parent   Parent
	queue    *queue
	exporter *exporter
	abort    context.CancelFunc
	client   *http.Client
}

// New starts a tracer. It does not wait for the collector. It is to be closed.
func New(cfg Config) (*Tracer, error) {
	endpoint, err := url.Parse(cfg.Endpoint)
	switch {
	case err != nil, endpoint.Host == "", endpoint.Scheme != "http" && endpoint.Scheme != "https":
		return nil, errors.New("telemetry: the endpoint must be a URL of http or https")
	case !inRange(cfg.Ratio):
		return nil, errors.New("telemetry: the ratio must be over 0 and up to 1")
	case !slices.Contains(Parents(), cfg.Parent), cfg.Logger == nil:
		return nil, errors.New("telemetry: a parent and a logger are required")
	}
	if endpoint.Path == "" || endpoint.Path == "/" {
		endpoint.Path = defaultPath
	}
	t := &Tracer{parent: cfg.Parent, queue: &queue{}, client: newClient(cfg.Roots)}
	sender, err := otlptracehttp.New(context.Background(), exporterOptions(cfg, endpoint.String(), t.client)...)
	if err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	t.exporter = &exporter{next: sender, queue: t.queue, logger: cfg.Logger}
	t.exporter.ending, t.abort = context.WithCancel(context.Background())
	t.queue.SpanProcessor = sdk.NewBatchSpanProcessor(t.exporter, sdk.WithMaxQueueSize(MaxQueued),
		sdk.WithMaxExportBatchSize(MaxBatch), sdk.WithBatchTimeout(BatchEvery), sdk.WithExportTimeout(ExportTimeout))
	t.provider = sdk.NewTracerProvider(
		sdk.WithSpanProcessor(t.queue), sdk.WithSampler(sampler{cfg.Ratio, cfg.Parent}),
		sdk.WithResource(resourceOf(cfg)), sdk.WithRawSpanLimits(spanLimits()), sdk.WithoutPanicRecording(),
	)
	t.requests = t.provider.Tracer(scope)
	return t, nil
}

// inRange is written so that it holds for what is no number, too.
func inRange(ratio float64) bool { return ratio > 0 && ratio <= 1 }

// exporterOptions gives every setting that the library would otherwise look for
// in the environment.
func exporterOptions(cfg Config, endpoint string, client *http.Client) []otlptracehttp.Option {
	headers := map[string]string{}
	for name, value := range cfg.Headers {
		headers[name] = value
	}
	return []otlptracehttp.Option{
		otlptracehttp.WithEndpointURL(endpoint), otlptracehttp.WithHeaders(headers),
		otlptracehttp.WithTLSClientConfig(nil), otlptracehttp.WithHTTPClient(client),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression), otlptracehttp.WithEncoding(otlptracehttp.EncodingProtobuf),
		otlptracehttp.WithTimeout(ExportTimeout), otlptracehttp.WithMaxResponseSize(MaxAnswerBytes),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
			Enabled: true, InitialInterval: RetryAfter, MaxInterval: RetryMost, MaxElapsedTime: ExportTimeout,
		}),
	}
}

// newClient makes a client that goes to one address and nowhere else.
func newClient(roots *x509.CertPool) *http.Client {
	return &http.Client{
		Timeout: ExportTimeout,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			MaxIdleConns:    1, IdleConnTimeout: 3 * BatchEvery, TLSHandshakeTimeout: ExportTimeout,
		},
		// A redirect would show the headers to somebody whom nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func resourceOf(cfg Config) *resource.Resource {
	return resource.NewSchemaless(
		attribute.String("service.name", cfg.Service), attribute.String("service.version", cfg.Version),
		attribute.String("service.instance.id", cfg.Replica), attribute.String("deployment.environment.name", cfg.Environment),
	)
}

// spanLimits leave room for every attribute that there is, and none for what
// is never made.
func spanLimits() sdk.SpanLimits {
	return sdk.SpanLimits{AttributeCountLimit: len(Keys()), AttributeValueLengthLimit: maxText}
}

// maxText is the length of the longest text: the version of a policy.
const maxText = 64

// Request begins the span of a request, under the trace of its caller where that
// is taken. What belongs to the request happens under the returned context.
func (t *Tracer) Request(ctx context.Context, header http.Header, operation Operation) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	ctx, span := t.requests.Start(remoteParent(ctx, header, t.parent), operation.name, trace.WithSpanKind(trace.SpanKindServer))
	if !span.IsRecording() {
		return ctx, nil
	}
	return ctx, &Span{span}
}

// Counts are numbers of spans since the start.
type Counts struct {
	Sent    uint64 // taken by the collector
	Failed  uint64 // of batches that it did not take, or not whole
	Dropped uint64 // because the queue was full
}

// Counts returns what became of the spans so far.
func (t *Tracer) Counts() Counts {
	return Counts{t.exporter.sent.Load(), t.exporter.failed.Load(), t.queue.dropped.Load()}
}

// Close sends the spans that are left, until ctx ends; then they are lost.
func (t *Tracer) Close(ctx context.Context) {
	if t == nil {
		return
	}
	// The SDK would go on in the background when its context ends. This way it
	// comes to its end at once, since nothing can be sent any more.
	defer context.AfterFunc(ctx, t.abort)()
	_ = t.provider.Shutdown(context.WithoutCancel(ctx)) // the exporter never fails
	t.abort()
	t.client.CloseIdleConnections()
}
