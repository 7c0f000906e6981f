package webhook

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	namePattern   = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	tenantPattern = regexp.MustCompile(`^_?[a-z0-9][a-z0-9_-]{0,62}$`) // _system is one
	kindPattern   = regexp.MustCompile(`^[a-z][a-z0-9_.]{0,62}$`)
	hostPattern   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$`)
	noticePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,` + strconv.Itoa(MaxIDBytes) + `}$`)
)

// Check returns every rule that the configuration breaks.
func Check(c Config) []*Fault {
	var faults []*Fault
	report := func(field, rule string) { faults = append(faults, &Fault{Field: field, Rule: rule}) }
	if c.Timeout < 0 || c.Timeout > MaxTimeout {
		report("timeout", "must be up to "+MaxTimeout.String())
	}
	if len(c.Endpoints) > MaxEndpoints {
		report("endpoints", fmt.Sprintf("must be %d at most", MaxEndpoints))
	}
	for n, host := range c.AllowHosts {
		if !isHost(host) {
			report(fmt.Sprintf("allow_hosts[%d]", n), "must be a host in lower case, or host:port, without a wildcard")
		}
	}
	names := map[string]bool{}
	for n, e := range c.Endpoints {
		path := fmt.Sprintf("endpoints[%d].", n)
		if !namePattern.MatchString(e.Name) {
			report(path+"name", "must match "+namePattern.String())
		} else if names[e.Name] {
			report(path+"name", "is given twice")
		}
		names[e.Name] = true
		if rule := e.rule(c); rule != "" {
			report(path+"url", rule)
		}
		e.checkSecrets(path, report)
		e.checkWants(path, report)
	}
	return faults
}

// rule returns the rule that the address breaks, or "".
func (e Endpoint) rule(c Config) string {
	u, err := url.Parse(e.URL)
	switch {
	case err != nil || u.Hostname() == "" || !isHost(u.Host):
		return "must be a URL with a host in lower case"
	case u.User != nil:
		return "must not hold a user name or a password"
	case u.Fragment != "":
		return "must not have a fragment"
	case u.Scheme != "https" && (u.Scheme != "http" || !c.Development || !isLoopback(u.Hostname())):
		return "must be https, or http to a loopback address in the development mode"
	case !slices.Contains(c.AllowHosts, u.Host):
		return "must have a host that is in allow_hosts"
	}
	return ""
}

// reach is for an endpoint without a fault.
func (e Endpoint) reach() reach {
	u, err := url.Parse(e.URL)
	switch {
	case err == nil && u.Scheme == "http":
		return loopback
	case e.Internal:
		return internal
	}
	return public
}

// isHost accepts one spelling of a host, so that equal hosts are equal texts:
// names in ASCII without a dot at the end, addresses as netip prints them.
func isHost(text string) bool {
	host := text
	if name, port, err := net.SplitHostPort(text); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
			return false
		}
		host = name
		if text[0] == '[' {
			host = "[" + name + "]"
		}
	}
	if inner, bracketed := strings.CutPrefix(host, "["); bracketed {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && addr.Is6() && addr.Zone() == "" && "["+addr.String()+"]" == host
	}
	return len(host) <= maxHostBytes && hostPattern.MatchString(host)
}

// maxHostBytes is that of a name in the DNS.
const maxHostBytes = 253

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && addr.IsLoopback())
}

func (e Endpoint) checkSecrets(path string, report func(field, rule string)) {
	if len(e.Secrets) == 0 || len(e.Secrets) > MaxSecrets {
		report(path+"secrets", fmt.Sprintf("must be from 1 to %d", MaxSecrets))
	}
	for _, secret := range e.Secrets {
		if len(secret) < MinSecretBytes || len(secret) > MaxSecretBytes {
			report(path+"secrets", fmt.Sprintf("must have from %d to %d bytes each", MinSecretBytes, MaxSecretBytes))
			return
		}
	}
}

// checkWants demands tenants: nobody is told about a tenant by being left out
// of a list.
func (e Endpoint) checkWants(path string, report func(field, rule string)) {
	if len(e.Tenants) == 0 {
		report(path+"tenants", "is required")
	}
	for n, tenant := range e.Tenants {
		if !tenantPattern.MatchString(tenant) {
			report(fmt.Sprintf("%stenants[%d]", path, n), "must match "+tenantPattern.String())
		}
	}
	for n, kind := range e.Kinds {
		if !kindPattern.MatchString(kind) {
			report(fmt.Sprintf("%skinds[%d]", path, n), "must match "+kindPattern.String())
		}
	}
}
