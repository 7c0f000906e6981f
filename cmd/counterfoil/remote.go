package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/counterfoil/counterfoil/client"
)

// remote is a service that a command speaks to as its caller.
type remote struct {
	URL        string   `name:"url" required:"" env:"COUNTERFOIL_URL" help:"Address of the service."`
	BearerFile string   `required:"" type:"path" env:"COUNTERFOIL_BEARER_FILE" help:"File with the bearer JWT of the caller."`
	CA         string   `name:"ca" type:"path" help:"PEM file of the authority that signed the service's certificate, in place of the system's."`
	LogKey     []string `help:"Verifier key of the tenant's log. Without it the service's own word is taken."`
	JSON       bool     `name:"json" help:"Print the answer as JSON."`
}

// maxInput bounds a file that a command reads: a request of the service's
// largest is smaller.
const maxInput = 8 << 20

func (r *remote) open() (*client.Client, error) {
	config := client.Config{
		Token:   func(context.Context) (string, error) { return readBearer(r.BearerFile) },
		LogKeys: r.LogKey, TrustOnFirstUse: len(r.LogKey) == 0, UserAgent: "counterfoil/" + version,
	}
	if r.CA != "" {
		pem, err := os.ReadFile(r.CA)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, errors.New("--ca holds no certificate")
		}
		transport, ok := http.DefaultTransport.(*http.Transport)
		if !ok {
			return nil, errors.New("the standard transport was replaced")
		}
		own := transport.Clone()
		own.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}
		config.HTTP = &http.Client{Transport: own}
	}
	return client.New(r.URL, config)
}

func readBearer(path string) (string, error) {
	text, err := os.ReadFile(path)
	return strings.TrimSpace(string(text)), err
}

// print prints an answer: as JSON, or as people read it.
func (r *remote) print(s streams, answer any, people func(w io.Writer)) error {
	var out bytes.Buffer
	if r.JSON {
		encoder := json.NewEncoder(&out)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(answer); err != nil {
			return fmt.Errorf("encode the answer: %w", err)
		}
	} else {
		people(&out)
	}
	_, err := out.WriteTo(s.out)
	return err
}

// readJSON reads a file, or standard input for "-": what names people does not
// belong on a command line, which every process of the machine can read.
func readJSON(path string, into any) error {
	text, err := readInput(path)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if decoder.Decode(into) != nil || decoder.More() {
		// What the decoder says quotes the input.
		return errors.New("the input is not JSON of the form that --help shows")
	}
	return nil
}

func readInput(path string) ([]byte, error) {
	var in io.Reader = os.Stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxInput:
		return nil, errors.New("the input is too long")
	}
	return text, nil
}

// problem puts the words of the service and what to mend into an error, which
// by itself holds codes only.
func problem(err error) error {
	var p *client.Problem
	if !errors.As(err, &p) {
		return err
	}
	lines := []string{err.Error()}
	if p.Detail != "" {
		lines = append(lines, p.Detail)
	}
	for _, v := range p.Violations {
		lines = append(lines, v.Field+" "+v.Rule)
	}
	return errors.New(strings.Join(lines, "\n  "))
}
