package main

import (
	"fmt"
	"os"
	"time"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/certificate"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/localkey"
)

// configFile is the flag of every command that needs a configuration.
type configFile struct {
	Config string `required:"" type:"path" env:"COUNTERFOIL_CONFIG" placeholder:"FILE" help:"Configuration of the service, a YAML file."`
}

type configCommands struct {
	Check configCheckCommand `cmd:"" help:"Say OK, or every fault with the path of its setting."`
}

type configCheckCommand struct{ configFile }

// Help says what is not checked.
func (configCheckCommand) Help() string {
	return "The files that the configuration names are read too: keys, certificates, the key file.\n" +
		"No issuer is asked and the database is left alone. Exit code 0: it would start; 1: it would not."
}

// Run prints OK and what could be better, or fails with every fault.
func (c configCheckCommand) Run(s streams) error {
	cfg, err := config.Load(c.Config, os.Getenv, interfaceLimits())
	if err == nil {
		err = checkFiles(cfg)
	}
	if err != nil {
		return err
	}
	for _, advice := range cfg.Advice() {
		if _, err := fmt.Fprintln(s.out, "advice:", advice); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(s.out, "OK")
	return err
}

// checkFiles opens what serve would open, and leaves it as it is.
func checkFiles(cfg *config.Serve) error {
	var faults config.Faults
	if cfg.Keys.Local != nil {
		key, err := localkey.Open(cfg.Keys.Local.File)
		if err == nil {
			err = key.Close()
		}
		if err != nil {
			faults = append(faults, config.Fault{Path: "keys.local.file", Rule: err.Error()})
		}
	}
	if _, err := assembly.BackendsOf(cfg); err != nil {
		faults = append(faults, config.Fault{Rule: err.Error()})
	}
	if cfg.Encrypted() {
		if _, err := certificate.Open(tlsFiles(cfg), time.Now); err != nil {
			faults = append(faults, config.Fault{Path: "tls", Rule: err.Error()})
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// loadConfig is for commands that go on with what they read.
func loadConfig(path string) (*config.Serve, error) {
	cfg, err := config.Load(path, os.Getenv, interfaceLimits())
	if err != nil {
		return nil, &exitCoded{exitUsage, err}
	}
	return cfg, nil
}

func tlsFiles(cfg *config.Serve) certificate.Files {
	return certificate.Files{Cert: cfg.TLS.Cert, Key: cfg.TLS.Key, ClientCA: cfg.TLS.ClientCA}
}

// interfaceLimits are the most that a configuration may ask for.
func interfaceLimits() config.Limits {
	body, bodies, requests := int64(httpapi.MaxBodyBytes), int64(httpapi.MaxBodyBytesInFlight), int64(httpapi.MaxInFlight)
	seconds := int64(httpapi.RequestTimeout / time.Second)
	return config.Limits{BodyBytes: &body, BodyBytesInFlight: &bodies, RequestsInFlight: &requests, RequestSeconds: &seconds}
}

// apiLimits are those of a configuration; what it leaves out is the default.
func apiLimits(l config.Limits) httpapi.Limits {
	given := func(value *int64) int64 {
		if value == nil {
			return 0
		}
		return *value
	}
	return httpapi.Limits{
		BodyBytes: given(l.BodyBytes), BodyBytesInFlight: given(l.BodyBytesInFlight),
		InFlight: given(l.RequestsInFlight), Request: time.Duration(given(l.RequestSeconds)) * time.Second,
	}
}
