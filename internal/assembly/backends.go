package assembly

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/lifecycle"
	"github.com/counterfoil/counterfoil/internal/storage/entryrow"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/transit"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Backends says where the parts of a service are.
type Backends struct {
	config.Files
	// Postgres is the store in place of the SQLite file.
	Postgres *postgres.Config
	// AuditDSN is the connection by which verify reads it, DirectDSN one past
	// any pooler, for what helps replicas; without it they do without.
	AuditDSN, DirectDSN string
	// Transit is the key service in place of the key file, as the serving
	// identity; Administration is the other one, for commands only.
	Transit, Administration *transit.Config
	// AnchorsAt is where the key service keeps the anchors, in place of the
	// folder.
	AnchorsAt *transit.Place
}

// BackendsOf reads what a configuration names: the files that hold connection
// strings, too.
func BackendsOf(cfg *config.Serve) (Backends, error) {
	b := Backends{Files: cfg.Files()}
	if t := cfg.Keys.Transit; t != nil {
		b.Transit, b.Administration = transitConfig(t, t.Serving), transitConfig(t, t.Administration)
		if at := t.Anchors; at != nil {
			b.AnchorsAt = &transit.Place{Mount: at.Mount, Folder: at.Folder}
		}
	}
	p := cfg.Store.Postgres
	if p == nil {
		return b, nil
	}
	b.Postgres = &postgres.Config{Pooled: p.Pooled, AppConns: p.MaxConns, DestroyConns: p.MaxConns}
	for _, secret := range []struct {
		setting, file string
		into          *string
	}{
		{"app_dsn_file", p.App, &b.Postgres.AppDSN},
		{"destroy_dsn_file", p.Destroy, &b.Postgres.DestroyDSN},
		{"audit_dsn_file", p.Audit, &b.AuditDSN},
		{"direct_dsn_file", p.Direct, &b.DirectDSN},
	} {
		if secret.file == "" {
			continue // what is required is refused by the configuration
		}
		var err error
		if *secret.into, err = config.ReadSecret(secret.file); err != nil {
			return Backends{}, fmt.Errorf("store.postgres.%s: %w", secret.setting, err)
		}
	}
	if b.DirectDSN == "" && !p.Pooled {
		b.DirectDSN = b.Postgres.AppDSN
	}
	return b, nil
}

func transitConfig(t *config.Transit, login *config.TransitLogin) *transit.Config {
	if login == nil {
		return nil
	}
	c := &transit.Config{
		Address: t.Address, CAFile: t.CA, Namespace: t.Namespace, Mount: t.Mount, KeyPrefix: t.KeyPrefix,
		Login: transit.Login{TokenFile: login.TokenFile},
	}
	if a := login.AppRole; a != nil {
		c.Login.AppRole = &transit.AppRole{Mount: a.Mount, RoleIDFile: a.RoleID, SecretIDFile: a.SecretID}
	}
	if k := login.Kubernetes; k != nil {
		c.Login.Kubernetes = &transit.Kubernetes{Mount: k.Mount, Role: k.Role, JWTFile: k.JWT}
	}
	return c
}

// Store is an open store in all its roles.
type Store struct {
	vault.Store
	vault.Ledger
	vault.Bookkeeping
	vault.Registry
	vault.Custody
	erasures
	requests
	vault.Remains
	proceedings
	vault.Outbox
	vault.Grants
	io.Closer
}

// These are embedded under names that are none of their methods.
type (
	erasures = vault.Erasures
	requests = vault.Requests

	proceedings = vault.Proceedings
)

// openStore opens the store of a service and refuses one that another process
// has for itself.
func openStore(ctx context.Context, b Backends, opts Options) (*Store, error) {
	if b.Postgres != nil {
		c := *b.Postgres
		c.Clock = opts.storeClock
		s, err := postgres.Open(ctx, c)
		if err != nil {
			return nil, err
		}
		return &Store{s, s, s, s, s, s, s, s, s, s, s, s}, nil
	}
	s, err := sqlite.Open(ctx, b.Database, sqlite.Options{Clock: opts.Clock})
	if errors.Is(err, sqlite.ErrLocked) {
		return nil, fmt.Errorf("%w: %w", ErrInUse, err)
	}
	if err != nil {
		return nil, fmt.Errorf("assembly: %w", err)
	}
	return &Store{s, s, s, s, s, s, s, s, s, s, s, s}, nil
}

// view is what verification reads, and never writes.
type view interface {
	Tenants(ctx context.Context) ([]vault.Tenant, error)
	TenantKeys(ctx context.Context, tenant string) ([]vault.TenantKey, error)
	Head(ctx context.Context, tenant string) (vault.Head, error)
	LastNote(ctx context.Context, tenant string, kind vault.NoteKind) (vault.Note, error)
	EntryRows(ctx context.Context, tenant string, from int64, limit int) ([]entryrow.Row, error)
	Node(ctx context.Context, tenant string, level int, n int64) (audit.Hash, error)
}

// ErrNoAudit says that nothing tells how to read the database.
var ErrNoAudit = errors.New("assembly: store.postgres.audit_dsn_file is needed to read the database")

// openView opens a store for reading, while a service has it or not.
func openView(ctx context.Context, b Backends) (view, io.Closer, error) {
	if b.Postgres == nil {
		v, err := sqlite.OpenReadOnly(ctx, b.Database)
		return v, v, err
	}
	if b.AuditDSN == "" {
		return nil, nil, ErrNoAudit
	}
	v, err := postgres.OpenReadOnly(ctx, b.AuditDSN)
	return v, v, err
}

// openAnchors opens the anchors, and what is to be closed with them.
func openAnchors(ctx context.Context, b Backends) (lifecycle.AnchorStore, io.Closer, error) {
	if b.AnchorsAt == nil {
		anchors, err := lifecycle.OpenAnchors(b.Anchors)
		return anchors, nothing{}, err
	}
	if b.Transit == nil {
		return nil, nothing{}, errors.New("assembly: anchors of a key service without its login")
	}
	anchors, err := transit.OpenAnchors(ctx, *b.Transit, *b.AnchorsAt)
	if err != nil {
		return nil, nothing{}, err
	}
	return anchors, anchors, nil
}

// nothing has nothing to close.
type nothing struct{}

func (nothing) Close() error { return nil }

// wrapper is a key wrapper that is closed with the service.
type wrapper interface {
	envelope.KeyWrapper
	io.Closer
}
