package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/certificate"
	"github.com/counterfoil/counterfoil/internal/telemetry/stage"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// endUserHeader names the person on whose behalf a client calls.
const endUserHeader = "Counterfoil-End-User"

// Why a request has no credential that could be looked at. They stand beside
// the reasons of package authn in counts, and are as closed a list.
const (
	reasonMissing  = "missing"
	reasonRepeated = "repeated"
	reasonScheme   = "scheme"
	reasonRefused  = "refused" // by an authentication that gives no reason
)

// The challenges of RFC 6750 section 3: the second is for those who sent one.
const (
	challenge        = "Bearer"
	challengeInvalid = `Bearer error="invalid_token"`
)

// authenticate turns the one bearer credential into the caller.
func (a *api) authenticate(c *gin.Context) {
	x := exchangeOf(c)
	if x.op == nil || !x.op.secured {
		return
	}
	bearer, reason := bearerOf(c.Request.Header)
	// Nothing behind this line has any use for the credential.
	c.Request.Header.Del("Authorization")
	if reason != "" {
		a.unauthenticated(c, reason, challenge)
		return
	}
	ctx := c.Request.Context()
	fingerprint := certificate.Fingerprint(c.Request.TLS)
	caller, err := a.verifyStaged(ctx, bearer, fingerprint)
	if errors.Is(err, authn.ErrUnauthenticated) {
		if reason = string(authn.ReasonOf(err)); reason == "" {
			reason = reasonRefused
		}
		a.unauthenticated(c, reason, challengeInvalid)
		return
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	caller.CertFingerprint, caller.Address = fingerprint, addressOf(c.Request)
	x.call.Caller = caller
	x.tenant, x.client, x.actor = caller.Tenant, caller.Client, caller.Subject
}

// addressOf is where the connection comes from, whatever headers say. One that
// cannot be read is invalid, and so in no network of a policy.
func addressOf(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	// Networks of a policy have no zones, and IPv4 is IPv4 on every listener.
	return from.Addr().Unmap().WithZone("")
}

// onBehalf fixes the policy that the request is decided under, and takes the end
// user of the header from a caller that may assert one.
func (a *api) onBehalf(c *gin.Context) {
	x := exchangeOf(c)
	if x.op == nil || !x.op.secured {
		return
	}
	x.call = a.service.Pinned(x.call)
	if err := a.assertEndUser(c.Request.Context(), x, c.Request.Header.Values(endUserHeader)); err != nil {
		a.fail(c, err)
	}
}

func (a *api) verifyStaged(ctx context.Context, bearer, fingerprint string) (vault.Caller, error) {
	ctx, end := stage.Start(ctx, stage.Authenticate)
	defer end()
	return a.verify(ctx, bearer, fingerprint)
}

// unauthenticated counts the attempt and tells nothing but that it failed.
func (a *api) unauthenticated(c *gin.Context, reason, challenge string) {
	a.service.CountUnauthenticated(reason)
	a.metrics.strays.WithLabelValues(reason).Inc()
	exchangeOf(c).challenge = challenge
	a.fail(c, vault.Errorf(vault.CodeUnauthenticated, "a bearer token that is accepted here is required"))
}

// bearerOf returns the credential of exactly one Authorization header, or why
// there is none. A second header is refused and not ignored, because a proxy
// may have looked at the other one.
func bearerOf(h http.Header) (bearer, reason string) {
	values := h.Values("Authorization")
	switch len(values) {
	case 0:
		return "", reasonMissing
	case 1:
	default:
		return "", reasonRepeated
	}
	scheme, credential, found := strings.Cut(values[0], " ")
	credential = strings.TrimLeft(credential, " ")
	if !found || credential == "" || !strings.EqualFold(scheme, "Bearer") {
		return "", reasonScheme
	}
	return credential, ""
}

// assertEndUser takes the end user of the header into the call. The name never
// goes into an error: it is personal data.
func (a *api) assertEndUser(ctx context.Context, x *exchange, values []string) error {
	if len(values) == 0 {
		return nil
	}
	if !a.service.MayAssertEndUser(x.call) {
		a.service.RecordRefused(ctx, x.call, x.op.id, string(vault.CodeDenied))
		return vault.Errorf(vault.CodeDenied, "this caller may not name an end user")
	}
	if rule := endUserRule(values); rule != "" {
		return vault.Invalid("header:"+endUserHeader, rule)
	}
	caller := &x.call.Caller
	switch caller.EndUser {
	case values[0]:
		// The credential says the same, and says it with more weight.
	case "":
		caller.EndUser, caller.EndUserAssurance = values[0], vault.AssuranceAsserted
	default:
		a.service.RecordRefused(ctx, x.call, x.op.id, string(vault.CodeDenied))
		return vault.Errorf(vault.CodeDenied, "the credential names another end user")
	}
	return nil
}

func endUserRule(values []string) string {
	name := values[0]
	switch {
	case len(values) > 1:
		return "must be given once"
	case name == "":
		return "must not be empty"
	case len(name) > vault.MaxNameBytes:
		return "must not be longer than a name may be"
	case !utf8.ValidString(name):
		return "must be valid UTF-8"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "must not hold control characters"
	}
	return ""
}
