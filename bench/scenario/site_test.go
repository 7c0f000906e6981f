package scenario

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/counterfoil/counterfoil/bench/system"
)

// shared is one site for all tests of the package: it takes some seconds to open.
var shared = sync.OnceValues(func() (*system.Site, error) {
	return system.Open(context.Background(), system.Options{Tenants: 8})
})

// opened says that there is a site to close.
var opened bool

func siteOf(t *testing.T) *system.Site {
	t.Helper()
	opened = true
	site, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func TestMain(m *testing.M) {
	code := m.Run()
	if opened {
		site, err := shared()
		if err == nil {
			err = site.Close()
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
