//go:build unix

package failuretest

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/transit"
)

// pair is two replicas of which one made a token, and has its key, and the
// other never saw it.
type pair struct {
	*place
	has, lacks *service
	known      note
}

func newPair(p *place) *pair {
	r := &pair{place: p, has: p.serve(), lacks: p.serve()}
	r.known = r.has.must("chat-1", "Ann")
	r.lacks.must("chat-2", "Bob") // has the keys of the tenant, and keys in advance
	return r
}

// keysMissing is what is asked of the replicas without their key service.
func (r *pair) keysMissing() {
	r.t.Helper()
	before := len(r.lacks.entries())
	ask := func() answer { return r.lacks.restored(r.known) }
	for range transit.BreakAfter {
		r.lacks.unavailable(ask(), "keys")
	}
	r.lacks.quickly("keys", ask)
	r.lacks.unavailable(r.lacks.ready(), "keys")
	// An intent that cannot be carried out is not in the log; the operational
	// log has an event for each refusal.
	if after := len(r.lacks.entries()); after != before {
		r.t.Errorf("%d entries of what was refused", after-before)
	}
	if n := r.lacks.log.refusals(r.t, "detokenize"); n < transit.BreakAfter {
		r.t.Errorf("%d events of refusals", n)
	}
	r.stillServed()
}

// stillServed is what goes on: keys that are open, and keys that were wrapped
// in advance.
func (r *pair) stillServed() {
	r.t.Helper()
	for range 3 {
		if a := r.has.restored(r.known); !a.ok() {
			r.t.Errorf("with an open key: %d %s", a.status, a.raw)
		}
	}
	r.has.must("chat-1", "Carol")
	served := 0
	for ; served <= envelope.PoolKeys; served++ {
		a := r.has.tokenize(fmt.Sprint("new-", served), "Dave")
		if !a.ok() {
			r.has.unavailable(a, "keys")
			break
		}
	}
	if served < envelope.PoolLowWater || served > envelope.PoolKeys {
		r.t.Errorf("%d new scopes were served by keys in advance", served)
	}
	for range transit.BreakAfter {
		r.has.unavailable(r.has.tokenize("none-left", "Eve"), "keys")
	}
	r.has.quickly("keys", func() answer { return r.has.tokenize("none-left", "Eve") })
	r.t.Logf("%d new scopes were served by keys that were wrapped in advance", served)
}

// cameBack is what is asked of the same processes afterwards.
func (r *pair) cameBack() {
	r.t.Helper()
	r.lacks.recovers(func() answer { return r.lacks.restored(r.known) })
	for _, s := range []*service{r.has, r.lacks} {
		s.recovers(func() answer { return s.restored(r.known) })
		s.recovers(func() answer { return s.tokenize("afterwards", "Frank") })
		s.recovers(s.ready)
	}
	r.lacks.holds()
}

// The key service is stopped, and started again. A key that is open stays so
// for its lifetime, and not beyond.
func TestKeysStopped(t *testing.T) {
	t.Parallel()
	p := newPlace(t, pgtest.New(t))
	var ahead atomic.Int64
	p.options.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	r := newPair(p)
	p.vault.Stop(t)
	r.keysMissing()
	ahead.Add(int64(envelope.MaxKeyAge))
	r.has.unavailable(r.has.restored(r.known), "keys")
	p.vault.Run(t)
	p.vault.Await(t)
	r.cameBack()
}

// The key service is sealed. Unsealing is a start anew, as the server of the
// tests does it.
func TestKeysSealed(t *testing.T) {
	t.Parallel()
	r := newPair(newPlace(t, pgtest.New(t)))
	r.vault.Seal(t)
	r.keysMissing()
	r.vault.Stop(t)
	r.vault.Run(t)
	r.vault.Await(t)
	r.cameBack()
}

// The key service answers after a minute.
func TestKeysSlow(t *testing.T) {
	t.Parallel()
	p := newPlace(t, pgtest.New(t))
	address, err := url.Parse(p.vault.Address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := proxied(t, address.Host)
	p.backends.Transit.Address = "http://" + proxy.Listen
	r := newPair(p)
	slow(t, proxy)
	r.keysMissing()
	swift(t, proxy)
	r.cameBack()
}

// Every token of the service is revoked, as when one expires: it logs in again
// within the request, and none is refused.
func TestKeysTokenRevoked(t *testing.T) {
	t.Parallel()
	r := newPair(newPlace(t, pgtest.New(t)))
	l := r.has.underLoad()
	for range 3 {
		revoke(t, r.place)
		fresh := r.serve() // has nothing cached
		if a := fresh.restored(r.known); !a.ok() {
			t.Errorf("%d %s", a.status, a.raw)
		}
		revoke(t, r.place)
		if a := r.lacks.restored(r.known); !a.ok() {
			t.Errorf("%d %s", a.status, a.raw)
		}
		other := r.has.must(fmt.Sprint("after-", l.served.Load()), "Gina")
		if a := fresh.restored(other); !a.ok() {
			t.Errorf("%d %s", a.status, a.raw)
		}
		l.await(l.served.Load() + 20)
	}
	l.end()
	if l.refused.Load() != 0 {
		t.Error("a revoked token was seen from outside")
	}
	r.cameBack()
}

// The identity itself is withdrawn, and its file gets another secret later: it
// is read anew, by the same process. Left to itself the key service would take
// no login of the role for a quarter of an hour after five that were wrong.
func TestKeysIdentityWithdrawn(t *testing.T) {
	t.Parallel()
	r := newPair(newPlace(t, pgtest.New(t)))
	_, err := r.vault.Root().Logical().Write("sys/auth/approle/tune", object{"user_lockout_config": object{"lockout_disable": true}})
	if err != nil {
		t.Fatal(err)
	}
	file := r.backends.Transit.Login.AppRole.SecretIDFile
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("11111111-2222-3333-4444-555555555555\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	revoke(t, r.place)
	r.keysMissing()
	if err := os.WriteFile(file, good, 0o600); err != nil {
		t.Fatal(err)
	}
	r.cameBack()
}

// revoke revokes every token that a service got.
func revoke(t *testing.T, p *place) {
	t.Helper()
	root := p.vault.Root()
	accessors, err := root.Logical().List("auth/token/accessors")
	if err != nil || accessors == nil {
		t.Fatal(err)
	}
	for _, one := range accessors.Data["keys"].([]any) {
		info, err := root.Auth().Token().LookupAccessor(one.(string))
		if err != nil || info == nil || !strings.HasPrefix(info.Data["path"].(string), "auth/approle") {
			continue
		}
		if err := root.Auth().Token().RevokeAccessor(one.(string)); err != nil {
			t.Fatal(err)
		}
	}
}

// The key of one tenant is deleted: nothing of that tenant is opened, nothing
// is said to be forged, no new key is made in its place, and other tenants go on.
// It is put back from a backup.
func TestKeysOfATenantMissing(t *testing.T) {
	t.Parallel()
	p := newPlace(t, pgtest.New(t))
	if err := assembly.CreateTenant(context.Background(), p.backends, "globex", p.options); err != nil {
		t.Fatal(err)
	}
	r := newPair(p)
	globex := *r.lacks
	globex.place = &place{t: t, book: &journal{}}
	globex.bearer = "globex"
	name := transit.KeyName("counterfoil-", "acme")
	vault := func(path string, data object) object {
		t.Helper()
		secret, err := p.vault.Root().Logical().Write("transit/"+path, data)
		if err != nil {
			t.Fatal(err)
		}
		if secret == nil {
			return nil
		}
		return secret.Data
	}
	vault("keys/"+name+"/config", object{"deletion_allowed": true, "exportable": true, "allow_plaintext_backup": true})
	backup, err := p.vault.Root().Logical().Read("transit/backup/" + name)
	if err != nil || backup == nil {
		t.Fatalf("no backup: %v", err)
	}
	if _, err := p.vault.Root().Logical().Delete("transit/keys/" + name); err != nil {
		t.Fatal(err)
	}
	before := len(r.lacks.entries())
	for range 2 * transit.BreakAfter {
		r.lacks.unavailable(r.lacks.restored(r.known), "keys")
	}
	r.lacks.quickly("keys", func() answer { return r.lacks.restored(r.known) })
	if after := len(r.lacks.entries()); after != before {
		t.Errorf("%d entries of what was refused", after-before)
	}
	for n := range 3 {
		other := globex.must(fmt.Sprint("chat-", n), "Hal") // the breaker stays closed
		if a := globex.restored(other); !a.ok() {
			t.Errorf("another tenant: %d %s", a.status, a.raw)
		}
	}
	r.stillServed()
	if secret, err := p.vault.Root().Logical().Read("transit/keys/" + name); err != nil || secret != nil {
		t.Errorf("the key came back: %v", err)
	}
	vault("restore/"+name, object{"backup": backup.Data["backup"]})
	r.cameBack()
}

// One wrapped key was altered in the database: what is under it is not given,
// and that is an entry; what else the request asks for is.
func TestKeysOneBadItem(t *testing.T) {
	t.Parallel()
	r := newPair(newPlace(t, pgtest.New(t)))
	const altered = 3
	var tokens []string
	for n := range 6 {
		a := r.has.send(http.MethodPost, "/v1/tokenize", object{"scope": "chat-3", "values": []object{
			{"entity": "PERSON", "value": fmt.Sprint("value ", n), "subject": fmt.Sprint("person-", n)},
		}})
		if !a.ok() {
			t.Fatalf("%d %s", a.status, a.raw)
		}
		tokens = append(tokens, a.body.Values[0])
	}
	id := tokens[altered][len(tokens[altered])-11 : len(tokens[altered])-3]
	do(t, r.db.Admin, `UPDATE data_keys AS k SET wrapped = set_byte(k.wrapped, octet_length(k.wrapped) - 1,
			get_byte(k.wrapped, octet_length(k.wrapped) - 1) # 1)
		FROM mappings AS m WHERE m.tenant = k.tenant AND m.key_id = k.key_id AND m.token_id = $1`, id)
	for range 2 * transit.BreakAfter { // it does not open the breaker
		fresh := r.serve()
		a := fresh.restore("chat-3", tokens...)
		if !a.ok() || len(a.body.Results) != len(tokens) {
			t.Fatalf("%d %s", a.status, a.raw)
		}
		for n, result := range a.body.Results {
			status, value := "restored", fmt.Sprint("value ", n)
			if n == altered {
				status, value = "integrity_failure", tokens[n]
			}
			if result.Status != status || a.body.Values[n] != value {
				t.Errorf("token %d: %s, want %s", n, result.Status, status)
			}
		}
	}
	failures := 0
	for _, e := range r.has.entries() {
		if e.Kind == "integrity_failure" {
			failures++
			if len(e.Tokens) != 1 || e.Tokens[0] != id {
				t.Errorf("an entry names %v", e.Tokens)
			}
		}
	}
	if failures != 2*transit.BreakAfter {
		t.Errorf("%d entries of what did not open", failures)
	}
	r.lacks.holds()
}
