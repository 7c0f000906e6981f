package config

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Telemetry is where traces of requests are sent. Without it none are made.
type Telemetry struct {
	// Endpoint is the collector, for OTLP over HTTP.
	Endpoint string `yaml:"otlp_endpoint"`
	// SampleRatio is how many of the requests are traced, 1 being all.
	SampleRatio float64 `yaml:"sample_ratio"`
	// ServiceName is what the traces call this service.
	ServiceName string `yaml:"service_name"`
	// Parent says what the traceparent of a caller counts for: "join" unless
	// given. See package telemetry.
	Parent string `yaml:"parent"`
	// HeadersFile holds headers that go with what is sent, one in a line, such
	// as a credential: a secret.
	HeadersFile string `yaml:"headers_file"`
	// CA is a PEM file of the authorities that may vouch for the collector.
	CA string `yaml:"ca"`
	// PlainHTTP lets an endpoint be http off the loopback interface.
	PlainHTTP bool `yaml:"plain_http"`

	headers map[string]string
	roots   *x509.CertPool
}

// The defaults of Telemetry.
const (
	defaultServiceName = "counterfoil"
	defaultParent      = "join"
)

// parents are those of package telemetry.
var parents = []string{"ignore", "join", "follow"}

// Headers are those of the headers file, as Load found them.
func (t *Telemetry) Headers() map[string]string { return t.headers }

// Roots are the authorities of the CA file, nil for those of the system.
func (t *Telemetry) Roots() *x509.CertPool { return t.roots }

func (s *Serve) validateTelemetry(report func(path, rule string)) {
	t := s.Telemetry
	if t == nil {
		return
	}
	t.validateEndpoint(report)
	// Written so that it holds for what is no number, too.
	if inRange := t.SampleRatio > 0 && t.SampleRatio <= 1; !inRange {
		report("telemetry.sample_ratio", "must be a number over 0 and up to 1")
	}
	if t.ServiceName == "" {
		t.ServiceName = defaultServiceName
	}
	if !audit.IsName(t.ServiceName) {
		report("telemetry.service_name", "must be letters, digits or any of -._")
	}
	if t.Parent == "" {
		t.Parent = defaultParent
	}
	if !slices.Contains(parents, t.Parent) {
		report("telemetry.parent", "must be one of "+strings.Join(parents, ", "))
	}
	var err error
	if t.HeadersFile != "" {
		if t.headers, err = readHeaders(t.HeadersFile); err != nil {
			report("telemetry.headers_file", err.Error())
		}
	}
	if t.CA != "" {
		if t.roots, err = readAuthorities(t.CA); err != nil {
			report("telemetry.ca", err.Error())
		}
	}
}

func (t *Telemetry) validateEndpoint(report func(path, rule string)) {
	const path = "telemetry.otlp_endpoint"
	endpoint, err := url.Parse(t.Endpoint)
	switch {
	case t.Endpoint == "":
		report(path, ruleRequired)
	case err != nil, endpoint.Hostname() == "", endpoint.User != nil, endpoint.RawQuery != "", endpoint.ForceQuery, endpoint.Fragment != "",
		endpoint.Scheme != "https" && endpoint.Scheme != "http":
		report(path, "must be https://host:port, with or without a path")
	case endpoint.Scheme == "https":
		if t.PlainHTTP {
			report("telemetry.plain_http", "cannot be true with an endpoint that is https")
		}
	case t.CA != "":
		report("telemetry.ca", "goes with an endpoint that is https only")
	case loopback(hostPort(endpoint)):
	case !t.PlainHTTP:
		report(path, "must be https off the loopback interface, or plain_http true")
	case t.HeadersFile != "":
		report("telemetry.headers_file", "cannot go over plain HTTP off the loopback interface")
	}
}

// reservedHeaders are those that the exporter sets.
var reservedHeaders = []string{"content-type", "content-length", "content-encoding", "host", "user-agent", "transfer-encoding", "connection"}

// maxHeaders bounds the headers file; collectors ask for one or two.
const maxHeaders = 16

// readHeaders reads lines of the form "Name: value". Errors show the number of
// a line and never what is in it.
func readHeaders(path string) (map[string]string, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	headers := map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		name, value = strings.ToLower(name), strings.TrimSpace(value)
		switch _, twice := headers[name]; {
		case !found, !isHeaderName(name), !isHeaderValue(value):
			return nil, fmt.Errorf("has no header in line %d: it must be Name: value", n)
		case twice, slices.Contains(reservedHeaders, name):
			return nil, fmt.Errorf("has a header in line %d that is given twice, or is not its to set", n)
		}
		headers[name] = value
	}
	if lines.Err() != nil || len(headers) == 0 || len(headers) > maxHeaders {
		return nil, errors.New("must hold from 1 to 16 headers, one in a line")
	}
	return headers, nil
}

// isHeaderName is the token of RFC 9110 section 5.6.2, in lower case.
func isHeaderName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") == ""
}

// isHeaderValue lets printable ASCII through: credentials are nothing else.
func isHeaderValue(value string) bool {
	return value != "" && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' })
}
