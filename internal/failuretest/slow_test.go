//go:build unix

package failuretest

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
)

// proxied puts a proxy before an address.
func proxied(t *testing.T, address string) *toxiproxy.Proxy {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "proxy", "127.0.0.1:0", address)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	return proxy
}

// slow has every answer wait for a minute, which is longer than all timeouts.
func slow(t *testing.T, proxy *toxiproxy.Proxy) {
	t.Helper()
	const toxic = `{"name":"slow","type":"latency","stream":"downstream","attributes":{"latency":60000}}`
	if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		t.Fatal(err)
	}
}

func swift(t *testing.T, proxy *toxiproxy.Proxy) {
	t.Helper()
	if err := proxy.Toxics.RemoveToxic(context.Background(), "slow"); err != nil {
		t.Fatal(err)
	}
}

// through has the roles of the service reach the database by a proxy.
func through(db *pgtest.Database, proxy *toxiproxy.Proxy) *pgtest.Database {
	by := *db
	for _, dsn := range []*string{&by.App, &by.Destroy} {
		role, _, _ := strings.Cut(strings.TrimPrefix(*dsn, "postgres://"), "@")
		*dsn = "postgres://" + role + "@" + proxy.Listen + "/" + db.Name + "?sslmode=disable"
	}
	return &by
}

// PostgreSQL answers after a minute. No request waits for longer than its own
// time, and soon none waits at all; nothing is acknowledged meanwhile, and of
// what was on its way nothing stands twice.
func TestPostgresSlow(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	proxy := proxied(t, net.JoinHostPort("127.0.0.1", strconv.Itoa(server.Port())))
	s := newPlace(t, through(server.Database(t), proxy)).serve()
	known := s.must("chat-1", "Ann")
	l := s.underLoad()
	l.await(20)
	slow(t, proxy)
	s.until("the load is refused", func() bool { return l.refused.Load() >= workers })
	l.end()
	s.until("nobody waits any more", func() bool {
		a := s.restored(known)
		if a.status != 503 || a.body.Code != "unavailable" || a.retry == "" || a.took > patience+time.Second {
			t.Errorf("%d after %s, Retry-After %q: %s", a.status, a.took, a.retry, a.raw)
		}
		return a.took < soon
	})
	s.storeMissing(known)
	swift(t, proxy)
	s.recovers(func() answer { return s.restored(known) })
	s.recovers(func() answer { return s.tokenize("chat-2", "Dave") })
	s.recovers(s.ready)
	s.holds()
}
