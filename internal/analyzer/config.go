package analyzer

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The limits of a client.
const (
	// DefaultTimeout is for a model on a CPU and a long message; MaxTimeout is what
	// a request has in all.
	DefaultTimeout = 2 * time.Second
	MaxTimeout     = 20 * time.Second
	// MaxLanguages: each of them is a call of its own.
	MaxLanguages = 5
	// MaxEntities bounds the list and the map; the catalogue is not longer.
	MaxEntities = 256
	// MaxAnswerBytes is that of 10,000 findings with all that Presidio says of them.
	MaxAnswerBytes = 8 << 20
	// MaxFindings is what a request may hold in all.
	MaxFindings = 10_000
	// MaxConnections to one analyzer; further calls wait for one of them.
	MaxConnections = 32
	// BreakAfter failures in a row open the breaker, for BreakFor.
	BreakAfter = 5
	BreakFor   = 5 * time.Second
	// DefaultMinScore is where our own rules divide what stands by itself from what does not.
	DefaultMinScore = 0.5
)

// Others stands in Config.Map for every entity that is not named there.
const Others = "*"

// Config is one analyzer.
type Config struct {
	// URL is where it is; /analyze is added.
	URL string
	// PlainHTTP lets the URL be http off the loopback interface.
	PlainHTTP bool
	// Roots may vouch for it; nil means those of the system.
	Roots *x509.CertPool
	// Bearer goes with each call, where it is not empty.
	Bearer string
	// Languages are asked for one by one; nil means English.
	Languages []string
	// Entities are what is asked for, by the analyzer's names; nil means all it knows.
	Entities []string
	// Known are the entities of the catalogue.
	Known []string
	// Map turns names of the analyzer into entities of the catalogue; "" leaves the
	// findings out. What is neither mapped nor known is refused.
	Map map[string]string
	// MinScore is the lowest that counts; 0 means DefaultMinScore.
	MinScore float64
	// Timeout is for all calls of one text; 0 means DefaultTimeout.
	Timeout time.Duration
}

// ErrConfig is every refusal of a configuration.
var ErrConfig = errors.New("analyzer: refused configuration")

// Fault is a rule that a field breaks. It never has the value.
type Fault struct{ Field, Rule string }

func (f *Fault) Error() string { return ErrConfig.Error() + ": " + f.Field + ": " + f.Rule }

// Unwrap makes a Fault an ErrConfig.
func (f *Fault) Unwrap() error { return ErrConfig }

var (
	languageName = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$`)
	// theirEntity is what a name of an analyzer may look like, so that it can stand in a rule and in an error.
	theirEntity = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)
)

// Check returns every rule that the configuration breaks.
func (c Config) Check() []*Fault {
	var faults []*Fault
	report := func(field, rule string) { faults = append(faults, &Fault{field, rule}) }
	if rule := c.urlRule(); rule != "" {
		report("url", rule)
	}
	if len(c.Languages) > MaxLanguages {
		report("languages", fmt.Sprintf("must be %d at most", MaxLanguages))
	}
	for n, l := range c.Languages {
		if !languageName.MatchString(l) || slices.Contains(c.Languages[:n], l) {
			report(fmt.Sprintf("languages[%d]", n), "must be a language such as en, once")
		}
	}
	if len(c.Entities) > MaxEntities || len(c.Map) > MaxEntities {
		report("entities", fmt.Sprintf("must be %d at most, and so the map", MaxEntities))
	}
	for n, e := range c.Entities {
		if !theirEntity.MatchString(e) {
			report(fmt.Sprintf("entities[%d]", n), "must be a name of letters, digits, - and _")
		}
	}
	for from, to := range c.Map {
		if from != Others && !theirEntity.MatchString(from) {
			report("map", "must have names of letters, digits, - and _, or *")
		}
		if to != "" && !slices.Contains(c.Known, to) {
			report("map", "must lead to entities of the catalogue, or to nothing")
		}
	}
	if !(c.MinScore >= 0 && c.MinScore <= 1) {
		report("min_score", "must be a number over 0 and up to 1")
	}
	if c.Timeout < 0 || c.Timeout > MaxTimeout {
		report("timeout", "must be up to "+MaxTimeout.String())
	}
	if strings.ContainsFunc(c.Bearer, func(r rune) bool { return r <= ' ' || r > '~' }) {
		report("bearer", "must be one word of printable ASCII")
	}
	return faults
}

// urlRule is the rule that the address breaks, or "".
func (c Config) urlRule() string {
	u, err := url.Parse(c.URL)
	switch {
	case err != nil, u.Hostname() == "", u.Scheme != "https" && u.Scheme != "http":
		return "must be https://host:port, with or without a path"
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return "must have no user, query or fragment"
	case u.Scheme == "https" && c.PlainHTTP:
		return "cannot be https with plain HTTP"
	case u.Scheme == "https", isLoopback(u.Hostname()):
		return ""
	case !c.PlainHTTP:
		return "must be https off the loopback interface, or plain HTTP asked for"
	case c.Bearer != "":
		return "must be https where a credential goes with it"
	}
	return ""
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
