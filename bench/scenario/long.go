package scenario

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/counterfoil/counterfoil/bench/load"
	"github.com/counterfoil/counterfoil/bench/system"
)

// Environment variables that make the long works shorter, to try them out. The report
// says how much was done.
const (
	envSoakRequests = "COUNTERFOIL_BENCH_SOAK_REQUESTS"
	envOverload     = "COUNTERFOIL_BENCH_OVERLOAD"
	envMappings     = "COUNTERFOIL_BENCH_MAPPINGS"
	envEntries      = "COUNTERFOIL_BENCH_ENTRIES"
)

// lengths are how much the long works do.
type lengths struct {
	soak              int64 // requests
	overload          time.Duration
	mappings, entries int64 // at most
}

// goals are the lengths that the goals speak of.
var goals = lengths{soak: 10_000_000, overload: 10 * time.Minute, mappings: 10_000_000, entries: 10_000_000}

func lengthsFrom(getenv func(string) string) (lengths, error) {
	l := goals
	for name, into := range map[string]*int64{envSoakRequests: &l.soak, envMappings: &l.mappings, envEntries: &l.entries} {
		text := getenv(name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			return l, fmt.Errorf("scenario: %s is no number of them", name)
		}
		*into = n
	}
	if text := getenv(envOverload); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < time.Second {
			return l, fmt.Errorf("scenario: %s is no duration of a second or more", envOverload)
		}
		l.overload = d
	}
	return l, nil
}

// alone does a work on a site of its own: what it leaves behind, gigabytes, is no
// burden to others, and goes with the site.
// Settings are those of PostgreSQL that differ from what others are measured with.
func (e *Env) alone(ctx context.Context, name string, work func(context.Context, *core, lengths) error, settings ...string) (err error) {
	l, err := lengthsFrom(os.Getenv)
	if err != nil {
		return err
	}
	site, err := system.Open(ctx, system.Options{Say: e.Say, Settings: settings})
	if err != nil {
		return fmt.Errorf("scenario: %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, site.Close()) }()
	own := *e
	own.Site = site
	service, err := site.Serve(ctx, name)
	if err != nil {
		return fmt.Errorf("scenario: %s: %w", name, err)
	}
	c := &core{Env: &own, service: &face{
		of: system.Counterfoil, on: service, client: load.NewClient(connections),
		bearer: site.Credential(site.Tenants()[0], "gateway"),
	}}
	// Whichever process of it is the last: a work may start it again.
	defer func() {
		c.service.client.Close()
		err = errors.Join(err, c.service.on.Stop(context.WithoutCancel(ctx)))
	}()
	return work(ctx, c, l)
}

// grouped is a number with its thousands apart.
func grouped(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
