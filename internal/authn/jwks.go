package authn

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
)

// JWKS says where an issuer publishes its keys (RFC 7517 section 5).
type JWKS struct {
	// URL is https, or http to the machine itself.
	URL string
	// Roots are the authorities that may vouch for the server. Nil means
	// those of the system.
	Roots *x509.CertPool
}

// rule returns the rule that the address breaks, or "". Whoever can change the
// answer on its way can be anybody, so that http is for the machine itself.
func (j JWKS) rule() string {
	u, err := url.Parse(j.URL)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return "must be a URL with a host"
	case u.User != nil:
		return "must not hold a user name or a password"
	case u.Fragment != "":
		return "must not have a fragment"
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return ""
	default:
		return "must be https, or http to a loopback address"
	}
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && addr.IsLoopback())
}

// What an answer of an issuer can be, other than a key set.
var (
	errStatus   = errors.New("authn: the answer is not 200")
	errTooLarge = errors.New("authn: the key set is larger than the limit")
)

// newJWKSClient makes a client that goes to one address and nowhere else.
func newJWKSClient(j JWKS) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:           http.ProxyFromEnvironment,
			TLSClientConfig: &tls.Config{RootCAs: j.Roots, MinVersion: tls.VersionTLS12},
			// One request a minute: a connection that is kept would only be
			// one that can leak.
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: maxJWKSHeaderBytes,
		},
		// A redirect may lead to http, or to somebody whom nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// fetchJWKS returns the body that the issuer answers with. The limit counts
// the bytes after decompression.
func fetchJWKS(ctx context.Context, client *http.Client, address string) (_ []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, JWKSTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("authn: key set: %w", withoutURL(err))
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("authn: key set: %w", withoutURL(err))
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w but %d", errStatus, response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, MaxJWKSBytes+1))
	if err != nil {
		return nil, fmt.Errorf("authn: key set: %w", err)
	}
	if len(body) > MaxJWKSBytes {
		return nil, errTooLarge
	}
	return body, nil
}

// withoutURL keeps the query of an address, which may be a secret, out of logs.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
