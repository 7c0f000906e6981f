package webhook

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"
)

// Endpoint is somebody who is told.
type Endpoint struct {
	// Name is what logs and metrics call it.
	Name string
	// URL is https, and its host is in the list; see [Check].
	URL string
	// Secrets sign, each of them; see [ParseSecret].
	Secrets [][]byte
	// Kinds are the notices that it gets; none means all.
	Kinds []string
	// Tenants are those whose notices it gets.
	Tenants []string
	// Internal says that it is in a network of one's own.
	Internal bool
}

// Config is who is told, and how.
type Config struct {
	Endpoints []Endpoint
	// AllowHosts are the hosts of the endpoints, host or host:port, each as it
	// stands in the address.
	AllowHosts []string
	// Timeout is for one attempt at one endpoint; 0 is [DefaultTimeout].
	Timeout time.Duration
	// Now is nil for time.Now.
	Now func() time.Time
	// Roots are the authorities that may vouch for endpoints; nil means those
	// of the system.
	Roots *x509.CertPool
	// Development lets an endpoint on the loopback interface be http.
	Development bool
}

// ErrConfig is every refusal of a configuration by [New].
var ErrConfig = errors.New("webhook: configuration refused")

// Sender delivers notices. It is safe for concurrent use.
type Sender struct {
	endpoints []*endpoint
	timeout   time.Duration
	now       func() time.Time
	settled   settled
}

// endpoint is one that was checked.
type endpoint struct {
	Endpoint
	client *http.Client
}

// New refuses, with [ErrConfig], what [Check] finds fault with.
func New(c Config) (*Sender, error) {
	if faults := Check(c); len(faults) > 0 {
		return nil, joined(faults)
	}
	s := &Sender{timeout: c.Timeout, now: c.Now}
	if s.timeout == 0 {
		s.timeout = DefaultTimeout
	}
	if s.now == nil {
		s.now = time.Now
	}
	for _, e := range c.Endpoints {
		e.Secrets, e.Kinds, e.Tenants = slices.Clone(e.Secrets), slices.Clone(e.Kinds), slices.Clone(e.Tenants)
		s.endpoints = append(s.endpoints, &endpoint{Endpoint: e, client: newClient(e.reach(), c.Roots)})
	}
	return s, nil
}

// newClient makes a client that goes where it is sent and nowhere else. With a
// proxy the address that is judged would be the proxy's.
func newClient(r reach, roots *x509.CertPool) *http.Client {
	dialer := &net.Dialer{Control: r.control}
	return &http.Client{
		Transport: &http.Transport{
			DialContext:     dialer.DialContext,
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			// Notices are rare: a connection that is kept would outlive what
			// was found out about its address.
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxResponseHeaderBytes,
		},
		// A redirect is the receiver's word for somebody whom nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// wants tells whether a notice is for the endpoint.
func (e *endpoint) wants(n Notice) bool {
	return slices.Contains(e.Tenants, n.Tenant) && (len(e.Kinds) == 0 || slices.Contains(e.Kinds, n.Kind))
}

// Fault is a rule that a configuration breaks. It is an [ErrConfig].
type Fault struct {
	Field string // named as in a configuration file
	Rule  string // never holds the value
}

func (f *Fault) Error() string { return fmt.Sprintf("%v: %s: %s", ErrConfig, f.Field, f.Rule) }

func (f *Fault) Unwrap() error { return ErrConfig }

func joined(faults []*Fault) error {
	all := make([]error, len(faults))
	for n, fault := range faults {
		all[n] = fault
	}
	return errors.Join(all...)
}
