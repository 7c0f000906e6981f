package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Defaults of a Config.
const (
	// DefaultTimeout is longer than the 30 seconds that the service gives to a
	// request, so that its own answer comes first.
	DefaultTimeout = 35 * time.Second
	// DefaultAttempts is the first and three more: a restart of a replica
	// behind a balancer takes about one.
	DefaultAttempts = 4
	// DefaultRetryFor is as long as a person looks at an empty chat.
	DefaultRetryFor = 20 * time.Second
	// DefaultMaxAnswer is room for the greatest text and five hundred of the
	// greatest values in it (9 MiB), with each byte escaped by six.
	DefaultMaxAnswer = 64 << 20
	// DefaultUserAgent names the client.
	DefaultUserAgent = "counterfoil-go-client/1"
)

// A TokenSource gives the bearer JWT of a request. It is asked for each
// attempt, so it should keep what it has until shortly before that expires.
type TokenSource func(ctx context.Context) (string, error)

// Config is what a client is made of. Token is required, and so is one of
// LogKeys and TrustOnFirstUse. Zero is the default for all others.
type Config struct {
	Token TokenSource
	// LogKeys are the public keys of the log of one tenant, as C2SP signed-note
	// verifier keys: the present one and those before and after it.
	LogKeys []string
	// TrustOnFirstUse fetches the keys from the service before the first
	// request, where none are pinned. See the package comment for what that is
	// worth.
	TrustOnFirstUse bool
	// Checkpoints keeps the greatest head of the log that was seen, and demands of
	// each other head the proof that the two are of one history. It is for callers
	// who may read the log: who may not is refused the proof, and so every answer
	// with a receipt. See CheckpointFile.
	Checkpoints CheckpointStore
	// Receipts gets each receipt that was found good, a line of JSON each, in one
	// Write. An answer whose receipt it does not take is withheld.
	Receipts io.Writer
	// HTTP is used for its Transport, where proxies, roots and client
	// certificates are set. Its cookies and its policy of redirects are not
	// used.
	HTTP      *http.Client
	Timeout   time.Duration // of one attempt, from the dial to the last byte
	Attempts  int           // the first one counts; 1 means no retries
	RetryFor  time.Duration // no attempt starts later than this after the first
	MaxAnswer int64         // bytes of the largest answer that is read
	UserAgent string
	// AllowPlainHTTP permits http to hosts that are not loopback: credentials
	// and values then cross the network in clear.
	AllowPlainHTTP bool
}

// ErrConfig is a configuration that no client is made of.
var ErrConfig = errors.New("client: the configuration cannot be used")

// Client speaks to one service for one tenant.
type Client struct {
	cfg   Config
	base  *url.URL
	http  *http.Client
	log   *logbook
	now   func() time.Time
	sleep func(ctx context.Context, d time.Duration) error
}

// New makes a client of the service at baseURL. It opens no connection.
func New(baseURL string, cfg Config) (*Client, error) {
	base, err := parseBase(baseURL, cfg.AllowPlainHTTP)
	if err != nil {
		return nil, err
	}
	switch {
	case cfg.Token == nil:
		return nil, fmt.Errorf("%w: a token source is required", ErrConfig)
	case len(cfg.LogKeys) == 0 && !cfg.TrustOnFirstUse:
		return nil, fmt.Errorf("%w: the keys of the log are required, or TrustOnFirstUse", ErrConfig)
	case len(cfg.LogKeys) > 0 && cfg.TrustOnFirstUse:
		return nil, fmt.Errorf("%w: keys are pinned or trusted on first use, not both", ErrConfig)
	case cfg.Timeout < 0, cfg.Attempts < 0, cfg.RetryFor < 0, cfg.MaxAnswer < 0:
		return nil, fmt.Errorf("%w: a limit is negative", ErrConfig)
	case !headerValue(cfg.UserAgent):
		return nil, fmt.Errorf("%w: the user agent cannot stand in a header", ErrConfig)
	}
	book := newLogbook()
	if len(cfg.LogKeys) > 0 {
		if err := book.pin(cfg.LogKeys); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
	}
	if err := book.open(cfg.Checkpoints); err != nil {
		return nil, err
	}
	return &Client{
		cfg: cfg.withDefaults(), base: base, http: httpClient(cfg.HTTP), log: book,
		now: time.Now, sleep: sleep,
	}, nil
}

// Close closes the connections that nothing uses.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func (cfg Config) withDefaults() Config {
	if cfg.Timeout == 0 {
		cfg.Timeout = DefaultTimeout
	}
	if cfg.Attempts == 0 {
		cfg.Attempts = DefaultAttempts
	}
	if cfg.RetryFor == 0 {
		cfg.RetryFor = DefaultRetryFor
	}
	if cfg.MaxAnswer == 0 {
		cfg.MaxAnswer = DefaultMaxAnswer
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = DefaultUserAgent
	}
	return cfg
}

// parseBase never repeats the address: it may hold a password.
func parseBase(address string, plain bool) (*url.URL, error) {
	base, err := url.Parse(address)
	switch {
	case err != nil, base.Hostname() == "", base.Opaque != "":
		return nil, fmt.Errorf("%w: the address is not a URL with a host", ErrConfig)
	case base.User != nil, base.RawQuery != "", base.ForceQuery, base.Fragment != "":
		return nil, fmt.Errorf("%w: the address has a user, a query or a fragment", ErrConfig)
	case base.Scheme == "https":
	case base.Scheme == "http" && (plain || loopback(base.Hostname())):
	default:
		return nil, fmt.Errorf("%w: https is required for an address that is not loopback", ErrConfig)
	}
	return base, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// httpClient copies what the caller brought, so that what is changed is ours.
func httpClient(given *http.Client) *http.Client {
	own := &http.Client{}
	if given != nil {
		own.Transport, own.Timeout = given.Transport, given.Timeout
	}
	if own.Transport == nil {
		own.Transport = newTransport()
	}
	// The answer that redirects is looked at and refused; nothing is sent on.
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return own
}

// newTransport is the default one of net/http with connections of its own, so
// that Close closes nobody else's. Answers are not compressed: their length
// would tell of values beside text that somebody else chose.
func newTransport() http.RoundTripper {
	shared, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport // a program replaced it, and means it
	}
	own := shared.Clone()
	own.DisableCompression = true
	own.MaxIdleConnsPerHost = maxIdle
	return own
}

// maxIdle connections are kept to the one host that there is; the default of
// two would make a busy gateway dial for most of its requests.
const maxIdle = 64
