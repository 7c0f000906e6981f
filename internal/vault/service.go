package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/evidence/controls"
	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
	"github.com/counterfoil/counterfoil/internal/token"
)

// Config is what a service is made of. Every field but those of the policy's
// changes is required; New refuses what is missing rather than fall back to
// something weaker.
type Config struct {
	Store    Store
	Ledger   Ledger
	Books    Bookkeeping
	Registry Registry
	Custody  Custody
	Erasures Erasures
	Requests Requests
	Remains  Remains

	Proceedings Proceedings
	Outbox      Outbox
	Grants      Grants

	Finality FinalityTimes
	Wrapper  envelope.KeyWrapper
	Policy   *access.Policy
	// PolicySource reads the configured bundle again, nil where it cannot change.
	// Where PolicyKey is set, a note verifier key, bundles must be signed under it.
	// Callers of PolicyAdministrator manage the policy of all tenants; empty: nobody.
	PolicySource        func(context.Context) (*access.Bundle, error)
	PolicyKey           string
	PolicyAdministrator string
	// PolicyFiles are the files of Policy where there is no source; for the evidence.
	PolicyFiles fs.FS
	// Notify says that somebody outside takes notices: without it none is queued.
	Notify bool
	// Bundles opens the bundle of evidence that was put together for a tenant; nil
	// where none are kept. An error that is fs.ErrNotExist says that it is not there.
	Bundles func(ctx context.Context, tenant, id string) (io.ReadCloser, error)

	Detector *detect.Detector
	// Detection says how the texts of a tenant are searched; nil searches those of all
	// tenants with Detector, which is the one for the texts of a policy.
	Detection func(tenant string) Detection
	// LogPrefix names the logs of this service: the origin of a tenant's log
	// is the prefix and the tenant's name.
	LogPrefix string
	// Environment and Replica name the process in every entry.
	Environment, Replica string
	// Version is that of the program, for what it puts its name to.
	Version string
	// Controls are tried at their intervals; the zero catalogue has none.
	Controls controls.Catalogue
	// Clock serves windows and cache lifetimes only. Expiry is always judged
	// by the store's clock.
	Clock func() time.Time
	// Limits are those of the parts that the service was given, for the list
	// that it serves.
	Limits []Limit
}

// Service is the domain's door: every operation authorises and records here.
// It is safe for concurrent use and holds no state but caches and counts.
type Service struct {
	store    Store
	ledger   Ledger
	books    Bookkeeping
	registry Registry
	custody  Custody
	erasures Erasures
	requests Requests
	remains  Remains
	finality FinalityTimes

	proceedings Proceedings
	outbox      Outbox
	grants      Grants

	wrapper   envelope.KeyWrapper
	policies  *policies
	pinned    *access.Policy // of a request on its way, see under
	at        time.Time      // when it began
	detector  *detect.Detector
	words     *token.Vocabulary
	tenants   *tenantKeys
	pool      *envelope.Pool
	keys      *envelope.Cache
	denials   *denials
	strays    *strays
	floors    *wrapFloors
	announced *announced
	spans     *spanCache
	uses      *usesKnown
	faults    faults
	clock     func() time.Time
	limits    []Limit

	controls             controls.Catalogue
	bundles              func(ctx context.Context, tenant, id string) (io.ReadCloser, error)
	notifies             bool
	environment, replica string
	version              string
}

// New checks the configuration and makes a service.
func New(cfg Config) (*Service, error) {
	switch {
	case cfg.Store == nil, cfg.Ledger == nil, cfg.Books == nil, cfg.Registry == nil:
		return nil, errors.New("vault: a store with its ledger, books and registry is required")
	case cfg.Custody == nil, cfg.Erasures == nil, cfg.Requests == nil, cfg.Remains == nil:
		return nil, errors.New("vault: a store with its custody, erasures, requests and remains is required")
	case cfg.Proceedings == nil, cfg.Outbox == nil, cfg.Grants == nil:
		return nil, errors.New("vault: a store with its proceedings, its outbox and its grants is required")
	case cfg.Wrapper == nil:
		return nil, errors.New("vault: a key wrapper is required")
	case cfg.Policy == nil, cfg.Detector == nil:
		return nil, errors.New("vault: a policy and a detector are required")
	case cfg.LogPrefix == "", cfg.Environment == "", cfg.Replica == "":
		return nil, errors.New("vault: log prefix, environment and replica are required")
	case cfg.Clock == nil:
		return nil, errors.New("vault: a clock is required")
	}
	labels := make([]string, 0, len(cfg.Policy.Entities()))
	for _, e := range cfg.Policy.Entities() {
		labels = append(labels, e.Name)
	}
	words, err := token.NewVocabulary(labels)
	if err != nil {
		return nil, fmt.Errorf("vault: vocabulary: %w", err)
	}
	s := &Service{
		store: cfg.Store, ledger: cfg.Ledger, books: cfg.Books, registry: cfg.Registry, custody: cfg.Custody,
		erasures: cfg.Erasures, requests: cfg.Requests, remains: cfg.Remains, finality: cfg.Finality, wrapper: cfg.Wrapper,
		proceedings: cfg.Proceedings, outbox: cfg.Outbox, grants: cfg.Grants,
		policies: newPolicies(cfg), detector: cfg.Detector, words: words, clock: cfg.Clock,
		environment: cfg.Environment, replica: cfg.Replica, version: cfg.Version, controls: cfg.Controls, notifies: cfg.Notify, bundles: cfg.Bundles,
		denials: newDenials(), strays: newStrays(), floors: newWrapFloors(), announced: newAnnounced(), uses: newUsesKnown(), limits: cfg.Limits,
	}
	if s.spans, err = newSpanCache(cfg.detection()); err != nil {
		return nil, fmt.Errorf("vault: span cache: %w", err)
	}
	s.tenants = newTenantKeys(cfg.Registry, cfg.Wrapper, cfg.LogPrefix, cfg.Clock)
	if s.keys, err = envelope.NewCache(envelope.CacheConfig{Now: cfg.Clock}); err != nil {
		return nil, fmt.Errorf("vault: key cache: %w", err)
	}
	if s.pool, err = envelope.NewPool(cfg.Wrapper, envelope.PoolConfig{Now: cfg.Clock}); err != nil {
		return nil, fmt.Errorf("vault: key pool: %w", err)
	}
	return s, nil
}

// Close stops background work and wipes keys from memory. It does not close
// the store, which the caller owns.
func (s *Service) Close() {
	s.pool.Close()
	s.keys.Wipe()
	s.spans.forget()
	s.tenants.wipe()
}

// Ready tells whether the service can serve: the store commits and the key
// service answers.
func (s *Service) Ready(ctx context.Context) error {
	if err := s.registry.Ready(ctx); err != nil {
		return (&Error{Code: CodeUnavailable, Detail: "store", RetryAfter: RetryAfter}).Because(err)
	}
	if _, err := s.wrapper.Version(ctx, SystemTenant); err != nil {
		return (&Error{Code: CodeUnavailable, Detail: "keys", RetryAfter: RetryAfter}).Because(err)
	}
	return nil
}

// begin opens the door for a caller: the tenant exists, the names of the credential
// can stand in an entry, and its roles may be one person's. Who cannot be recorded
// is not served.
func (s *Service) begin(ctx context.Context, call Call) (*keySet, error) {
	c := call.Caller
	for _, name := range []string{c.Subject, c.Client, c.Agent, c.Session} {
		if name != "" && !audit.IsIdentifier(name) {
			return nil, Errorf(CodeUnauthenticated, "the credential names somebody whom an entry cannot hold")
		}
	}
	if c.Subject == "" || c.Client == "" {
		return nil, Errorf(CodeUnauthenticated, "the credential names no subject or no client")
	}
	keys, err := s.tenants.get(ctx, c.Tenant)
	if err != nil {
		return nil, err
	}
	return keys, s.separate(ctx, call, keys)
}

// separate refuses a credential whose roles may not be one person's (separation of
// duties), whatever it is used for, with an entry.
func (s *Service) separate(ctx context.Context, call Call, keys *keySet) error {
	rule, ok := s.rules().Separate(call.Caller.Roles)
	if ok || s.faults.ignoreSeparation {
		return nil
	}
	entry := s.entry(call, audit.KindRequestRefused, keys)
	entry.RuleIDs, entry.Code = []string{rule}, "separation"
	return s.deny(ctx, call.Caller.Tenant, entry, Errorf(CodeDenied, "the credential has roles that may not be one person's"))
}

// entry begins an entry with everything that is known of the call.
func (s *Service) entry(call Call, kind audit.Kind, keys *keySet) audit.Entry {
	c := call.Caller
	e := audit.Entry{
		Kind: kind, Environment: s.environment, Channel: call.Channel,
		Client: audit.Client{ClientID: c.Client, JTIDigest: c.JTIDigest, CertFP: c.CertFingerprint},
		Actor:  c.Subject, EndUserAssurance: string(c.EndUserAssurance),
		Agent: c.Agent, Session: c.Session,
		PolicyVersion: s.rules().Version(), RequestID: call.RequestID, Replica: s.replica,
	}
	if c.EndUser != "" && keys != nil {
		e.OnBehalfOf = hexDigest(keys.index.EndUser(c.EndUser))
	}
	return e
}

// commit writes a change and translates what a store answers into what a
// caller may know. Conditions that a request can meet by planning again are
// passed through as they are.
func (s *Service) commit(ctx context.Context, tenant string, effect Effect, entry audit.Entry) (Committed, error) {
	return s.commitClaiming(ctx, tenant, effect, entry, &claiming{})
}

// commitClaiming commits with the idempotency key of the request.
func (s *Service) commitClaiming(ctx context.Context, tenant string, effect Effect, entry audit.Entry, claim *claiming) (Committed, error) {
	change, err := NewChange(tenant, effect, entry)
	if err != nil {
		return Committed{}, fmt.Errorf("vault: %w", err)
	}
	ctx, end := stage.Start(ctx, stage.Commit)
	defer end()
	return s.write(ctx, tenant, claim.on(change))
}

// receipt signs the head once per batch and proves the last entry of the
// change in it; entries before it are chained to it by their Prev.
func (s *Service) receipt(keys *keySet, c Committed) (*audit.Receipt, error) {
	r, err := c.Tree.Receipt(keys.signer, c.First+int64(c.Count)-1)
	if err != nil {
		return nil, fmt.Errorf("vault: receipt: %w", err)
	}
	return &r, nil
}

// plannable tells whether planning again may meet the condition.
func plannable(err error) bool {
	return errors.Is(err, ErrConflict) || errors.Is(err, ErrKeyDestroyed) ||
		errors.Is(err, ErrIDTaken) || errors.Is(err, ErrScopeMoved) ||
		errors.Is(err, ErrClaimed) || errors.Is(err, ErrWrapVersion)
}

// public turns an error of a store, key service or detector into one with a
// code. What it does not know is internal: opaque by default.
func public(err error) error {
	var known *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, ErrOverloaded):
		return (&Error{Code: CodeUnavailable, Detail: "overloaded", Limit: "commit_queue", RetryAfter: RetryAfter}).Because(err)
	// Before the store, since a time that ran out in detection is a deadline as well.
	case errors.Is(err, detect.ErrFailed), errors.Is(err, detect.ErrTimeout), errors.Is(err, detect.ErrTooLarge):
		return (&Error{Code: CodeUnavailable, Detail: "detection", RetryAfter: RetryAfter}).Because(err)
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrClosed), plannable(err),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return (&Error{Code: CodeUnavailable, Detail: "store", RetryAfter: RetryAfter}).Because(err)
	case errors.Is(err, envelope.ErrUnavailable):
		return (&Error{Code: CodeUnavailable, Detail: "keys", RetryAfter: RetryAfter}).Because(err)
	case errors.Is(err, ErrHeld):
		return Errorf(CodeHeld, "a hold keeps it").Because(err)
	case errors.Is(err, ErrUnknownTenant):
		return Errorf(CodeDenied, "the tenant is not known here").Because(err)
	case errors.Is(err, ErrNotFound):
		return Errorf(CodeNotFound, "there is nothing of that name").Because(err)
	default:
		return (&Error{Code: CodeInternal}).Because(err)
	}
}
