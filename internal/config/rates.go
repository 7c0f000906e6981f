package config

import "github.com/counterfoil/counterfoil/internal/rate"

// Rates bounds how fast requests may come, on each replica by itself. One that is
// left out bounds nothing.
type Rates struct {
	// Caller is for every caller of every tenant, Tenant for all callers of one.
	Caller *Rate `yaml:"caller"`
	Tenant *Rate `yaml:"tenant"`
}

// Rate is so many requests per second on average, and so many at once.
type Rate struct {
	PerSecond float64 `yaml:"per_second"`
	Burst     int64   `yaml:"burst"`
}

// Config is the rate as package rate takes it.
func (r *Rate) Config() rate.Config { return rate.Config{PerSecond: r.PerSecond, Burst: int(r.Burst)} }

func (s *Serve) validateRates(report func(path, rule string)) {
	if s.Rates == nil {
		return
	}
	if s.Rates.Caller == nil && s.Rates.Tenant == nil {
		report("rates", "must have caller, tenant or both")
	}
	for _, r := range []struct {
		path string
		rate *Rate
	}{{"rates.caller", s.Rates.Caller}, {"rates.tenant", s.Rates.Tenant}} {
		if r.rate == nil {
			continue
		}
		if field, rule := r.rate.Config().Check(); field != "" {
			report(r.path+"."+field, rule)
		}
	}
}
