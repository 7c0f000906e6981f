package transit_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/hashicorp/vault/api"

	"github.com/counterfoil/counterfoil/internal/transit"
)

// somebodyElse is a server that the environment names, and how often it was
// asked anything.
func somebodyElse(t *testing.T, start func(http.Handler) *httptest.Server) (address string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	s := start(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

// TestEnvironmentIsIgnored: variables that the client library obeys send no key
// and no login to another server.
func TestEnvironmentIsIgnored(t *testing.T) {
	p := newPair(t)
	config := p.Serving(t)
	address, asked := somebodyElse(t, httptest.NewServer)
	for name, value := range map[string]string{
		"VAULT_ADDR": address, "VAULT_AGENT_ADDR": address, "VAULT_PROXY_ADDR": address, "VAULT_HTTP_PROXY": address,
		"HTTP_PROXY": address, "VAULT_NAMESPACE": "elsewhere", "VAULT_HEADERS": `{"X-Tenant":"elsewhere"}`,
		"VAULT_TOKEN": "nobody's", "VAULT_MAX_RETRIES": "9",
	} {
		t.Setenv(name, value)
	}
	p.w = openWrapper(t, config)
	p.opens(t, p.wrap(t, "key"), "key")
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests went to the server that the environment names", n)
	}
}

// TestUnknownServerGetsNothing: whether a certificate is verified is not the
// environment's to say.
func TestUnknownServerGetsNothing(t *testing.T) {
	p := newPair(t)
	config := p.Serving(t)
	var asked *atomic.Int64
	config.Address, asked = somebodyElse(t, httptest.NewTLSServer)
	t.Setenv("VAULT_SKIP_VERIFY", "true")
	if w, err := transit.Open(t.Context(), config); err == nil {
		_ = w.Close()
		t.Error("a server that nobody vouches for is spoken with")
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests went to a server that nobody vouches for", n)
	}
}

// TestTwinTheLibraryObeysTheEnvironment: with the library's own configuration
// both tests above see the requests.
func TestTwinTheLibraryObeysTheEnvironment(t *testing.T) {
	plain, askedPlain := somebodyElse(t, httptest.NewServer)
	secure, askedSecure := somebodyElse(t, httptest.NewTLSServer)
	ask := func(name, value, address string) {
		t.Setenv(name, value)
		config := api.DefaultConfig()
		config.Address, config.MaxRetries = address, 0
		client, err := api.NewClient(config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Logical().Read("transit/keys/x"); err == nil {
			t.Error("it was answered")
		}
	}
	ask("VAULT_SKIP_VERIFY", "true", secure)
	ask("VAULT_AGENT_ADDR", plain, "http://127.0.0.1:1")
	if askedPlain.Load() == 0 || askedSecure.Load() == 0 {
		t.Errorf("asked %d and %d times: the tests could not see it", askedPlain.Load(), askedSecure.Load())
	}
}
