package config

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/counterfoil/counterfoil/internal/authn"
)

// loadKeys reads the files of an issuer. Where one fails, what follows from
// its absence is not told as well.
func (i Issuer) loadKeys(path string, report func(path, rule string)) (authn.Issuer, bool) {
	c, whole := i.authnIssuer(), true
	for n, key := range i.Keys {
		public, err := readPublicKey(key.File)
		if err != nil {
			report(fmt.Sprintf("%s.keys[%d].file", path, n), err.Error())
			whole = false
		}
		c.Keys = append(c.Keys, authn.Key{ID: key.KID, Public: public})
	}
	if i.JWKS != nil && i.JWKS.CA != "" {
		var err error
		if c.JWKS.Roots, err = readAuthorities(i.JWKS.CA); err != nil {
			report(path+".jwks.ca", err.Error())
			whole = false
		}
	}
	return c, whole
}

// readPublicKey reads exactly one key. What is in the file, which may be a
// private key that was put there by mistake, gets into no error.
func readPublicKey(path string) (crypto.PublicKey, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" || strings.TrimSpace(string(rest)) != "" {
		return nil, errors.New("must hold one PEM block, a PUBLIC KEY")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, errors.New("holds no public key of a known kind")
	}
	return public, nil
}

func readAuthorities(path string) (*x509.CertPool, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("must hold certificates as PEM")
	}
	return pool, nil
}

func readFile(path string) (_ []byte, err error) {
	if path == "" {
		return nil, errors.New(ruleRequired)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if len(text) > MaxFileBytes {
		return nil, fmt.Errorf("is larger than %d bytes", MaxFileBytes)
	}
	return text, nil
}
