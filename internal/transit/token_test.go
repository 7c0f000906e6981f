package transit_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/transit"
)

// waitFor waits until something is so. The server's clock is its own, and gives
// tokens no life below a second.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !so(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// newest is the handle of a token that is not known yet, and is from then on.
func newest(t *testing.T, p pair, known map[string]bool) string {
	t.Helper()
	accessors, err := p.Root().Logical().List("auth/token/accessors")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range accessors.Data["keys"].([]any) {
		if name := one.(string); !known[name] {
			known[name] = true
			return name
		}
	}
	return ""
}

// lookup is nil for a token that is no more.
func lookup(p pair, accessor string) *api.Secret {
	found, err := p.Root().Auth().Token().LookupAccessor(accessor)
	if err != nil {
		return nil
	}
	return found
}

// TestTokensAreRenewedAndReplaced: a token is renewed ahead of its expiry, and
// where the server gives it no more time another takes its place. No call fails
// meanwhile.
func TestTokensAreRenewedAndReplaced(t *testing.T) {
	t.Parallel() // it waits most of its time
	p := newPair(t)
	known := make(map[string]bool)
	for newest(t, p, known) != "" { // those that there are already
	}
	role := "auth/approle/role/counterfoil-serving"
	if _, err := p.Root().Logical().Write(role, map[string]any{
		"token_policies": "counterfoil-serving", "token_ttl": "2s", "token_max_ttl": "4s",
	}); err != nil {
		t.Fatal(err)
	}
	p.w = openWrapper(t, p.Serving(t))
	wrapped := p.wrap(t, "key")
	first := newest(t, p, known)
	born := lookup(p, first)
	if born == nil {
		t.Fatal("the first token is not there")
	}
	waitFor(t, "the token is renewed", func() bool {
		p.opens(t, wrapped, "key")
		now := lookup(p, first)
		return now != nil && now.Data["expire_time"] != born.Data["expire_time"]
	})
	waitFor(t, "another takes its place", func() bool {
		p.opens(t, wrapped, "key")
		return newest(t, p, known) != ""
	})
	waitFor(t, "the first is over", func() bool {
		p.opens(t, wrapped, "key")
		return lookup(p, first) == nil
	})
}

// TestTokenOfAFileIsRenewed: also without the server's default policy.
func TestTokenOfAFileIsRenewed(t *testing.T) {
	t.Parallel() // it waits most of its time
	p := newPair(t)
	made, err := p.Root().Logical().Write("auth/token/create", map[string]any{
		"policies": []string{"counterfoil-serving"}, "ttl": "2s", "no_default_policy": true,
	})
	if err != nil {
		t.Fatal(err)
	}
	p.w = openWrapper(t, transit.Config{Address: p.Address, Login: transit.Login{TokenFile: written(t, made.Auth.ClientToken)}})
	born := lookup(p, made.Auth.Accessor)
	waitFor(t, "the token is renewed", func() bool {
		now := lookup(p, made.Auth.Accessor)
		return born != nil && now != nil && now.Data["expire_time"] != born.Data["expire_time"]
	})
	p.opens(t, p.wrap(t, "key"), "key")
}

// TestFileThatIsHalfWritten: what it holds displaces no token that may be good
// still, and what stands in it in the end is taken.
func TestFileThatIsHalfWritten(t *testing.T) {
	var refuse atomic.Bool // whatever the token, as a server does in a bad moment
	c := stub(t, func(w http.ResponseWriter, r *http.Request) {
		whole := strings.HasPrefix(r.Header.Get("X-Vault-Token"), "whole-")
		switch {
		case !whole || refuse.Load():
			w.WriteHeader(http.StatusForbidden)
		case strings.HasSuffix(r.URL.Path, "lookup-self"):
			_, _ = io.WriteString(w, `{"data":{"ttl":3600}}`)
		default:
			_, _ = io.WriteString(w, `{"data":{"batch_results":[{"ciphertext":"vault:v1:AAAA"}]}}`)
		}
	})
	file := written(t, "whole-1")
	c.Login = transit.Login{TokenFile: file}
	w := openWrapper(t, c)
	wrap := func() error {
		_, err := w.Wrap(t.Context(), "acme", [][]byte{[]byte("key")})
		return err
	}
	if err := os.WriteFile(file, []byte("who"), 0o600); err != nil {
		t.Fatal(err)
	}
	refuse.Store(true)
	if err := wrap(); !errors.Is(err, envelope.ErrUnavailable) {
		t.Fatalf("refused, and the file is half written: %v", err)
	}
	refuse.Store(false)
	if err := wrap(); err != nil {
		t.Errorf("the token that is good was displaced: %v", err)
	}
	if err := os.WriteFile(file, []byte("whole-2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := wrap(); err != nil {
		t.Errorf("the file is whole: %v", err)
	}
}
