package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/lifecycle"
	"github.com/counterfoil/counterfoil/internal/localkey"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// LogPrefix begins the origin of every log of an embedded service.
const LogPrefix = "counterfoil.local/log"

// Options are what tests replace. The zero value is the development mode.
type Options struct {
	Clock       func() time.Time // default: the machine's
	Logger      *slog.Logger     // default: none
	Policy      fs.FS            // default: the shipped one
	Environment string           // default: "development"
	Detector    *detect.Detector // default: every entity that it knows
	// Store stands between the service and its store, to make it fail.
	Store func(vault.Store) vault.Store
}

// Instance is an open embedded service.
type Instance struct {
	Service  *vault.Service
	Verifier *authn.Verifier
	Issuer   *authn.DevIssuer
	Worker   *lifecycle.Worker
	Store    *sqlite.Store

	key *localkey.Key
}

// Open opens the folder, and makes what is missing in an empty one. A store
// that is behind its anchors is refused.
func Open(ctx context.Context, dir string, opts Options) (_ *Instance, err error) {
	opts = opts.withDefaults()
	layout := config.Layout{Dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	in := &Instance{}
	defer func() {
		if err != nil {
			err = errors.Join(err, in.release())
		}
	}()
	if in.key, err = openKey(layout); err != nil {
		return nil, err
	}
	if in.Store, err = sqlite.Open(ctx, layout.Database(), sqlite.Options{Clock: opts.Clock}); err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	if in.Service, err = newService(in, opts); err != nil {
		return nil, err
	}
	anchors, err := lifecycle.OpenAnchors(layout.Anchors())
	if err != nil {
		return nil, err
	}
	if err := checkAnchors(ctx, in.Service, anchors); err != nil {
		return nil, err
	}
	if err := in.provision(ctx, layout); err != nil {
		return nil, err
	}
	if err := in.openIssuer(layout, opts); err != nil {
		return nil, err
	}
	in.Worker = lifecycle.NewWorker(in.Service, anchors, opts.Logger)
	if err := in.Service.RecordStart(ctx); err != nil {
		return nil, err
	}
	return in, in.Worker.Publish(ctx)
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Policy == nil {
		o.Policy = authz.FS
	}
	if o.Environment == "" {
		o.Environment = "development"
	}
	return o
}

// openKey opens the key file. It is made only where there is no database yet:
// a new key beside an old database could open nothing.
func openKey(layout config.Layout) (*localkey.Key, error) {
	key, err := localkey.Open(layout.KeyFile())
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if _, err := os.Stat(layout.Database()); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("embedded: there is a database but no key file: its values cannot be opened, and a new key is not made beside it")
	}
	if err := localkey.Create(layout.KeyFile()); err != nil {
		return nil, err
	}
	return localkey.Open(layout.KeyFile())
}

func newService(in *Instance, opts Options) (*vault.Service, error) {
	policy, err := access.Load(opts.Policy)
	if err != nil {
		return nil, fmt.Errorf("embedded: policy: %w", err)
	}
	detector := opts.Detector
	if detector == nil {
		if detector, err = detect.New(detect.Options{}); err != nil {
			return nil, fmt.Errorf("embedded: detector: %w", err)
		}
	}
	var store vault.Store = in.Store
	if opts.Store != nil {
		store = opts.Store(store)
	}
	return vault.New(vault.Config{
		Store: store, Ledger: in.Store, Registry: in.Store, Wrapper: in.key,
		Policy: policy, Detector: detector, LogPrefix: LogPrefix,
		Environment: opts.Environment, Replica: "embedded", Clock: opts.Clock, Limits: limits(),
	})
}

func checkAnchors(ctx context.Context, service *vault.Service, anchors *lifecycle.Anchors) error {
	known, err := anchors.Read()
	if err != nil {
		return err
	}
	for _, anchor := range known {
		if err := service.CheckAnchor(ctx, anchor); err != nil {
			return fmt.Errorf("embedded: refusing to serve: %w", err)
		}
	}
	return nil
}

// provision makes the tenants that are missing and keeps the public keys of
// their logs outside the database. A key that changed is refused: it is what
// auditors were given.
func (in *Instance) provision(ctx context.Context, layout config.Layout) error {
	names, err := in.Service.Tenants(ctx)
	if err != nil {
		return err
	}
	standing := make(map[string]bool, len(names))
	for _, name := range names {
		standing[name] = true
	}
	if err := os.MkdirAll(layout.LogKeys(), 0o700); err != nil {
		return fmt.Errorf("embedded: %w", err)
	}
	for _, tenant := range append([]string{vault.SystemTenant}, authn.DevTenants()...) {
		if !standing[tenant] {
			if err := in.Service.CreateTenant(ctx, vault.Call{Channel: "process"}, tenant); err != nil {
				return err
			}
		}
		if err := in.keepLogKey(ctx, layout, tenant); err != nil {
			return err
		}
	}
	return nil
}

func (in *Instance) keepLogKey(ctx context.Context, layout config.Layout, tenant string) error {
	keys, err := in.Service.LogKeys(ctx, tenant)
	if err != nil {
		return err
	}
	if len(keys) == 0 {
		return fmt.Errorf("embedded: the log of %s has no key", tenant)
	}
	kept, err := os.ReadFile(layout.LogKey(tenant))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.WriteFile(layout.LogKey(tenant), []byte(keys[0].Key+"\n"), 0o600)
	case err != nil:
		return fmt.Errorf("embedded: %w", err)
	case string(kept) != keys[0].Key+"\n":
		return fmt.Errorf("embedded: refusing to serve: the log key of %s is not the one in %s", tenant, layout.LogKeys())
	}
	return nil
}

func (in *Instance) openIssuer(layout config.Layout, opts Options) (err error) {
	in.Issuer, err = authn.OpenDevIssuer(layout.Issuer(), authn.WithClock(opts.Clock))
	if errors.Is(err, fs.ErrNotExist) {
		in.Issuer, err = authn.CreateDevIssuer(layout.Issuer(), authn.WithClock(opts.Clock))
	}
	if err != nil {
		return err
	}
	in.Verifier, err = authn.New([]authn.Issuer{in.Issuer.Issuer()}, authn.WithClock(opts.Clock))
	return err
}

// Close records the stop, moves the anchors, and releases everything.
func (in *Instance) Close(ctx context.Context) error {
	stopped := in.Service.RecordStop(ctx)
	published := in.Worker.Publish(ctx)
	return errors.Join(stopped, published, in.release())
}

// release lets go of what is open, in reverse order.
func (in *Instance) release() error {
	if in.Service != nil {
		in.Service.Close()
	}
	var failed error
	if in.Store != nil {
		failed = in.Store.Close()
	}
	if in.key != nil {
		failed = errors.Join(failed, in.key.Close())
	}
	return failed
}
