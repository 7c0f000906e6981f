package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	signednote "golang.org/x/mod/sumdb/note"

	"github.com/counterfoil/counterfoil/internal/access"
)

const (
	// signatureFile is where a signature stands in a policy.
	signatureFile = "bundle.sig"
	// maxPolicyKey bounds the file of a key, which is one line.
	maxPolicyKey = 4 << 10
	// policyFileMode lets the service read what a policy owner made.
	policyFileMode = 0o644
)

type policyPackCommand struct {
	Policy string `arg:"" optional:"" type:"path" help:"A policy: a directory, a .tar or a .tar.gz. Default: the shipped one."`
	Out    string `short:"o" required:"" type:"path" placeholder:"FILE" help:"Where to write the .tar.gz."`
}

// Help says what is packed.
func (policyPackCommand) Help() string {
	return "The same policy is packed into the same bytes. One whose tables or texts fail is not packed."
}

// Run packs, and prints the version.
func (c policyPackCommand) Run(ctx context.Context, s streams) error {
	bundle, err := openBundle(c.Policy)
	if err != nil {
		return err
	}
	if err := believed(ctx, bundle); err != nil {
		return err
	}
	packed, err := bundle.Pack()
	if err != nil {
		return err
	}
	if err := replaceFile(c.Out, packed); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "packed %s\nversion %s\ntests   %s\n", c.Out, bundle.Version(), bundle.TestsDigest())
	return err
}

// replaceFile writes a file whole or not at all: a service may read it meanwhile.
func replaceFile(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".policy-*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Chmod(policyFileMode), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

type policyKeygenCommand struct {
	Name string `arg:"" help:"Name of the key, as in policy.example.com: no spaces, no +."`
	Out  string `short:"o" required:"" type:"path" placeholder:"FILE" help:"Where to write the private key. It must not exist."`
}

// Help says who keeps which key.
func (policyKeygenCommand) Help() string {
	return "The private key stays with those who approve policies. What is printed is the public key, for policy.key\n" +
		"in the configuration of the service and for `counterfoil policy verify`."
}

// Run makes the key and prints the public one.
func (c policyKeygenCommand) Run(s streams) error {
	private, public, err := signednote.GenerateKey(nil, c.Name)
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	// The name is checked by those who read keys, not by who makes them.
	if _, err := signednote.NewVerifier(public); err != nil {
		return &exitCoded{exitUsage, errors.New("the name of a key has no spaces and no +")}
	}
	file, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteString(private + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(c.Out))
	}
	_, err = fmt.Fprintln(s.out, public)
	return err
}

type policySignCommand struct {
	Policy string `arg:"" type:"path" help:"A policy: a directory, which gets a bundle.sig, or a file, which is packed again."`
	Key    string `required:"" type:"path" placeholder:"FILE" help:"Private key, as 'policy keygen' wrote it."`
}

// Help says what a signature covers.
func (policySignCommand) Help() string {
	return "A signature covers every file. It takes the place of one that is there. A policy whose tables or texts fail is\n" +
		"not signed."
}

// Run signs.
func (c policySignCommand) Run(ctx context.Context, s streams) error {
	signer, err := readSigner(c.Key)
	if err != nil {
		return err
	}
	bundle, err := openBundle(c.Policy)
	if err != nil {
		return err
	}
	if err := believed(ctx, bundle); err != nil {
		return err
	}
	if err := bundle.Sign(signer); err != nil {
		return err
	}
	if err := c.write(bundle); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "signed %s\nversion %s\n", c.Policy, bundle.Version())
	return err
}

func (c policySignCommand) write(bundle *access.Bundle) error {
	info, err := os.Stat(c.Policy)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		packed, err := bundle.Pack()
		if err != nil {
			return err
		}
		return replaceFile(c.Policy, packed)
	}
	signature, err := fs.ReadFile(bundle.FS(), signatureFile)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(c.Policy, signatureFile), signature)
}

func readSigner(path string) (signednote.Signer, error) {
	text, err := readBounded(path, maxPolicyKey)
	if err != nil {
		return nil, fmt.Errorf("--key: %w", err)
	}
	signer, err := signednote.NewSigner(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, errors.New("--key: the file has no private key as 'policy keygen' writes it")
	}
	return signer, nil
}

type policyVerifyCommand struct {
	Policy string `arg:"" type:"path" help:"A policy: a directory, a .tar or a .tar.gz."`
	Key    string `required:"" placeholder:"KEY" help:"Public key, or a file with it."`
}

// Run checks what a service checks before it takes a policy, and prints what the
// policy says of where it comes from.
func (c policyVerifyCommand) Run(ctx context.Context, s streams) error {
	key, err := verifierKey(c.Key)
	if err != nil {
		return &exitCoded{exitUsage, err}
	}
	bundle, err := openBundle(c.Policy)
	if err != nil {
		return err
	}
	if err := bundle.VerifySignature(key); err != nil {
		return err
	}
	if err := believed(ctx, bundle); err != nil {
		return err
	}
	change := bundle.Change()
	_, err = fmt.Fprintf(s.out, "SIGNED version=%s tests=%s pr=%s commit=%s\n", bundle.Version(), bundle.TestsDigest(),
		cmp.Or(change.PR, "none"), cmp.Or(change.Commit, "none"))
	return err
}

// verifierKey takes a key as it is, or a file with it.
func verifierKey(key string) (string, error) {
	if _, err := signednote.NewVerifier(key); err == nil {
		return key, nil
	}
	text, err := readBounded(key, maxPolicyKey)
	if err == nil {
		key = strings.TrimSpace(string(text))
		_, err = signednote.NewVerifier(key)
	}
	if err != nil {
		return "", errors.New("--key: it is neither a public key nor a file with one")
	}
	return key, nil
}
