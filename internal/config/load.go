package config

import (
	"fmt"
	"os"
	"path/filepath"
)

// The environment variables that win over the file. There are no others.
const (
	EnvListen      = "COUNTERFOIL_LISTEN"
	EnvEnvironment = "COUNTERFOIL_ENVIRONMENT"
	EnvReplica     = "COUNTERFOIL_REPLICA"
)

// MaxFileBytes bounds the file and those that it names: hundreds of issuers,
// or the bundle of all public authorities.
const MaxFileBytes = 1 << 20

const ruleRequired = "is required"

// Load reads a file, what the environment adds, and the keys of the issuers.
// Whatever is wrong is in one Faults. No limit may be over most.
func Load(path string, getenv func(string) string, most Limits) (*Serve, error) {
	var faults Faults
	text, err := readFile(path)
	if err != nil {
		return nil, Faults{{Rule: "the file " + err.Error()}}
	}
	s := &Serve{}
	if err := decode(text, s, faults.report); err != nil {
		return nil, Faults{{Rule: "the file " + err.Error()}}
	}
	if err := s.complete(path, getenv); err != nil {
		return nil, err
	}
	s.validate(most, faults.report)
	s.loadIssuers(faults.report)
	if len(faults) > 0 {
		return nil, faults
	}
	return s, nil
}

// complete adds what the file leaves to the environment and to its place.
func (s *Serve) complete(path string, getenv func(string) string) error {
	for name, field := range map[string]*string{
		EnvListen: &s.Listen, EnvEnvironment: &s.Environment, EnvReplica: &s.Replica,
	} {
		if value := getenv(name); value != "" {
			*field = value
		}
	}
	if s.Replica == "" {
		s.Replica, _ = os.Hostname() // where it has none, replica is a required setting
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	for _, name := range s.paths() {
		if *name != "" && !filepath.IsAbs(*name) {
			*name = filepath.Join(folder, *name)
		}
	}
	return nil
}

// paths are all settings that name a file or a folder.
func (s *Serve) paths() []*string {
	paths := append(s.backendPaths(), &s.Data, &s.Anchors)
	if s.TLS != nil {
		paths = append(paths, &s.TLS.Cert, &s.TLS.Key, &s.TLS.ClientCA)
	}
	paths = append(paths, s.webhookPaths()...)
	paths = append(paths, s.exportPaths()...)
	paths = append(paths, s.detectionPaths()...)
	if s.Policy != nil {
		paths = append(paths, &s.Policy.Path)
	}
	if s.Telemetry != nil {
		paths = append(paths, &s.Telemetry.HeadersFile, &s.Telemetry.CA)
	}
	for n := range s.Issuers {
		if s.Issuers[n].JWKS != nil {
			paths = append(paths, &s.Issuers[n].JWKS.CA)
		}
		for k := range s.Issuers[n].Keys {
			paths = append(paths, &s.Issuers[n].Keys[k].File)
		}
	}
	return paths
}
