package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/config"
)

const traced = good + "telemetry: {otlp_endpoint: 'https://otel.example:4318', sample_ratio: 0.05}\n"

// loadTraced loads a configuration beside a headers file.
func loadTraced(t *testing.T, text, headers string) (*config.Serve, error) {
	t.Helper()
	path := folder(t, text)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "headers"), []byte(headers), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(path, noEnvironment, most)
}

func TestTelemetry(t *testing.T) {
	s, err := loadTraced(t, good, "")
	if err != nil || s.Telemetry != nil {
		t.Errorf("without the section: %+v, %v", s, err)
	}
	s, err = loadTraced(t, traced, "")
	if err != nil {
		t.Fatal(err)
	}
	if tr := s.Telemetry; tr.Endpoint != "https://otel.example:4318" || tr.SampleRatio != 0.05 || tr.ServiceName != "counterfoil" ||
		tr.Parent != "join" || tr.Headers() != nil || tr.Roots() != nil {
		t.Errorf("%+v", tr)
	}
	whole := strings.Replace(traced, "0.05", "1, service_name: vault.eu, parent: ignore, headers_file: headers, ca: ca.pem", 1)
	if _, err = loadTraced(t, whole, "# of the collector\nAuthorization: Bearer a:b\n\n  x-tenant :7 \n"); err == nil {
		t.Error("a name with a blank behind it: accepted")
	}
	s, err = loadTraced(t, whole, "# of the collector\nAuthorization: Bearer a:b\n\n  X-Tenant:7 \n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"authorization": "Bearer a:b", "x-tenant": "7"}, s.Telemetry.Headers()); diff != "" || s.Telemetry.Roots() == nil {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if tr := s.Telemetry; tr.ServiceName != "vault.eu" || tr.Parent != "ignore" || tr.SampleRatio != 1 || !filepath.IsAbs(tr.HeadersFile) {
		t.Errorf("%+v", tr)
	}
}

func TestPlainHTTPToACollectorIsSaid(t *testing.T) {
	for endpoint, ok := range map[string]bool{
		"http://127.0.0.1:4318": true, "http://[::1]:4318": true, "http://localhost": true,
		"http://otel.example:4318": false, "http://10.0.0.1": false, "http://localhost.example": false,
	} {
		text := strings.Replace(traced, "https://otel.example:4318", endpoint, 1)
		if _, err := loadTraced(t, text, ""); (err == nil) != ok {
			t.Errorf("%s: %v, want ok=%v", endpoint, err, ok)
		}
		said := strings.Replace(text, "0.05", "0.05, plain_http: true", 1)
		if _, err := loadTraced(t, said, ""); err != nil {
			t.Errorf("%s, said so: %v", endpoint, err)
		}
	}
}

func TestTelemetryTellsEveryFault(t *testing.T) {
	const rule = "telemetry.otlp_endpoint: must be https://host:port, with or without a path"
	const ratio = "telemetry.sample_ratio: must be a number over 0 and up to 1"
	const line = "telemetry.headers_file: has no header in line 1: it must be Name: value"
	const twice = "telemetry.headers_file: has a header in line 2 that is given twice, or is not its to set"
	file := []string{"0.05", "0.05, headers_file: headers"}
	for name, tt := range map[string]struct {
		change          []string
		headers, faults string
	}{
		"nothing in it":      {[]string{"{otlp_endpoint: 'https://otel.example:4318', sample_ratio: 0.05}", "{}"}, "", "telemetry.otlp_endpoint: is required\n" + ratio},
		"another protocol":   {[]string{"https://", "grpc://"}, "", rule},
		"no host":            {[]string{"https://otel.example:4318", "https://:4318"}, "", rule},
		"a password in it":   {[]string{"https://", "https://u:canary@"}, "", rule},
		"a query in it":      {[]string{":4318", ":4318/?key=canary"}, "", rule},
		"a fragment in it":   {[]string{":4318", ":4318/#canary"}, "", rule},
		"nothing is traced":  {[]string{"0.05", "0"}, "", ratio},
		"more than all":      {[]string{"0.05", "1.5"}, "", ratio},
		"per cent":           {[]string{"0.05", "5"}, "", ratio},
		"no number":          {[]string{"0.05", ".nan"}, "", ratio},
		"without end":        {[]string{"0.05", ".inf"}, "", ratio},
		"in words":           {[]string{"0.05", "canary"}, "", "telemetry.sample_ratio: must be a number"},
		"a name with blanks": {[]string{"0.05", "0.05, service_name: my vault"}, "", "telemetry.service_name: must be letters, digits or any of -._"},
		"another parent":     {[]string{"0.05", "0.05, parent: trust"}, "", "telemetry.parent: must be one of ignore, join, follow"},
		"no CA":              {[]string{"0.05", "0.05, ca: ec.pem"}, "", "telemetry.ca: must hold certificates as PEM"},
		"a CA for http":      {[]string{"https://otel.example:4318', sample_ratio: 0.05", "http://127.0.0.1', sample_ratio: 0.05, ca: ca.pem"}, "", "telemetry.ca: goes with an endpoint that is https only"},
		"http and https":     {[]string{"0.05", "0.05, plain_http: true"}, "", "telemetry.plain_http: cannot be true with an endpoint that is https"},
		"headers in clear":   {[]string{"https://otel.example:4318', sample_ratio: 0.05", "http://otel.example', sample_ratio: 1, plain_http: true, headers_file: headers"}, "a: canary", "telemetry.headers_file: cannot go over plain HTTP off the loopback interface"},
		"an unknown name":    {[]string{"0.05", "0.05, insecure: true"}, "", "telemetry.insecure: is no setting"},
		"no headers":         {file, "# none\n", "telemetry.headers_file: must hold from 1 to 16 headers, one in a line"},
		"too many headers":   {file, "a: 1\nb: 1\nc: 1\nd: 1\ne: 1\nf: 1\ng: 1\nh: 1\ni: 1\nj: 1\nk: 1\nl: 1\nm: 1\nn: 1\no: 1\np: 1\nq: 1\n", "telemetry.headers_file: must hold from 1 to 16 headers, one in a line"},
		"no colon":           {file, "canary\n", line},
		"no value":           {file, "canary:\n", line},
		"no name":            {file, ": canary\n", line},
		"a control sign":     {file, "a: can\x01ary\n", line},
		"no ASCII":           {file, "a: canaryé\n", line},
		"a name in two":      {file, "a canary: x\n", line},
		"a header twice":     {file, "A: canary\na: canary\n", twice},
		"one of the client":  {file, "a: 1\nContent-Type: canary\n", twice},
		"a line too long":    {file, "a: " + strings.Repeat("c", 1<<17), "telemetry.headers_file: must hold from 1 to 16 headers, one in a line"},
	} {
		text := strings.Replace(traced, tt.change[0], tt.change[1], 1)
		if strings.HasPrefix(tt.change[0], "https://") || strings.HasPrefix(tt.change[0], ":4318") {
			at := strings.Index(traced, "telemetry:")
			text = traced[:at] + strings.Replace(traced[at:], tt.change[0], tt.change[1], 1)
		}
		_, err := loadTraced(t, text, tt.headers)
		var faults config.Faults
		if text == traced || !errors.As(err, &faults) {
			t.Errorf("%s: error %v", name, err)
			continue
		}
		var got []string
		for _, fault := range faults {
			got = append(got, fault.String())
		}
		if strings.Join(got, "\n") != tt.faults || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s:\n%s\nwant:\n%s", name, strings.Join(got, "\n"), tt.faults)
		}
	}
	missing := strings.Replace(traced, "0.05", "0.05, headers_file: none", 1)
	if _, err := loadTraced(t, missing, ""); err == nil || !strings.Contains(err.Error(), "telemetry.headers_file: cannot be read") {
		t.Errorf("no file: %v", err)
	}
}
