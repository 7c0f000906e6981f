package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// outward is what a code looks like from outside.
type outward struct {
	status int
	title  string
	// opaque codes tell nothing but themselves, whatever the error says.
	opaque bool
	// retry tells whether the answer comes with advice when to ask again.
	retry bool
}

// table is the only place where a code becomes a status. What is not in it is
// internal. The statuses of invalid other than 422 come from where the request
// is read (see edge), and from errors that name a limit.
var table = map[vault.Code]outward{
	vault.CodeInvalid:         {status: http.StatusUnprocessableEntity, title: "Invalid request"},
	vault.CodeUnauthenticated: {status: http.StatusUnauthorized, title: "Not authenticated"},
	vault.CodeDenied:          {status: http.StatusForbidden, title: "Denied"},
	vault.CodeNotFound:        {status: http.StatusNotFound, title: "Not found"},
	vault.CodeConflict:        {status: http.StatusConflict, title: "Conflict"},
	vault.CodeHeld:            {status: http.StatusLocked, title: "Held"},
	vault.CodeExhausted:       {status: http.StatusTooManyRequests, title: "Exhausted", retry: true},
	vault.CodeUnavailable:     {status: http.StatusServiceUnavailable, title: "Unavailable", retry: true},
	vault.CodeInternal:        {status: http.StatusInternalServerError, title: "Internal error", opaque: true},
}

const (
	problemType     = "application/problem+json"
	problemURN      = "urn:counterfoil:problem:"
	internalAdvice  = "something failed that should not; quote the instance"
	timedOutAdvice  = "the request took too long"
	tooManyFailures = "the request breaks more rules than are listed"
)

// edgeError is an error with a status of its own: what is wrong with a request
// before it is one.
type edgeError struct {
	status int
	err    *vault.Error
}

func edge(status int, err *vault.Error) error { return &edgeError{status, err} }

func (e *edgeError) Error() string { return e.err.Error() }
func (e *edgeError) Unwrap() error { return e.err }

// problemOf makes a problem of an error. Only the public half of a vault.Error
// gets in; any other error is internal.
func problemOf(err error, requestID string) gen.Problem {
	known := &vault.Error{Code: vault.CodeInternal}
	if !errors.As(err, &known) && errors.Is(err, context.DeadlineExceeded) {
		known = vault.Errorf(vault.CodeUnavailable, timedOutAdvice)
		known.Limit = limitRequest
	}
	out, listed := table[known.Code]
	if !listed {
		known = &vault.Error{Code: vault.CodeInternal}
		out = table[vault.CodeInternal]
	}
	p := gen.Problem{
		Type: problemURN + string(known.Code), Title: out.title, Status: int32(statusOf(err, known, out)), //nolint:gosec // a status fits
		Code: gen.ErrorCode(known.Code), Instance: requestID,
	}
	if out.opaque {
		p.Detail = pointer(internalAdvice)
		return p
	}
	p.Detail, p.Limit = optional(known.Detail), optional(known.Limit)
	if len(known.Violations) > 0 {
		p.Errors = pointer(violationsOf(known.Violations))
		if len(known.Violations) > MaxViolations {
			p.Detail = pointer(tooManyFailures)
		}
	}
	if out.retry {
		p.RetryAfter = pointer(seconds(known.RetryAfter))
	}
	return p
}

func statusOf(err error, known *vault.Error, out outward) int {
	var e *edgeError
	switch {
	case errors.As(err, &e):
		return e.status
	case known.Code == vault.CodeInvalid && known.Limit != "":
		return http.StatusRequestEntityTooLarge
	default:
		return out.status
	}
}

func violationsOf(all []vault.Violation) []gen.Violation {
	listed := make([]gen.Violation, 0, min(len(all), MaxViolations))
	for _, v := range all[:min(len(all), MaxViolations)] {
		field := v.Field
		if field == "/" {
			field = "" // RFC 6901 writes the whole document so
		}
		listed = append(listed, gen.Violation{Field: field, Rule: v.Rule})
	}
	return listed
}

// seconds rounds up, so that nobody comes back too early, and never says zero.
func seconds(d time.Duration) int32 {
	const most = 24 * time.Hour
	d = min(max(d, time.Second), most)
	return int32((d + time.Second - 1) / time.Second)
}

// fail ends a request with a problem.
func (a *api) fail(c *gin.Context, err error) {
	c.Abort()
	x := exchangeOf(c)
	x.cause = err
	if errors.Is(x.arrived.Err(), context.Canceled) {
		// Nobody reads the answer. Whatever failed, it failed because of that,
		// or nobody will ever know the difference.
		x.gone = true
	}
	p := problemOf(err, x.requestID)
	x.code = vault.Code(p.Code)
	if p.Limit != nil {
		x.limit = *p.Limit
	}
	header := c.Writer.Header()
	if p.RetryAfter != nil {
		header.Set("Retry-After", strconv.Itoa(int(*p.RetryAfter)))
	}
	if x.challenge != "" {
		header.Set("WWW-Authenticate", x.challenge)
	}
	if err := writeJSON(c.Writer, int(p.Status), problemType, p); err != nil {
		x.gone = true
	}
}
