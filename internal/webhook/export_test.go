package webhook

import (
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// The hooks of the twins: each takes one guard out.

// FollowRedirects makes every endpoint's client do what clients do.
func (s *Sender) FollowRedirects() {
	for _, e := range s.endpoints {
		e.client.CheckRedirect = nil
	}
}

// GoAnywhere stops judging addresses.
func (s *Sender) GoAnywhere() {
	for _, e := range s.endpoints {
		e.client.Transport.(*http.Transport).DialContext = new(net.Dialer).DialContext
	}
}

// Forget makes the sender one that has just started.
func (s *Sender) Forget() { s.settled = settled{} }

// Remembered returns how many deliveries are known.
func (s *Sender) Remembered() int { return len(s.settled.known) }

// Remember notes deliveries of one endpoint.
func (s *Sender) Remember(endpoint, tenant, id string) { s.settled.add(delivery{endpoint, tenant, id}) }

// Answer replaces the network.
func (s *Sender) Answer(status int, header http.Header, body io.Reader) {
	for _, e := range s.endpoints {
		e.client.Transport = answer{status, header, body}
	}
}

type answer struct {
	status int
	header http.Header
	body   io.Reader
}

func (a answer) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Header: a.header, Body: io.NopCloser(a.body), Request: r}, nil
}

// Allows tells whether an endpoint may be at an address.
func Allows(inside bool, addr netip.Addr) bool {
	if inside {
		return internal.allows(addr)
	}
	return public.allows(addr)
}

// Internals for tests.
var (
	Sign       = sign
	IsHost     = isHost
	MaxSettled = maxSettled
	Schedule   = schedule
)

// Jitter is the longest addition to a wait.
func Jitter(wait time.Duration) time.Duration { return wait / jitter }
