package assembly

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/evidence/controls"
	"github.com/counterfoil/counterfoil/internal/export"
	"github.com/counterfoil/counterfoil/internal/lifecycle"
	"github.com/counterfoil/counterfoil/internal/metrics"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/webhook"
)

// LogPrefix begins the origin of every log of an embedded service.
const LogPrefix = "counterfoil.local/log"

// devFinality are the times of the development mode: the defaults of a service,
// and nobody makes copies of its key file.
var devFinality = vault.FinalityTimes{Epoch: config.DefaultKeyEpoch, BackupHorizon: config.DefaultBackupHorizon}

// Options name a service, and are what tests replace. The zero value is the
// development mode.
type Options struct {
	Clock  func() time.Time // default: the machine's
	Logger *slog.Logger     // default: none
	Policy fs.FS            // default: the shipped one
	// PolicySource reads the configured bundle, at the start and when it is to be
	// read again; it comes instead of Policy. See vault.Config for the others.
	PolicySource        func(context.Context) (*access.Bundle, error)
	PolicyKey           string
	PolicyAdministrator string
	// Sender delivers notices; nil where nobody is told of what happens.
	Sender      *webhook.Sender
	Environment string // default: "development"
	Replica     string // default: "embedded"
	LogPrefix   string // default: LogPrefix
	// Finality says when what was erased opens nowhere; default: devFinality.
	Finality vault.FinalityTimes
	// Version is that of the program.
	Version string // default: "unknown"
	// Export is where the logs go; nil exports nothing. Formats are written beside.
	Export  export.Sink
	Formats export.Formats
	// Tiles is a folder in which the logs are kept as tiles; empty keeps none.
	Tiles    string
	Detector *detect.Detector // default: every entity that is not opt-in
	// Detection says how the texts of a tenant are searched; nil is with Detector, or
	// where there is none either, as Detect has it.
	Detection func(tenant string) vault.Detection
	Detect    *config.Detection // nil is the default set
	// storeClock is nil unless Clock was given: a store with a clock of its own
	// goes by that.
	storeClock func() time.Time
	// recovering opens data that are behind their anchors.
	recovering bool
	// Store stands between the service and its store, to make it fail.
	Store func(vault.Store) vault.Store
}

// Instance is an open service.
type Instance struct {
	Service  *vault.Service
	Verifier *authn.Verifier
	Issuer   *authn.DevIssuer // of the development mode only
	Worker   *lifecycle.Worker
	Store    *Store

	backends  Backends
	logPrefix string
	key       wrapper
	anchors   io.Closer
	journals  *lifecycle.Journals
	store     *lifecycle.Journaled
	bundles   *bundles
	export    *exporting // nil where nothing is exported
	tiles     string     // the folder of tiles, empty where there is none
	clock     func() time.Time
	epoch     time.Duration
	detection *detection // nil where the options brought a detector
	// deliveries counts notices; nil where nobody is told.
	deliveries *metrics.Deliveries
	// helpers run between replicas until the instance is released.
	helpers sync.WaitGroup
	dismiss context.CancelFunc
}

// Open opens the folder of the development mode, and makes what is missing in
// an empty one. A store that is behind its anchors is refused.
func Open(ctx context.Context, dir string, opts Options) (*Instance, error) {
	layout := config.Layout{Dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("assembly: %w", err)
	}
	// A key is made only where there is neither key nor database.
	if err := CreateKey(layout.Files()); err != nil && !errors.Is(err, ErrKeyExists) && !errors.Is(err, ErrNoKey) {
		return nil, err
	}
	opts = opts.withDefaults()
	if opts.PolicyAdministrator == "" {
		opts.PolicyAdministrator = authn.DevTenants()[0]
	}
	in, err := open(ctx, Backends{Files: layout.Files()}, opts)
	if err == nil {
		err = in.provision(ctx, authn.DevTenants())
	}
	if err == nil {
		err = in.openIssuer(layout, opts)
	}
	return in.start(ctx, err)
}

// OpenService opens a configured service, and makes its database and the
// system's own log at the first start. It fails with ErrNoKey where there is no
// key file, and refuses a store that is behind its anchors.
func OpenService(ctx context.Context, b Backends, issuers []authn.Issuer, opts Options) (*Instance, error) {
	opts = opts.withDefaults()
	in, err := open(ctx, b, opts)
	if err == nil {
		err = in.provision(ctx, nil)
	}
	if err == nil {
		in.Verifier, err = authn.New(issuers, authn.WithClock(opts.Clock), authn.WithLogger(opts.Logger))
	}
	return in.start(ctx, err)
}

// open opens the parts that every use of a service needs. The instance is to
// be released whether or not there is an error.
func open(ctx context.Context, b Backends, opts Options) (_ *Instance, err error) {
	in := &Instance{backends: b, logPrefix: opts.LogPrefix, tiles: opts.Tiles, clock: opts.Clock, epoch: opts.Finality.Epoch}
	if in.key, err = openKey(ctx, b); err != nil {
		return in, err
	}
	anchors, closer, err := openAnchors(ctx, b)
	in.anchors = closer
	if err != nil {
		return in, err
	}
	known, err := anchors.Read()
	if err != nil {
		return in, err
	}
	if len(known) > 0 && b.Postgres == nil && !exists(b.Database) {
		return in, fmt.Errorf("assembly: refusing to serve: there are anchors in %s, but no database", b.Anchors)
	}
	if in.Store, err = openStore(ctx, b, opts); err != nil {
		return in, err
	}
	in.journals = lifecycle.NewJournals(anchors, in.Store)
	in.store = &lifecycle.Journaled{Store: in.Store, Journals: in.journals}
	in.bundles = &bundles{dir: b.Evidence}
	if in.Service, err = newService(ctx, in, opts); err != nil {
		return in, err
	}
	in.bundles.service = in.Service
	in.Worker = lifecycle.NewWorker(in.Service, in.journals, opts.Logger)
	if opts.Sender != nil {
		in.deliveries = &metrics.Deliveries{}
		in.Worker.SendWith(in.deliveries.Counted(deliverWith(opts.Sender, opts.Clock), opts.Clock))
	}
	in.store.Erased = in.Worker.Wake
	in.chores(opts)
	for _, anchor := range known {
		if opts.recovering {
			break // which judges them itself
		}
		if err := in.checkAnchor(ctx, anchor); err != nil {
			return in, fmt.Errorf("assembly: refusing to serve: the anchor of %s: %w", anchor.Tenant, err)
		}
	}
	return in, nil
}

// ErrOlder says that the data are an older copy, which Recover takes up.
var ErrOlder = lifecycle.ErrOlder

// checkAnchor holds the store against what is kept outside it.
func (in *Instance) checkAnchor(ctx context.Context, anchor audit.Anchor) error {
	head, err := in.Store.Head(ctx, anchor.Tenant)
	if err != nil && !errors.Is(err, vault.ErrUnknownTenant) {
		return err
	}
	if head.Frontier.Size < anchor.Size {
		return fmt.Errorf("%w: %w", ErrOlder, in.Service.CheckAnchor(ctx, anchor))
	}
	if err := in.Service.CheckAnchor(ctx, anchor); err != nil {
		return err
	}
	return in.journals.Check(ctx, anchor)
}

// start records the start of what was opened, unless something failed.
func (in *Instance) start(ctx context.Context, err error) (*Instance, error) {
	if err == nil {
		err = in.Service.SyncPolicies(ctx)
	}
	if err == nil {
		err = in.Service.RecordStart(ctx)
	}
	if err == nil {
		err = in.Worker.Publish(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, in.release())
	}
	in.help()
	return in, nil
}

// help starts what replicas of one database do for each other: they tell which
// keys are gone, and sweep one at a time. None of it guards anything.
func (in *Instance) help() {
	dsn := in.backends.DirectDSN
	if in.backends.Postgres == nil || dsn == "" {
		return
	}
	ctx, dismiss := context.WithCancel(context.Background())
	in.dismiss = dismiss
	in.helpers.Go(func() { postgres.Listen(ctx, dsn, in.Service.ForgetKeys) })
	in.Worker.TakeTurns(func(ctx context.Context, of string) (func(), bool, error) { return postgres.TryLease(ctx, dsn, of) })
}

func (o Options) withDefaults() Options {
	o.storeClock = o.Clock
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
	if o.Replica == "" {
		o.Replica = "embedded"
	}
	if o.LogPrefix == "" {
		o.LogPrefix = LogPrefix
	}
	if o.Version == "" {
		o.Version = "unknown"
	}
	if o.Finality == (vault.FinalityTimes{}) {
		o.Finality = devFinality
	}
	return o
}

func newService(ctx context.Context, in *Instance, opts Options) (*vault.Service, error) {
	policy, err := loadPolicy(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("assembly: policy: %w", err)
	}
	if opts.Detector == nil {
		if in.detection, err = newDetection(opts.Detect, policy); err != nil {
			return nil, err
		}
		opts.Detector = in.detection.all.Detector
		if opts.Detection == nil {
			opts.Detection = in.detection.of
		}
	}
	var store vault.Store = in.store
	if opts.Store != nil {
		store = opts.Store(store)
	}
	catalogue, err := controls.Load(authz.Controls)
	if err != nil {
		return nil, fmt.Errorf("assembly: %w", err)
	}
	return vault.New(vault.Config{
		Version: opts.Version, Controls: catalogue, Bundles: in.bundles.open,
		Store: store, Ledger: in.Store, Books: in.Store, Registry: in.Store, Custody: in.Store,
		Erasures: in.Store, Requests: in.Store, Remains: in.Store, Proceedings: in.Store, Outbox: in.Store, Grants: in.Store,
		Finality: opts.Finality, Wrapper: in.key, Notify: opts.Sender != nil,
		Policy: policy, PolicySource: opts.PolicySource, PolicyFiles: opts.Policy, PolicyKey: opts.PolicyKey, PolicyAdministrator: opts.PolicyAdministrator,
		Detector: opts.Detector, Detection: opts.Detection, LogPrefix: opts.LogPrefix,
		Environment: opts.Environment, Replica: opts.Replica, Clock: opts.Clock, Limits: limits(),
	})
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
	if in.dismiss != nil {
		in.dismiss()
		in.helpers.Wait()
	}
	if in.Verifier != nil {
		in.Verifier.Close()
	}
	if in.Service != nil {
		in.Service.Close()
	}
	if in.detection != nil {
		in.detection.close()
	}
	var failed error
	if in.Store != nil {
		failed = in.Store.Close()
	}
	if in.anchors != nil {
		failed = errors.Join(failed, in.anchors.Close())
	}
	if in.key != nil {
		failed = errors.Join(failed, in.key.Close())
	}
	return failed
}
