package authn_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// wantReady says whether a verifier must be ready now.
func wantReady(t *testing.T, v *authn.Verifier, ready bool, when string) {
	t.Helper()
	err := v.Ready()
	if (err == nil) != ready {
		t.Errorf("%s: %v, want ready=%v", when, err, ready)
	}
	var known *vault.Error
	if err != nil && (!errors.Is(err, authn.ErrKeysUnavailable) || !errors.As(err, &known) ||
		known.Code != vault.CodeUnavailable || known.Detail != "issuer keys" || known.RetryAfter == 0) {
		t.Errorf("%s: %v, want ErrKeysUnavailable", when, err)
	}
}

// A service waits at its start for the keys of its issuer, and keeps them in an
// outage for as long as they count.
func TestReadyOnceTheIssuerHasAnswered(t *testing.T) {
	key := newSigner("k1")
	bubble(t, "down", func(t *testing.T, v *authn.Verifier, n *network) {
		wantReady(t, v, false, "down from the start")
		n.set(jwkSet(key.public()))
		time.Sleep(authn.RetryEvery)
		synctest.Wait()
		wantReady(t, v, true, "up")
		n.set("down")
		up := time.Now()
		time.Sleep(authn.KeepKeysFor - time.Minute)
		wantReady(t, v, true, "down, the last known keys count")
		time.Sleep(2 * authn.RefreshEvery)
		wantReady(t, v, false, "down for too long, and there is no other issuer")
		if down := time.Since(up); down < authn.KeepKeysFor || down > authn.KeepKeysFor+2*authn.RefreshEvery {
			t.Errorf("not ready after %v", down)
		}
		n.set(jwkSet())
		time.Sleep(authn.RetryEvery)
		synctest.Wait()
		wantReady(t, v, true, "an issuer that says that it has no keys has answered")
	})
}

// One issuer of several that does not answer holds the start up, not the
// service for ever; and one that goes down later does not hold it up at all.
func TestReadyWithoutOneOfSeveralIssuers(t *testing.T) {
	for name, other := range map[string]authn.Issuer{
		"keys of the configuration": {Keys: []authn.Key{newSigner("c1").configured()}},
		"keys that are published":   {JWKS: &authn.JWKS{URL: "http://127.0.0.1/other"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := &network{answer: "down"}
			if other.JWKS != nil {
				n.others = map[string]string{other.JWKS.URL: jwkSet(newSigner("k1").public())}
			}
			v := twoIssuers(t, n, other)
			defer v.Close()
			synctest.Wait()
			wantReady(t, v, false, name+": at the start")
			time.Sleep(authn.StartWait - time.Second)
			wantReady(t, v, false, name+": still starting")
			time.Sleep(time.Second)
			wantReady(t, v, true, name+": waited long enough")
			n.set(jwkSet(newSigner("k1").public()))
			time.Sleep(authn.RetryEvery)
			synctest.Wait()
			wantReady(t, v, true, name+": up")
			n.set("down")
			time.Sleep(authn.KeepKeysFor + time.Hour)
			wantReady(t, v, true, name+": down for hours")
		})
	}
}

// Without the wait, a replica that knows no keys would take the place of one
// that does.
func TestReadyOnceTheIssuerHasAnsweredTwin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := twoIssuers(t, &network{answer: "down"}, authn.Issuer{Keys: []authn.Key{newSigner("c1").configured()}})
		defer v.Close()
		synctest.Wait()
		v.SkipStartWait()
		wantReady(t, v, true, "the guard taken out")
	})
}

// twoIssuers are issuerP behind the network, and another one.
func twoIssuers(t *testing.T, n *network, other authn.Issuer, opts ...authn.Option) *authn.Verifier {
	t.Helper()
	issuer := func(name string, from authn.Issuer) authn.Issuer {
		from.Issuer, from.Audience, from.Algorithms = name, "counterfoil", []string{"ES256"}
		from.TenantClaim, from.RolesClaim, from.Tenants = "tenant", "roles", []string{"acme"}
		return from
	}
	other.Namespace = "other"
	v, err := authn.New([]authn.Issuer{
		issuer(issuerP, authn.Issuer{JWKS: &authn.JWKS{URL: "https://p.example/jwks"}}), issuer(issuerA, other),
	}, append(opts, authn.WithTransport(n))...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The log says which issuer is missing and since when, each time that it was
// asked in vain, and how long it was when it is back.
func TestTheLogNamesTheIssuerThatIsMissing(t *testing.T) {
	var mu sync.Mutex
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return log.Write(p)
	}), nil))
	synctest.Test(t, func(t *testing.T) {
		n := &network{answer: "down"}
		v := twoIssuers(t, n, authn.Issuer{Keys: []authn.Key{newSigner("c1").configured()}}, authn.WithLogger(logger))
		defer v.Close()
		began := time.Now()
		time.Sleep(2*authn.RetryEvery + time.Second)
		n.set(jwkSet(newSigner("k1").public()))
		time.Sleep(authn.RetryEvery)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		lines := 0
		for decoder := json.NewDecoder(&log); decoder.More(); lines++ {
			var line struct {
				Msg, Issuer string
				Since       *time.Time
			}
			if err := decoder.Decode(&line); err != nil {
				t.Fatal(err)
			}
			if line.Msg == "the keys of an issuer changed" {
				continue
			}
			if line.Issuer != issuerP || line.Since == nil || !line.Since.Equal(began) {
				t.Errorf("%+v, want the issuer since %v", line, began)
			}
		}
		if lines != 5 { // three in vain, the change, back again
			t.Errorf("%d lines", lines)
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
