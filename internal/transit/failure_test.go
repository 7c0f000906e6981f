package transit_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/transit"
)

// forms are the ways in which a text might be written down.
func forms(text string) []string {
	b := []byte(text)
	return []string{
		text, base64.StdEncoding.EncodeToString(b), base64.StdEncoding.EncodeToString(append([]byte{1}, b...)),
		base64.RawURLEncoding.EncodeToString(b), hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)),
	}
}

// refusedQuickly checks that a call is refused, in less than a quarter of a
// second, and that no text of it says anything of the server or the key.
func refusedQuickly(t *testing.T, w *transit.Wrapper) {
	t.Helper()
	start := time.Now()
	_, err := w.Wrap(t.Context(), "acme", [][]byte{[]byte("canary-key")})
	if !errors.Is(err, envelope.ErrUnavailable) {
		t.Fatalf("got %v, want that the key service is unavailable", err)
	}
	if took := time.Since(start); took > 250*time.Millisecond {
		t.Errorf("refused after %s, want less than 250 ms", took)
	}
	for _, leak := range append(forms("canary-key"), "127.0.0.1", "transit/encrypt", "hvs.") {
		if strings.Contains(err.Error(), leak) {
			t.Errorf("the error says %q: %v", leak, err)
		}
	}
}

// fail makes calls until the breaker is open.
func fail(t *testing.T, w *transit.Wrapper) {
	t.Helper()
	for range transit.BreakAfter {
		if _, err := w.Wrap(t.Context(), "acme", [][]byte{[]byte("x")}); !errors.Is(err, envelope.ErrUnavailable) {
			t.Fatalf("got %v, want that the key service is unavailable", err)
		}
	}
}

// recovers waits until a wrap succeeds again, with nobody's help.
func (p pair) recovers(t *testing.T, wrapped envelope.Wrapped) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		_, err := p.w.Wrap(t.Context(), "acme", [][]byte{[]byte("x")})
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it does not recover: %v", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.opens(t, wrapped, "key")
}

func TestStoppedServer(t *testing.T) {
	t.Parallel() // it waits most of its time
	p := newPair(t)
	wrapped := p.wrap(t, "key")
	p.Stop(t)
	fail(t, p.w)
	refusedQuickly(t, p.w)
	p.Run(t)
	p.Await(t)
	p.recovers(t, wrapped)
}

func TestSealedServer(t *testing.T) {
	t.Parallel() // it waits most of its time
	p := newPair(t)
	wrapped := p.wrap(t, "key")
	p.Seal(t)
	fail(t, p.w)
	refusedQuickly(t, p.w)
	// Unsealing is a start anew, as the server of the tests does it.
	p.Stop(t)
	p.Run(t)
	p.Await(t)
	p.recovers(t, wrapped)
}

// proxied puts a proxy between the wrapper and the server.
func proxied(t *testing.T) (pair, *toxiproxy.Proxy) {
	t.Helper()
	p := newPair(t)
	address, err := url.Parse(p.Address)
	if err != nil {
		t.Fatal(err)
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "transit", "127.0.0.1:0", address.Host)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	config := p.Serving(t)
	config.Address = "http://" + proxy.Listen
	p.w = openWrapper(t, config)
	return p, proxy
}

func add(t *testing.T, proxy *toxiproxy.Proxy, toxic string) {
	t.Helper()
	if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		t.Fatal(err)
	}
}

func TestSlowServer(t *testing.T) {
	t.Parallel() // it waits most of its time
	p, proxy := proxied(t)
	wrapped := p.wrap(t, "key")
	add(t, proxy, `{"name":"slow","type":"latency","stream":"downstream","attributes":{"latency":60000}}`)
	start := time.Now()
	fail(t, p.w)
	if took := time.Since(start); took > transit.BreakAfter*(transit.CallTimeout+time.Second) {
		t.Errorf("the calls took %s", took)
	}
	refusedQuickly(t, p.w)
	if err := proxy.Toxics.RemoveToxic(context.Background(), "slow"); err != nil {
		t.Fatal(err)
	}
	p.recovers(t, wrapped)
}

// An answer that is cut off is no answer, and nothing of it is used.
func TestAnswersThatAreCut(t *testing.T) {
	t.Parallel() // it waits most of its time
	p, proxy := proxied(t)
	wrapped := p.wrap(t, "key")
	add(t, proxy, `{"name":"cut","type":"limit_data","stream":"downstream","attributes":{"bytes":150}}`)
	fail(t, p.w)
	refusedQuickly(t, p.w)
	if err := proxy.Toxics.RemoveToxic(context.Background(), "cut"); err != nil {
		t.Fatal(err)
	}
	p.recovers(t, wrapped)
}

// A token that was revoked or has expired is replaced within the call.
func TestRevokedToken(t *testing.T) {
	p := newPair(t)
	wrapped := p.wrap(t, "key")
	for range 2 {
		accessors, err := p.Root().Logical().List("auth/token/accessors")
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range accessors.Data["keys"].([]any) {
			info, err := p.Root().Auth().Token().LookupAccessor(one.(string))
			if err != nil || info == nil || !strings.HasPrefix(info.Data["path"].(string), "auth/approle") {
				continue
			}
			if err := p.Root().Auth().Token().RevokeAccessor(one.(string)); err != nil {
				t.Fatal(err)
			}
		}
		p.opens(t, wrapped, "key")
	}
}

// A key that somebody deleted is a failure to be seen: it is not made anew, and
// what it wrapped is not said to be forged.
func TestDeletedKey(t *testing.T) {
	p := newPair(t)
	wrapped := p.wrap(t, "key")
	const path = "transit/keys/counterfoil-n-acme-n"
	if _, err := p.Root().Logical().Write(path+"/config", map[string]any{"deletion_allowed": true}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Root().Logical().Delete(path); err != nil {
		t.Fatal(err)
	}
	for range 2 * transit.BreakAfter { // it does not open the breaker: other tenants go on
		_, err := p.w.Unwrap(t.Context(), "acme", []envelope.Wrapped{wrapped})
		if !errors.Is(err, envelope.ErrUnavailable) {
			t.Fatalf("opened under a key that is gone: %v", err)
		}
	}
	if _, err := p.keys.Status(t.Context(), "acme"); !transit.Missing(err) {
		t.Errorf("the key came back: %v", err)
	}
	if err := p.keys.Create(t.Context(), "globex"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.w.Wrap(t.Context(), "globex", [][]byte{[]byte("x")}); err != nil {
		t.Errorf("another tenant: %v", err)
	}
}

// Logins that are refused say so at once, and say nothing else.
func TestLoginsAreChecked(t *testing.T) {
	p := newPair(t)
	good := p.Serving(t)
	for name, change := range map[string]func(*transit.Config){
		"no address": func(c *transit.Config) { c.Address = "" },
		"no login":   func(c *transit.Config) { c.Login = transit.Login{} },
		"two logins": func(c *transit.Config) { c.Login.TokenFile = "x" },
		"no such file": func(c *transit.Config) {
			c.Login.AppRole = &transit.AppRole{RoleIDFile: "/none", SecretIDFile: "/none"}
		},
		"no such CA": func(c *transit.Config) { c.CAFile = "/none" },
		"a secret id of another role": func(c *transit.Config) {
			c.Login.AppRole = &transit.AppRole{RoleIDFile: c.Login.AppRole.RoleIDFile, SecretIDFile: p.Keys(t).Login.AppRole.SecretIDFile}
		},
		"nobody there": func(c *transit.Config) { c.Address = "http://127.0.0.1:1" },
	} {
		c := good
		change(&c)
		w, err := transit.Open(t.Context(), c)
		if err == nil {
			_ = w.Close()
			t.Errorf("%s: it was opened", name)
			continue
		}
		if !errors.Is(err, transit.ErrConfig) && !errors.Is(err, envelope.ErrUnavailable) || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A token of a file is read anew when it is not taken any more.
func TestTokenFile(t *testing.T) {
	p := newPair(t)
	file := t.TempDir() + "/token"
	put := func() string {
		made, err := p.Root().Logical().Write("auth/token/create", map[string]any{"policies": []string{"counterfoil-serving"}, "ttl": "10m"})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(made.Auth.ClientToken+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return made.Auth.Accessor
	}
	accessor := put()
	p.w = openWrapper(t, transit.Config{Address: p.Address, Login: transit.Login{TokenFile: file}})
	wrapped := p.wrap(t, "key")
	if err := p.Root().Auth().Token().RevokeAccessor(accessor); err != nil {
		t.Fatal(err)
	}
	if _, err := p.w.Wrap(t.Context(), "acme", [][]byte{[]byte("x")}); !errors.Is(err, envelope.ErrUnavailable) {
		t.Fatalf("with a token that was revoked: %v", err)
	}
	put()
	p.opens(t, wrapped, "key")
}
