package webhook_test

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/webhook"
)

// Each change of a good configuration and the faults that must be told.
func TestCheckTellsEveryFault(t *testing.T) {
	at := func(address string) func(*webhook.Config) {
		return func(c *webhook.Config) { c.Endpoints[0].URL = address }
	}
	both := func(address, host string) func(*webhook.Config) {
		return func(c *webhook.Config) { c.Endpoints[0].URL, c.AllowHosts = address, []string{host} }
	}
	e := func(change func(*webhook.Endpoint)) func(*webhook.Config) {
		return func(c *webhook.Config) { change(&c.Endpoints[0]) }
	}
	const url0 = "endpoints[0].url"
	for name, tt := range map[string]struct {
		change func(*webhook.Config)
		faults string
	}{
		"nothing":               {func(*webhook.Config) {}, ""},
		"nobody":                {func(c *webhook.Config) { c.Endpoints = nil }, ""},
		"an address":            {both("https://[2606:4700::1111]:8443/x", "[2606:4700::1111]:8443"), ""},
		"without a port":        {both("https://hooks.example.com", "hooks.example.com"), ""},
		"a longest timeout":     {func(c *webhook.Config) { c.Timeout = 30 * time.Second }, ""},
		"a timeout too long":    {func(c *webhook.Config) { c.Timeout = 31 * time.Second }, "timeout"},
		"a timeout below":       {func(c *webhook.Config) { c.Timeout = -1 }, "timeout"},
		"not in the list":       {at("https://other.example.com"), url0},
		"a host below it":       {both("https://x.example.com", "example.com"), url0},
		"a host above it":       {both("https://example.com", "x.example.com"), url0},
		"another port":          {both("https://example.com:444", "example.com"), url0},
		"the port said":         {both("https://example.com:443", "example.com"), url0},
		"a wildcard":            {both("https://x.example.com", "*.example.com"), "allow_hosts[0]\n" + url0},
		"any":                   {both("https://x.example.com", "*"), "allow_hosts[0]\n" + url0},
		"an empty host":         {both("https://x.example.com", ""), "allow_hosts[0]\n" + url0},
		"upper case":            {both("https://Example.com", "Example.com"), "allow_hosts[0]\n" + url0},
		"a dot at the end":      {both("https://example.com.", "example.com."), "allow_hosts[0]\n" + url0},
		"no ASCII":              {both("https://exämple.com", "exämple.com"), "allow_hosts[0]\n" + url0},
		"port 0":                {both("https://example.com:0", "example.com:0"), "allow_hosts[0]\n" + url0},
		"a port with a zero":    {both("https://example.com:0443", "example.com:0443"), "allow_hosts[0]\n" + url0},
		"an empty port":         {both("https://example.com:", "example.com:"), "allow_hosts[0]\n" + url0},
		"a long way to say ::1": {both("https://[0:0:0:0:0:0:0:1]", "[0:0:0:0:0:0:0:1]"), "allow_hosts[0]\n" + url0},
		"a zone":                {both("https://[fe80::1%25eth0]", "[fe80::1%eth0]"), "allow_hosts[0]\n" + url0},
		"a user":                {both("https://canary:canary@example.com", "example.com"), url0},
		"a fragment":            {both("https://example.com#canary", "example.com"), url0},
		"no host":               {at("https:///canary"), url0},
		"no URL":                {at("%zz canary"), url0},
		"no address":            {at(""), url0},
		"another protocol":      {both("ftp://example.com", "example.com"), url0},
		"plain HTTP":            {both("http://example.com", "example.com"), url0},
		"no name":               {e(func(e *webhook.Endpoint) { e.Name = "" }), "endpoints[0].name"},
		"a name with a blank":   {e(func(e *webhook.Endpoint) { e.Name = "the pager" }), "endpoints[0].name"},
		"a name twice":          {func(c *webhook.Config) { c.Endpoints = append(c.Endpoints, c.Endpoints[0]) }, "endpoints[1].name"},
		"no secret":             {e(func(e *webhook.Endpoint) { e.Secrets = nil }), "endpoints[0].secrets"},
		"four secrets":          {e(func(e *webhook.Endpoint) { e.Secrets = [][]byte{secretA, secretA, secretA, secretA} }), "endpoints[0].secrets"},
		"a short secret":        {e(func(e *webhook.Endpoint) { e.Secrets[0] = secretA[:23] }), "endpoints[0].secrets"},
		"a long secret":         {e(func(e *webhook.Endpoint) { e.Secrets[0] = bytes.Repeat([]byte("c"), 65) }), "endpoints[0].secrets"},
		"no tenant":             {e(func(e *webhook.Endpoint) { e.Tenants = nil }), "endpoints[0].tenants"},
		"every tenant":          {e(func(e *webhook.Endpoint) { e.Tenants = []string{"acme", "*"} }), "endpoints[0].tenants[1]"},
		"a kind in capitals":    {e(func(e *webhook.Endpoint) { e.Kinds = []string{"Erase"} }), "endpoints[0].kinds[0]"},
		"too many": {func(c *webhook.Config) {
			for n := range webhook.MaxEndpoints {
				more := c.Endpoints[0]
				more.Name = "n" + strings.Repeat("x", n+1)
				c.Endpoints = append(c.Endpoints, more)
			}
		}, "endpoints"},
	} {
		c := webhook.Config{Endpoints: []webhook.Endpoint{{
			Name: "pager", URL: "https://hooks.example.com:8443/x", Secrets: [][]byte{secretA}, Tenants: []string{"acme"},
		}}, AllowHosts: []string{"hooks.example.com:8443"}}
		tt.change(&c)
		var got []string
		for _, fault := range webhook.Check(c) {
			got = append(got, fault.Field)
			if fault.Rule == "" || strings.Contains(fault.Error(), "canary") || !errors.Is(fault, webhook.ErrConfig) {
				t.Errorf("%s: %v", name, fault)
			}
		}
		if strings.Join(got, "\n") != tt.faults {
			t.Errorf("%s: faults %q, want %q", name, got, tt.faults)
		}
		if _, err := webhook.New(c); (err == nil) != (tt.faults == "") || (err != nil && !errors.Is(err, webhook.ErrConfig)) {
			t.Errorf("%s: New: %v", name, err)
		}
	}
}

// It is the list that refuses a host: with the host in it, the same endpoint is
// accepted.
func TestAllowListTwin(t *testing.T) {
	c := webhook.Config{Endpoints: []webhook.Endpoint{{
		Name: "pager", URL: "https://other.example.com", Secrets: [][]byte{secretA}, Tenants: []string{"acme"},
	}}, AllowHosts: []string{"hooks.example.com"}}
	if _, err := webhook.New(c); !errors.Is(err, webhook.ErrConfig) {
		t.Errorf("not in the list: %v", err)
	}
	c.AllowHosts = append(c.AllowHosts, "other.example.com")
	if _, err := webhook.New(c); err != nil {
		t.Errorf("in the list: %v", err)
	}
}

// FuzzHost: a host that is accepted is what an address with it says, so that two
// equal texts are one host and two different ones are two.
func FuzzHost(f *testing.F) {
	seeds := []string{"example.com", "example.com:8443", "[::1]", "[::1]:80", "127.0.0.1", "a@b", "a/b", "a?b", "a#b", "[", "[]", "a:b", "-a", "a..b", "[0]:1", "[a]"}
	if len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if !webhook.IsHost(host) {
			return
		}
		u, err := url.Parse("https://" + host + "/x?y")
		if err != nil || u.Host != host || u.Hostname() == "" || u.Path != "/x" || u.User != nil {
			t.Fatalf("%q is accepted, and read as %+v (%v)", host, u, err)
		}
	})
}
