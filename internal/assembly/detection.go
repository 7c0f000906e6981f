package assembly

import (
	"fmt"
	"sync"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/analyzer"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// detection is how the texts of each tenant are searched. Tenants share what is
// alike: the rules of a set of entities, and the connections to an analyzer.
type detection struct {
	all     vault.Detection
	tenants map[string]vault.Detection

	policy    *access.Policy
	detectors map[string]*detect.Detector
	clients   map[*analyzer.Config]*analyzer.Client
}

// newDetection makes what the configuration says; nil says nothing. What it names
// must be in the catalogue, or requests would fail that find it.
func newDetection(c *config.Detection, policy *access.Policy) (*detection, error) {
	d := &detection{
		tenants: make(map[string]vault.Detection), policy: policy,
		detectors: make(map[string]*detect.Detector), clients: make(map[*analyzer.Config]*analyzer.Client),
	}
	all, tenants := c.Searches()
	var err error
	if d.all, err = d.search(all); err != nil {
		d.close()
		return nil, fmt.Errorf("assembly: detection: %w", err)
	}
	for tenant, search := range tenants {
		if d.tenants[tenant], err = d.search(search); err != nil {
			d.close()
			return nil, fmt.Errorf("assembly: detection of %s: %w", tenant, err)
		}
	}
	return d, nil
}

// of is the detection of a tenant.
func (d *detection) of(tenant string) vault.Detection {
	if own, has := d.tenants[tenant]; has {
		return own
	}
	return d.all
}

func (d *detection) close() {
	for _, client := range d.clients {
		client.Close()
	}
}

func (d *detection) search(s config.Search) (vault.Detection, error) {
	for _, name := range append(s.Options.Custom.Entities(), s.Options.Entities...) {
		// What only looks like a token comes back to anybody.
		if _, known := d.policy.Entity(name); !known || name == access.EntityTokenLike {
			return vault.Detection{}, fmt.Errorf("the entity %s is none of the catalogue that can be looked for", name)
		}
	}
	detector, err := d.detector(s.Options)
	if err != nil {
		return vault.Detection{}, err
	}
	out := vault.Detection{Detector: detector, Optional: s.Optional}
	if s.Analyzer == nil {
		return out, nil
	}
	client, err := d.client(s.Analyzer)
	if err != nil {
		return vault.Detection{}, err
	}
	out.Analyze, out.AnalyzerVersion = client.Analyze, client.Version()
	return out, nil
}

func (d *detection) detector(opts detect.Options) (_ *detect.Detector, err error) {
	own := opts.Custom
	opts.Custom = detect.Custom{}
	key := fmt.Sprintf("%q %v", opts.Entities, opts.Thresholds) // fmt prints maps in the order of their keys
	if d.detectors[key] == nil {
		build := func() (*detect.Detector, error) { return detect.New(opts) }
		if opts.Entities == nil && len(opts.Thresholds) == 0 {
			build = defaultSet
		}
		if d.detectors[key], err = build(); err != nil {
			return nil, err
		}
	}
	return d.detectors[key].With(own)
}

// defaultSet is the Detector without any option, which never changes, and takes
// a tenth of a second to make: all instances of a process share it.
var defaultSet = sync.OnceValues(func() (*detect.Detector, error) { return detect.New(detect.Options{}) })

func (d *detection) client(c *analyzer.Config) (_ *analyzer.Client, err error) {
	if client := d.clients[c]; client != nil {
		return client, nil
	}
	whole := *c
	for _, e := range d.policy.Entities() {
		if e.Name != access.EntityTokenLike {
			whole.Known = append(whole.Known, e.Name)
		}
	}
	client, err := analyzer.New(whole)
	if err == nil {
		d.clients[c] = client
	}
	return client, err
}
