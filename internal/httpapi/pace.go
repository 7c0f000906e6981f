package httpapi

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/counterfoil/counterfoil/internal/rate"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// Rate is how fast somebody may call: so many requests in a second on average,
// so many at once. The zero value does not bound.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Rates bound how fast one caller (a principal of a tenant, through one client)
// and all of a tenant may call. They are counted by each replica for itself.
type Rates struct{ Caller, Tenant Rate }

// Names of the rates, as problems cite them.
const (
	limitCallerRate = "caller_rate"
	limitTenantRate = "tenant_rate"
)

// pacer keeps one of the rates.
type pacer struct {
	limit   string // its name
	whose   string
	rate    Rate
	limiter *rate.Limiter
	key     func(vault.Caller) string
}

// pacers are those that bound. The one of the caller comes first, so that whoever
// is too fast takes nothing from the others of the tenant.
func (r Rates) pacers(now func() time.Time) ([]pacer, error) {
	all := []pacer{
		{limit: limitCallerRate, whose: "one caller", rate: r.Caller, key: callerKey},
		{limit: limitTenantRate, whose: "one tenant", rate: r.Tenant, key: func(c vault.Caller) string { return c.Tenant }},
	}
	bounding := make([]pacer, 0, len(all))
	for _, p := range all {
		if p.rate == (Rate{}) {
			continue
		}
		var err error
		p.limiter, err = rate.New(rate.Config{PerSecond: p.rate.PerSecond, Burst: p.rate.Burst, Now: now})
		if err != nil {
			return nil, fmt.Errorf("httpapi: %s: %w", p.limit, err)
		}
		bounding = append(bounding, p)
	}
	return bounding, nil
}

// callerKey names a caller. No name of a credential holds a zero byte.
func callerKey(c vault.Caller) string { return c.Tenant + "\x00" + c.Subject + "\x00" + c.Client }

// pace refuses callers that are too fast, before anything is read or decided for
// them. What is refused is counted and leaves no entry: whoever floods the service
// must not flood the log.
func (a *api) pace(c *gin.Context) {
	x := exchangeOf(c)
	if x.op == nil || !x.op.secured {
		return
	}
	var tightest *rate.Result
	for i := range a.pacers {
		p := &a.pacers[i]
		result := p.limiter.Take(p.key(x.call.Caller), 1)
		if !result.Allowed {
			announce(c.Writer.Header(), &result)
			a.fail(c, tooFast(p, &result))
			return
		}
		if tightest == nil || result.Remaining < tightest.Remaining {
			tightest = &result
		}
	}
	if tightest != nil {
		announce(c.Writer.Header(), tightest)
	}
}

func tooFast(p *pacer, result *rate.Result) *vault.Error {
	e := vault.Errorf(vault.CodeExhausted, "too many requests of %s", p.whose)
	e.Limit, e.RetryAfter = p.limit, result.RetryAfter
	return e
}

// announce says how much is left of the rate that leaves least, in the header
// fields of draft-ietf-httpapi-ratelimit-headers-06, the last with one for each.
func announce(header http.Header, result *rate.Result) {
	header.Set("RateLimit-Limit", strconv.Itoa(result.Limit))
	header.Set("RateLimit-Remaining", strconv.Itoa(result.Remaining))
	// Rounded up: whoever waits so long finds all of it there.
	header.Set("RateLimit-Reset", strconv.FormatInt(int64((result.ResetAfter+time.Second-1)/time.Second), 10))
}

// limits are what a rate adds to the limits: how many at once, and in which time
// as many may come again.
func (p *pacer) limits() []vault.Limit {
	window := float64(p.rate.Burst) / p.rate.PerSecond
	return []vault.Limit{
		{Name: p.limit, Unit: "count", Value: int64(p.rate.Burst), Why: "requests of " + p.whose + " at once, in one replica"},
		{
			Name: p.limit + "_seconds", Unit: "seconds", Value: int64(window + 0.5),
			Why: "time in which as many of " + p.whose + " may come again",
		},
	}
}
