package config

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/authn"
)

// environments are what an entry may say of the place where it was made.
var environments = []string{"development", "staging", "production"}

func (s *Serve) validate(most Limits, report func(path, rule string)) {
	s.validateNames(report)
	if s.Data == "" {
		report("data", ruleRequired)
	}
	switch kv := s.Keys.Transit != nil && s.Keys.Transit.Anchors != nil; {
	case s.Anchors == "" && !kv:
		report("anchors", ruleRequired)
	case s.Anchors != "" && kv:
		report("anchors", "cannot go with keys.transit.anchors")
	}
	s.validateBackends(report)
	s.validateTLS(report)
	s.Limits.validate(most, report)
	s.validateFinality(report)
	s.validateTelemetry(report)
	s.validateRates(report)
	s.validateWebhooks(report)
	s.validatePolicy(report)
	s.validateExport(report)
	s.validateDetection(report)
}

func (s *Serve) validateNames(report func(path, rule string)) {
	switch _, port, err := net.SplitHostPort(s.Listen); {
	case s.Listen == "":
		report("listen", ruleRequired)
	case err != nil:
		report("listen", "must be host:port")
	default:
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			report("listen", "must have a port from 0 to 65535")
		}
	}
	if !slices.Contains(environments, s.Environment) {
		report("environment", "must be one of "+strings.Join(environments, ", "))
	}
	if !audit.IsIdentifier(s.Replica) {
		report("replica", "must be letters, digits or any of -._~:/@|+=%#,*")
	}
	// The longest name of a tenant must fit behind it too.
	if _, err := audit.TenantOf(audit.Origin(s.LogPrefix, strings.Repeat("x", maxTenant))); s.LogPrefix == "" {
		report("log_prefix", ruleRequired)
	} else if err != nil {
		report("log_prefix", "must be letters, digits or any of -._~:/, and not too long")
	}
}

// maxTenant is the length of the longest name of a tenant.
const maxTenant = 63

func (s *Serve) validateTLS(report func(path, rule string)) {
	tls := s.TLS
	if tls == nil {
		if s.Listen != "" && !loopback(s.Listen) {
			report("tls", "is required off the loopback interface: cert and key, or terminated_upstream")
		}
		return
	}
	if tls.MinVersion != "" && tls.MinVersion != "1.3" {
		report("tls.min_version", `must be "1.3"`)
	}
	if tls.TerminatedUpstream {
		if tls.Cert != "" || tls.Key != "" || tls.ClientCA != "" {
			report("tls.terminated_upstream", "cannot be true beside cert, key or client_ca")
		}
		return
	}
	if tls.Cert == "" {
		report("tls.cert", ruleRequired)
	}
	if tls.Key == "" {
		report("tls.key", ruleRequired)
	}
}

func (l Limits) validate(most Limits, report func(path, rule string)) {
	for _, limit := range []struct {
		name        string
		value, most *int64
	}{
		{"body_bytes", l.BodyBytes, most.BodyBytes},
		{"body_bytes_in_flight", l.BodyBytesInFlight, most.BodyBytesInFlight},
		{"requests_in_flight", l.RequestsInFlight, most.RequestsInFlight},
		{"request_seconds", l.RequestSeconds, most.RequestSeconds},
	} {
		if limit.value != nil && (*limit.value < 1 || *limit.value > *limit.most) {
			report("limits."+limit.name, fmt.Sprintf("must be from 1 to %d", *limit.most))
		}
	}
}

// loadIssuers reads the keys of the issuers and lets authn judge the whole: the
// rules stand there, once.
func (s *Serve) loadIssuers(report func(path, rule string)) {
	if len(s.Issuers) == 0 {
		report("issuers", ruleRequired)
	}
	unread := map[int]bool{}
	for n, issuer := range s.Issuers {
		c, whole := issuer.loadKeys(fmt.Sprintf("issuers[%d]", n), report)
		unread[n] = !whole
		s.trusted = append(s.trusted, c)
	}
	for _, fault := range authn.Check(s.trusted) {
		if unread[fault.Issuer] && strings.HasPrefix(fault.Field, "keys[") && !strings.HasSuffix(fault.Field, ".kid") {
			continue // the file has been told
		}
		report(strings.TrimSuffix(fmt.Sprintf("issuers[%d].%s", fault.Issuer, fault.Field), "."), fault.Rule)
	}
}
