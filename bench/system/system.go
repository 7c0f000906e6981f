package system

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/transit/transittest"
)

// The names of processes in samples and reports.
const (
	Counterfoil = "counterfoil"
	Floor       = "floor"
	Postgres    = "postgres"
	Transit     = "transit"
	Load        = "load" // this process
)

// Options are what differs between sites.
type Options struct {
	// Tenants is how many there are, named t0, t1 and so on; 1 unless given.
	Tenants int
	// Dir is where the site makes its folder; TMPDIR unless given.
	Dir string
	// Say tells whoever waits how far it is; nil tells nobody.
	Say func(format string, args ...any)
	// Settings are further lines of postgresql.conf; they win over the site's own.
	Settings []string
}

// settings are those of a server with some memory. What is durable when is not among
// them, but for synchronous_commit, which stands here so that nobody has to look.
var settings = []string{
	"synchronous_commit=on",
	"shared_buffers=1GB",
	// A checkpoint that the size of the WAL forces would hit one run and not the next.
	"max_wal_size=4GB",
}

// Site is all that runs.
type Site struct {
	host    *host
	dir     string
	say     func(string, ...any)
	tenants []string

	commit   string // of the product, as git describes it
	binary   string // the service
	floor    string
	policy   string // folder
	rules    int    // in it
	database *pgtest.Database
	vault    *transittest.Server
	auditLog string // file of the transit server
	// Process ids of the two servers, and the connection for samples.
	postmaster, transit int
	watch               *pgxpool.Pool
	issuer              *issuer
	serial              atomic.Int64 // of the services
	admin               string       // configuration of whoever prepares the site
}

// Open builds, starts and prepares everything but the services.
func Open(ctx context.Context, o Options) (*Site, error) {
	s := &Site{say: o.Say}
	if s.say == nil {
		s.say = func(string, ...any) {}
	}
	for n := range max(o.Tenants, 1) {
		s.tenants = append(s.tenants, fmt.Sprintf("t%d", n))
	}
	var err error
	if s.dir, err = folder(o.Dir); err != nil {
		return nil, err
	}
	s.host = newHost(ctx, s.dir)
	s.host.Cleanup(func() {
		if err := os.RemoveAll(s.dir); err != nil {
			s.host.Error(err)
		}
	})
	if err := s.open(ctx, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	// From here on the site lives until Close, whatever the context of Open was for.
	s.host.ctx = context.WithoutCancel(ctx)
	return s, nil
}

// open goes step by step. The servers come first: one that is not durable is found out
// before anything is built.
func (s *Site) open(ctx context.Context, o Options) error {
	began := time.Now()
	for _, step := range []struct {
		done string
		do   func() error
	}{
		{"PostgreSQL and the transit server run", func() error { return s.startBackends(ctx, o.Settings) }},
		{"built the service and the floor", func() error { return s.build(ctx) }},
		{"made the issuer and the policy", s.prepare},
		{"made keys and tenants", func() error { return s.found(ctx, s.admin) }},
	} {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step.do(); err != nil {
			return err
		}
		s.say("%s (%s)", step.done, time.Since(began).Round(100*time.Millisecond))
	}
	return nil
}

// Close stops everything and removes all that was made.
func (s *Site) Close() error { return s.host.close() }

// Tenants are the names of the tenants.
func (s *Site) Tenants() []string { return slices.Clone(s.tenants) }

// AdminDSN is a superuser's, on the database of the service.
func (s *Site) AdminDSN() string { return s.database.Admin }

// TransitURL is where the transit server listens.
func (s *Site) TransitURL() string { return s.vault.Address }

// TransitToken is the root token of the transit server.
func (s *Site) TransitToken() string { return s.vault.Root().Token() }

// path is that of a file of the site.
func (s *Site) path(names ...string) string {
	return filepath.Join(append([]string{s.dir}, names...)...)
}
