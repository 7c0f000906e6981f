package metrics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/counterfoil/counterfoil/internal/storage/commitqueue"
)

// Collector serves the figures. It is made by [Register].
type Collector struct {
	sources  Sources
	now      func() time.Time
	families map[string]*prometheus.Desc

	mu       sync.Mutex
	standing *Standing // of the last reading that succeeded, nil before it
	readAt   time.Time
	took     time.Duration
	failed   uint64
}

// ErrSources refuses sources that say what no label has.
var ErrSources = errors.New("metrics: sources")

// Register serves the figures of the sources in a registry, and those of the Go
// runtime and the process.
func Register(registry *prometheus.Registry, sources Sources, now func() time.Time) (*Collector, error) {
	for b := range sources.Breakers {
		if !slices.Contains(Breakers(), b) {
			return nil, fmt.Errorf("%w: a breaker that is none", ErrSources)
		}
	}
	if len(sources.Controls) > MaxControls {
		return nil, fmt.Errorf("%w: more than %d controls", ErrSources, MaxControls)
	}
	c := &Collector{sources: sources, now: now, families: make(map[string]*prometheus.Desc)}
	for _, f := range Families() {
		c.families[f.Name] = prometheus.NewDesc(f.Name, f.Help, f.Labels, nil)
	}
	for _, one := range []prometheus.Collector{
		c, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := registry.Register(one); err != nil {
			return nil, fmt.Errorf("metrics: register: %w", err)
		}
	}
	return c, nil
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, desc := range c.families {
		to <- desc
	}
}

// sink takes figures, and refuses what is in no closed list.
type sink struct {
	*Collector
	to chan<- prometheus.Metric
}

func (s sink) gauge(name string, v float64, labels ...string) {
	s.to <- prometheus.MustNewConstMetric(s.families[name], prometheus.GaugeValue, v, labels...)
}

func (s sink) counter(name string, v uint64, labels ...string) {
	s.to <- prometheus.MustNewConstMetric(s.families[name], prometheus.CounterValue, float64(v), labels...)
}

func (s sink) histogram(name string, h commitqueue.Histogram) {
	buckets := make(map[float64]uint64, len(h.Bounds))
	for i, bound := range h.Bounds {
		buckets[bound] = h.Counts[i]
	}
	s.to <- prometheus.MustNewConstHistogram(s.families[name], h.Count, h.Sum, buckets)
}

// Collect implements prometheus.Collector. It asks nothing that waits.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	s := sink{c, to}
	s.commits()
	s.keys()
	for breaker, state := range c.sources.Breakers {
		now := state()
		for _, known := range breakerStates {
			s.gauge(nameBreaker, flag(known == now), string(breaker), known)
		}
	}
	s.notices()
	s.stood()
}

func flag(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func (s sink) commits() {
	if s.sources.Commits == nil {
		return
	}
	stats := s.sources.Commits()
	s.histogram(nameBatch, stats.Sizes)
	s.histogram(nameCommit, stats.Seconds)
	s.counter(nameChanges, stats.Committed, "committed")
	s.counter(nameChanges, stats.Refused, "refused")
	s.counter(nameChanges, stats.Unavailable, "unavailable")
	s.gauge(nameWaiting, float64(stats.Waiting))
}

func (s sink) keys() {
	if s.sources.Epoch > 0 {
		s.gauge(nameEpoch, s.sources.Epoch.Seconds())
	}
	if s.sources.KeyCache == nil {
		return
	}
	stats := s.sources.KeyCache()
	s.counter(nameLookups, stats.Hits, "hit")
	s.counter(nameLookups, stats.Misses, "miss")
	s.gauge(nameCached, float64(stats.Keys))
	s.gauge(nameCachedMost, float64(stats.Most))
}

func (s sink) notices() {
	d := s.sources.Deliveries
	if d == nil {
		return
	}
	d.mu.Lock()
	h := commitqueue.Histogram{Bounds: noticeBounds, Counts: slices.Clone(d.buckets[:]), Count: d.delivered, Sum: d.sum}
	postponed, givenUp := d.postponed, d.givenUp
	d.mu.Unlock()
	s.counter(nameNotices, h.Count, "delivered")
	s.counter(nameNotices, postponed, "postponed")
	s.counter(nameNotices, givenUp, "given_up")
	s.histogram(nameNotice, h)
}

// stood serves what was read last, unless that is too long ago.
func (s sink) stood() {
	if s.sources.Standing == nil {
		return
	}
	s.mu.Lock()
	standing, readAt, took, failed := s.standing, s.readAt, s.took, s.failed
	s.mu.Unlock()
	s.counter(nameReadFailed, failed)
	if standing == nil {
		return
	}
	s.gauge(nameReadAt, float64(readAt.UnixMilli())/1000)
	s.gauge(nameReadSeconds, took.Seconds())
	if s.now().Sub(readAt) > StaleAfter {
		return
	}
	s.gauge(nameTenants, float64(standing.Tenants))
	s.gauge(nameEntries, float64(standing.Entries))
	for _, stage := range Stages() {
		if lag, followed := standing.Lags[stage]; followed {
			s.gauge(nameLagEntries, float64(lag.Entries), string(stage))
			s.gauge(nameLag, lag.Age.Seconds(), string(stage))
		}
	}
	for _, matter := range Matters() {
		n := standing.Matters[matter]
		s.gauge(nameMatters, float64(n.Open), string(matter), stateOpen)
		s.gauge(nameMatters, float64(n.Soon), string(matter), stateSoon)
		s.gauge(nameMatters, float64(n.Overdue), string(matter), stateOverdue)
	}
	s.gauge(nameBacklog, float64(standing.Backlog))
	s.gauge(nameBehind, float64(standing.Behind))
	s.gauge(nameKeyAge, standing.WrappingKeyAge.Seconds(), "wrapping")
	s.gauge(nameKeyAge, standing.LogKeyAge.Seconds(), "log")
	s.controls(standing.Controls)
}

// controls serves a line for each control of the catalogue and each result, so that
// one that was never tried shows as such. A name that is not in it is another's.
func (s sink) controls(found map[ControlResult]int) {
	if len(s.sources.Controls) == 0 {
		return
	}
	lines := make(map[ControlResult]int)
	for key, n := range found {
		if !slices.Contains(s.sources.Controls, key.Control) {
			key.Control = OtherControl
		}
		lines[key] += n
	}
	for _, control := range append(slices.Clone(s.sources.Controls), OtherControl) {
		for _, result := range results {
			s.gauge(nameControls, float64(lines[ControlResult{control, result}]), control, result)
		}
	}
}

// Watch reads what needs the store until the context ends.
func (c *Collector) Watch(ctx context.Context) {
	if c.sources.Standing == nil {
		return
	}
	for {
		pause := c.read(ctx)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// read reads once and tells how long to rest: the longer a reading takes, the more
// seldom it comes.
func (c *Collector) read(ctx context.Context) time.Duration {
	within, cancel := context.WithTimeout(ctx, ReadTimeout)
	defer cancel()
	began := c.now()
	standing, err := c.sources.Standing(within)
	took := c.now().Sub(began)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failed++
	} else {
		c.standing, c.readAt, c.took = &standing, began, took
	}
	return min(max(WatchEvery, WatchRest*took), WatchSeldom)
}
