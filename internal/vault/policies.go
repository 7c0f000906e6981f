package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/detect"
)

// policies are the versions of the policy that the service decides under. Which
// one decides for a tenant is a ruling, and a ruling is replaced as a whole: a
// request takes its version once and keeps it to its end (invariant 13).
type policies struct {
	now      atomic.Pointer[ruling]
	changing sync.Mutex // one change of the ruling at a time

	source        func(context.Context) (*access.Bundle, error) // the configured bundle, as it is now; nil where there is none to read again
	files         fs.FS                                         // of the configured one without a source; nil where they are not to be had
	key           string                                        // that bundles must be signed under; empty: none
	administrator string                                        // the tenant whose callers manage the policy; empty: nobody
	detector      *detect.Detector
	entities      []string // of every version: tokens are read by them

	// kept are the last bundles that were believed: one that comes again, as after a
	// rollback or at every hangup, is not tried anew.
	kept []believed
}

// believed is a bundle that was checked whole, by what it decides and how that is
// tested.
type believed struct {
	version, tests string
	policy         *access.Policy
}

// keepBundles is how many bundles are kept: those in force, on trial and before.
const keepBundles = 8

// ruling says which policy decides for whom. It is never changed.
type ruling struct {
	configured *access.Policy
	promoted   *access.Policy            // decides instead of it, where there is one
	trials     map[string]*access.Policy // by tenant, and before both
	// loaded are the proposed bundles by the id of their proceeding, so that each is
	// read once.
	loaded map[string]*access.Policy
}

func newPolicies(cfg Config) *policies {
	p := &policies{
		source: cfg.PolicySource, files: cfg.PolicyFiles, key: cfg.PolicyKey, administrator: cfg.PolicyAdministrator,
		detector: cfg.Detector, entities: namesOf(cfg.Policy),
	}
	p.now.Store(&ruling{configured: cfg.Policy})
	return p
}

// of is the policy that decides for a tenant. Without a name it is the one of
// tenants without a trial.
func (p *policies) of(tenant string) *access.Policy {
	r := p.now.Load()
	if trial, ok := r.trials[tenant]; ok {
		return trial
	}
	return r.general()
}

func (r *ruling) general() *access.Policy {
	if r.promoted != nil {
		return r.promoted
	}
	return r.configured
}

// Pinned fixes the policy version that a call is decided under, for those who do
// more than one thing for it. What has one keeps it.
func (s *Service) Pinned(call Call) Call {
	if call.policy == nil {
		call.policy = s.policies.of(call.Caller.Tenant)
	}
	return call
}

// under is the service as one request sees it: with one version of the policy, and
// one time for what the policy says of hours.
// Every exported method that takes a Call begins with it.
func (s *Service) under(call Call) *Service {
	of := *s
	of.pinned, of.at = s.Pinned(call).policy, s.clock()
	return &of
}

// unpinned is the service for what outlasts a request.
func (s *Service) unpinned() *Service {
	of := *s
	of.pinned, of.at = nil, time.Time{}
	return &of
}

// moment is when a request is decided: one time, from its beginning to its end.
func (s *Service) moment() time.Time {
	if !s.at.IsZero() {
		return s.at
	}
	return s.clock()
}

// rules is the policy that decides: of the request, or for what the process does
// by itself the one of tenants without a trial.
func (s *Service) rules() *access.Policy {
	if s.pinned != nil {
		return s.pinned
	}
	return s.policies.of("")
}

// ErrPolicyEntities refuses a bundle with other entities than the service began
// with: the labels of tokens are theirs, and are read by all replicas alike.
var ErrPolicyEntities = errors.New("vault: the bundle has other entities; these change with a restart of all replicas")

// believe checks a bundle whole: its signature where one is demanded, its names,
// its decision tables and its texts. What it returns may decide. The caller holds
// changing.
func (p *policies) believe(ctx context.Context, bundle *access.Bundle) (*access.Policy, error) {
	if p.key != "" {
		if err := bundle.VerifySignature(p.key); err != nil {
			return nil, err
		}
	}
	for _, b := range p.kept {
		if b.version == bundle.Version() && b.tests == bundle.TestsDigest() {
			return b.policy, nil
		}
	}
	policy, err := bundle.Policy(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(namesOf(policy), p.entities) {
		return nil, ErrPolicyEntities
	}
	failures, err := CheckTexts(ctx, policy, p.detector)
	if err != nil {
		return nil, err
	}
	if len(failures) > 0 {
		return nil, fmt.Errorf("%w: %d texts do not come out as they say, the first is %s", access.ErrBundle, len(failures), failures[0])
	}
	p.kept = append(p.kept, believed{bundle.Version(), bundle.TestsDigest(), policy})
	if len(p.kept) > keepBundles {
		p.kept = p.kept[1:]
	}
	return policy, nil
}

func namesOf(policy *access.Policy) []string {
	var names []string
	for _, e := range policy.Entities() {
		names = append(names, e.Name)
	}
	return names
}
