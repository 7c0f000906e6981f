package webhook_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/webhook"
)

// A name whose host is in the list may resolve to anything: what counts is the
// address, when the connection is made. localhost stands for all such names.
func TestAddressesAreJudgedWhenConnecting(t *testing.T) {
	r := receive(t)
	outside := func(c *webhook.Config) { c.Endpoints[0].Internal = false }
	f := failureOf(t, r.sender(t, outside).Deliver(t.Context(), notice("n1")))
	if f.GiveUp || f.Refusals[0].Reason != webhook.ReasonAddress || len(r.all()) != 0 {
		t.Errorf("%+v, %d deliveries", f, len(r.all()))
	}
	literal := func(c *webhook.Config) {
		c.Endpoints[0].URL, c.AllowHosts[0] = r.URL, strings.TrimPrefix(r.URL, "https://")
	}
	if f := failureOf(t, r.sender(t, outside, literal).Deliver(t.Context(), notice("n1"))); f.Refusals[0].Reason != webhook.ReasonAddress {
		t.Errorf("an address for a name: %+v", f)
	}
	if err := r.sender(t, literal).Deliver(t.Context(), notice("n1")); err != nil {
		t.Errorf("said to be internal: %v", err)
	}
}

func TestAddressesAreJudgedWhenConnectingTwin(t *testing.T) {
	r := receive(t)
	s := r.sender(t, func(c *webhook.Config) { c.Endpoints[0].Internal = false })
	s.GoAnywhere()
	if err := s.Deliver(t.Context(), notice("n1")); err != nil || len(r.all()) != 1 {
		t.Errorf("without the guard: %v, %d deliveries", err, len(r.all()))
	}
}

func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		addresses        string
		public, internal bool
	}{
		{"1.1.1.1 8.8.8.8 93.184.216.34 172.32.0.1 100.128.0.1 2606:4700::1111 2a00:1450::1 ::ffff:8.8.8.8", true, true},
		{"10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 127.0.0.1 127.9.9.9 ::1 fd12:3456::1 ::ffff:10.0.0.1 ::ffff:127.0.0.1", false, true},
		{"169.254.169.254 169.254.0.1 fe80::1 ::ffff:169.254.169.254 fd00:ec2::254 100.100.100.200 fe80::1%eth0", false, false},
		{"0.0.0.0 0.1.2.3 :: 224.0.0.1 239.255.255.250 255.255.255.255 240.0.0.1 ff02::1 192.0.0.192 198.18.0.1 192.0.2.1 203.0.113.9", false, false},
		{"64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:7f00:1::1 2001::1 2001:db8::1 ::7f00:1 fec0::1 100::1 3fff::1 4000::1", false, false},
	} {
		for _, text := range strings.Fields(tt.addresses) {
			addr := netip.MustParseAddr(text)
			if got := webhook.Allows(false, addr); got != tt.public {
				t.Errorf("%s for a public endpoint: %v", text, got)
			}
			if got := webhook.Allows(true, addr); got != tt.internal {
				t.Errorf("%s for an internal endpoint: %v", text, got)
			}
		}
	}
	if webhook.Allows(true, netip.Addr{}) {
		t.Error("no address is allowed")
	}
}

// A redirect is an answer that is not 2xx, wherever it leads.
func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, code := range []int{301, 302, 303, 307, 308} {
		r, other := receive(t), receive(t)
		r.status(code, "Location", other.URL)
		f := failureOf(t, r.sender(t).Deliver(t.Context(), notice("n1")))
		if f.GiveUp || f.Refusals[0].Status != code || len(r.all()) != 1 || len(other.all()) != 0 {
			t.Errorf("%d: %+v, %d deliveries elsewhere", code, f, len(other.all()))
		}
	}
}

func TestRedirectsAreNotFollowedTwin(t *testing.T) {
	r, other := receive(t), receive(t)
	r.status(http.StatusTemporaryRedirect, "Location", other.URL)
	s := r.sender(t, func(c *webhook.Config) { c.Roots.AddCert(other.Certificate()) })
	s.FollowRedirects()
	if err := s.Deliver(t.Context(), notice("n1")); err != nil || len(other.all()) != 1 {
		t.Errorf("without the guard: %v, %d deliveries elsewhere", err, len(other.all()))
	}
}

// http is for the machine itself, in the development mode, and stays there even
// where a name says otherwise.
func TestPlainHTTPStaysOnTheMachine(t *testing.T) {
	for url, ok := range map[string]bool{
		"http://127.0.0.1:80/x": true, "http://[::1]:9": true, "http://localhost": true, "http://10.0.0.1": false, "http://example.com": false,
		"http://localhost.example.com": false, "http://127.0.0.1.example.com": false,
	} {
		host := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/x")
		for _, development := range []bool{true, false} {
			c := webhook.Config{Endpoints: []webhook.Endpoint{{
				Name: "pager", URL: url, Secrets: [][]byte{secretA}, Tenants: []string{"acme"},
			}}, AllowHosts: []string{host}, Development: development}
			if _, err := webhook.New(c); (err == nil) != (ok && development) {
				t.Errorf("%s, development %v: %v", url, development, err)
			}
		}
	}
}
