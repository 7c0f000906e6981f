package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/telemetry"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Config is what the interface is made of. Service, Logger, Registry, Version and
// one way to authenticate are required.
type Config struct {
	Service *vault.Service
	// Authenticate turns a bearer credential into a caller. A refusal is an
	// authn.ErrUnauthenticated, or a vault.Error where something else is wrong.
	Authenticate func(ctx context.Context, bearer string) (vault.Caller, error)
	// AuthenticateOver stands instead of Authenticate where a credential may be
	// bound to the client certificate of the connection. It is told that one's
	// fingerprint (certificate.Fingerprint), or "" where there is none.
	AuthenticateOver func(ctx context.Context, bearer, fingerprint string) (vault.Caller, error)
	// Ready says what is missing beside what the service itself needs: a
	// vault.Error whose detail is its name. It must not wait. Nil is nothing.
	Ready func() error
	// Tracer traces requests; nil traces none.
	Tracer *telemetry.Tracer
	Logger *slog.Logger
	// Registry gets the metrics and is served at /metrics.
	Registry *prometheus.Registry
	Limits   Limits
	// Rates bound how fast callers may call; without any nothing does.
	Rates   Rates
	Version string
}

// api implements the generated server interface.
type api struct {
	service    *vault.Service
	verify     func(ctx context.Context, bearer, fingerprint string) (vault.Caller, error)
	alsoReady  func() error
	absence    absence
	tracer     *telemetry.Tracer
	logger     *slog.Logger
	limits     Limits
	metrics    *metrics
	exposition http.Handler
	operations map[string]*operation
	words      words
	rest       map[string]string
	pacers     []pacer

	requests budget // requests under way, but for streams
	streams  budget // streams under way
	bodies   budget // bytes of bodies that are worked on
}

var _ gen.StrictServerInterface = (*api)(nil)

// quiet stops gin from printing routes and warnings to standard output. The
// mode is a variable of gin's, so it is set once for the process.
var quiet = sync.OnceFunc(func() { gin.SetMode(gin.ReleaseMode) })

// New returns the handler of the whole interface. It registers its metrics
// with the registry, so a registry serves one handler.
func New(cfg Config) (http.Handler, error) {
	a, err := newAPI(cfg, time.Now)
	if err != nil {
		return nil, err
	}
	return a.engine()
}

func newAPI(cfg Config, now func() time.Time) (*api, error) {
	switch {
	case cfg.Service == nil, (cfg.Authenticate == nil) == (cfg.AuthenticateOver == nil):
		return nil, errors.New("httpapi: a service and one authentication are required")
	case cfg.Logger == nil, cfg.Registry == nil:
		return nil, errors.New("httpapi: a logger and a registry are required")
	case cfg.Version == "":
		return nil, errors.New("httpapi: a version is required")
	}
	described, err := describe()
	if err != nil {
		return nil, err
	}
	limits := cfg.Limits.withDefaults()
	a := &api{
		service: cfg.Service, verify: cfg.verification(), logger: cfg.Logger, limits: limits,
		alsoReady: cfg.Ready, tracer: cfg.Tracer,
		operations: described.operations, words: described.words, rest: described.rest,
		requests: budget{most: limits.InFlight}, streams: budget{most: MaxStreams}, bodies: budget{most: limits.BodyBytesInFlight},
	}
	if a.pacers, err = cfg.Rates.pacers(now); err != nil {
		return nil, err
	}
	if a.metrics, err = newMetrics(cfg.Registry, cfg.Version, cfg.Tracer); err != nil {
		return nil, err
	}
	a.exposition = exposition(cfg.Registry)
	return a, nil
}

// verification is the way to authenticate that was given.
func (c Config) verification() func(ctx context.Context, bearer, fingerprint string) (vault.Caller, error) {
	if c.AuthenticateOver != nil {
		return c.AuthenticateOver
	}
	return func(ctx context.Context, bearer, _ string) (vault.Caller, error) { return c.Authenticate(ctx, bearer) }
}

func (a *api) engine() (http.Handler, error) {
	quiet()
	engine := gin.New()
	// Nobody's X-Forwarded-For is believed: the address that a policy decides by is
	// that of the connection.
	if err := engine.SetTrustedProxies(nil); err != nil {
		return nil, fmt.Errorf("httpapi: %w", err)
	}
	engine.ForwardedByClientIP = false
	engine.HandleMethodNotAllowed = true
	// A redirect would send the path of the request back in a header.
	engine.RedirectTrailingSlash = false
	engine.RedirectFixedPath = false
	engine.Use(a.observe, a.admit, a.authenticate, a.pace, a.onBehalf, a.check)
	engine.NoRoute(func(c *gin.Context) {
		a.fail(c, vault.Errorf(vault.CodeNotFound, "there is no such path"))
	})
	engine.NoMethod(func(c *gin.Context) {
		a.fail(c, edge(http.StatusMethodNotAllowed, vault.Errorf(vault.CodeInvalid, "the path does not know this method")))
	})
	strict := gen.NewStrictHandlerWithOptions(a, []gen.StrictMiddlewareFunc{a.rendering}, gen.StrictGinServerOptions{
		RequestErrorHandlerFunc:  a.unbindable,
		HandlerErrorFunc:         a.fail,
		ResponseErrorHandlerFunc: a.unsent,
	})
	gen.RegisterHandlersWithOptions(restPaths{engine, a.rest}, strict, gen.GinServerOptions{
		ErrorHandler: func(c *gin.Context, err error, _ int) { a.unbindable(c, err) },
	})
	return engine, nil
}

// unbindable answers a request that was checked and still does not fit the
// generated types. The document and the types are one, so this is a fault of
// ours; the text of the error quotes the request and is dropped.
func (a *api) unbindable(c *gin.Context, _ error) {
	a.fail(c, vault.Errorf(vault.CodeInternal, "").Because(errUnbindable))
}

var errUnbindable = errors.New("httpapi: a checked request does not fit its type")

// unsent handles an answer that could not be encoded or written.
func (a *api) unsent(c *gin.Context, err error) {
	if c.Writer.Written() {
		c.Abort()
		x := exchangeOf(c)
		if errors.Is(err, errCut) {
			x.code, x.cause, x.broken = vault.CodeInternal, err, true
			return
		}
		x.gone = true
		return
	}
	a.fail(c, err)
}
