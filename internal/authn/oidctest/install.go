package oidctest

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // the files below
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed package.json
var manifest []byte

//go:embed package-lock.json
var lock []byte

//go:embed provider.mjs
var program []byte

// MinNode is the oldest node that the provider runs on.
const MinNode = 20

// installTimeout is for 34 small packages over a slow line.
const installTimeout = 3 * time.Minute

// errNoNode is why a test is skipped.
var errNoNode = fmt.Errorf("oidctest: no node %d or newer with npm: `make deps` installs it", MinNode)

// findNode returns errNoNode where the provider cannot run here.
func findNode(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "node", "--version").Output()
	if err != nil {
		return errNoNode
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(string(out), "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < MinNode {
		return errNoNode
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return errNoNode
	}
	return nil
}

// installed returns the folder with the packages of the lock file, and fills it
// first if need be. It is filled under another name and renamed, so that one that
// is there is whole.
func installed(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("oidctest: %w", err)
	}
	digest := sha256.Sum256(lock)
	folder := filepath.Join(cache, "counterfoil", "tools", "oidctest-"+hex.EncodeToString(digest[:8]))
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o750); err != nil {
		return "", fmt.Errorf("oidctest: %w", err)
	}
	fresh, err := os.MkdirTemp(filepath.Dir(folder), "oidctest-new-")
	if err != nil {
		return "", fmt.Errorf("oidctest: %w", err)
	}
	defer func() { _ = os.RemoveAll(fresh) }() // it is gone where all went well
	for name, content := range map[string][]byte{"package.json": manifest, "package-lock.json": lock} {
		if err := os.WriteFile(filepath.Join(fresh, name), content, 0o600); err != nil {
			return "", fmt.Errorf("oidctest: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	npm := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent")
	npm.Dir = fresh
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("oidctest: npm ci: %w\n%s", err, bytes.TrimSpace(out))
	}
	// Another process may have been faster.
	if err := os.Rename(fresh, folder); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, there := os.Stat(folder); there != nil {
			return "", fmt.Errorf("oidctest: %w", err)
		}
	}
	return folder, nil
}
