package config

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/webhook"
)

// Webhooks says who is told of what happens. See package webhook for the rules.
type Webhooks struct {
	// AllowHosts are the hosts that an endpoint may have, each exactly.
	AllowHosts []string `yaml:"allow_hosts"`
	// CA is a PEM file of the authorities that may vouch for endpoints, where the
	// system's may not.
	CA        string     `yaml:"ca"`
	Endpoints []Endpoint `yaml:"endpoints"`

	config webhook.Config
}

// Endpoint is one that is told.
type Endpoint struct {
	Name string `yaml:"name"`
	URL  string `yaml:"url"`
	// SecretFile holds the secrets that sign, one in a line: the one in use and,
	// while they are changed over, another.
	SecretFile string `yaml:"secret_file"`
	// Kinds are those of entries; all where it is left out.
	Kinds    []string `yaml:"kinds"`
	Tenants  []string `yaml:"tenants"`
	Internal bool     `yaml:"internal"` // in a network of one's own
}

// Config is who is told, with the secrets, as Load found them; nobody where the
// configuration has no webhooks.
func (w *Webhooks) Config() webhook.Config {
	if w == nil {
		return webhook.Config{}
	}
	return w.config
}

// webhookPaths are the settings of this file that name a file.
func (s *Serve) webhookPaths() []*string {
	if s.Webhooks == nil {
		return nil
	}
	paths := []*string{&s.Webhooks.CA}
	for n := range s.Webhooks.Endpoints {
		paths = append(paths, &s.Webhooks.Endpoints[n].SecretFile)
	}
	return paths
}

func (s *Serve) validateWebhooks(report func(path, rule string)) {
	const path = "webhooks"
	w := s.Webhooks
	if w == nil {
		return
	}
	if len(w.Endpoints) == 0 {
		report(path+".endpoints", ruleRequired)
	}
	w.config = webhook.Config{AllowHosts: w.AllowHosts, Roots: w.roots(report), Development: s.Environment == "development"}
	for n, e := range w.Endpoints {
		place := fmt.Sprintf("%s.endpoints[%d]", path, n)
		secrets, err := readSecrets(e.SecretFile)
		if err != nil {
			report(place+".secret_file", err.Error())
		}
		s.validateWants(place, e, report)
		w.config.Endpoints = append(w.config.Endpoints, webhook.Endpoint{
			Name: e.Name, URL: e.URL, Secrets: secrets, Kinds: e.Kinds, Tenants: e.Tenants, Internal: e.Internal,
		})
	}
	for _, fault := range webhook.Check(w.config) {
		if strings.HasSuffix(fault.Field, ".secrets") {
			continue // the file has been told
		}
		report(path+"."+fault.Field, fault.Rule)
	}
}

func (w *Webhooks) roots(report func(path, rule string)) *x509.CertPool {
	if w.CA == "" {
		return nil
	}
	roots, err := readAuthorities(w.CA)
	if err != nil {
		report("webhooks.ca", err.Error())
	}
	return roots
}

// validateWants refuses what would never be told: a kind or a tenant that is
// misspelt.
func (s *Serve) validateWants(place string, e Endpoint, report func(path, rule string)) {
	for n, kind := range e.Kinds {
		if !slices.ContainsFunc(audit.Kinds(), func(known audit.KindInfo) bool { return string(known.Kind) == kind }) {
			report(fmt.Sprintf("%s.kinds[%d]", place, n), "must be a kind of entry")
		}
	}
	for n, tenant := range e.Tenants {
		if tenant != vault.SystemTenant && !s.spokenFor(tenant) {
			report(fmt.Sprintf("%s.tenants[%d]", place, n), ruleSpokenFor+", or "+vault.SystemTenant)
		}
	}
}

// readSecrets reads lines that hold a secret each. Errors show the number of a
// line and never what is in it.
func readSecrets(path string) ([][]byte, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	var secrets [][]byte
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		secret, err := webhook.ParseSecret(line)
		if err != nil {
			return nil, fmt.Errorf("has no secret in line %d: it must be whsec_ and the base64 of %d to %d bytes",
				n, webhook.MinSecretBytes, webhook.MaxSecretBytes)
		}
		secrets = append(secrets, secret)
	}
	if lines.Err() != nil || len(secrets) == 0 || len(secrets) > webhook.MaxSecrets {
		return nil, errors.New("must hold from 1 to 3 secrets, one in a line")
	}
	return secrets, nil
}
