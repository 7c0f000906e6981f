package system

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// root is the folder of the product's module. The harness must not be built with
// -trimpath, which would hide it.
func root() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Dir(filepath.Dir(filepath.Dir(file)))
	if _, err := os.Stat(filepath.Join(dir, "cmd", Counterfoil)); err != nil {
		return "", errors.New("system: the sources are not where the harness was built; `go run .` in bench/ builds it in place")
	}
	return dir, nil
}

// build makes the two programs, as the Makefile does for a release.
func (s *Site) build(ctx context.Context) error {
	dir, err := root()
	if err != nil {
		return err
	}
	s.commit = describe(ctx, dir)
	s.binary, s.floor = s.path("bin", Counterfoil), s.path("bin", Floor)
	if err := compile(ctx, dir, s.binary, "./cmd/"+Counterfoil, s.commit); err != nil {
		return err
	}
	return compile(ctx, filepath.Join(dir, "bench"), s.floor, "./"+Floor, s.commit)
}

func compile(ctx context.Context, dir, out, pkg, version string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "nomsgpack",
		"-ldflags", "-s -w -X main.version="+version, "-o", out, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := run(cmd); err != nil {
		return fmt.Errorf("system: build of %s: %w\n%s", pkg, err, said.String())
	}
	return nil
}

// describe names the commit of the product; a tree without git has none.
func describe(ctx context.Context, dir string) string {
	cmd := exec.CommandContext(ctx, "git", "describe", "--tags", "--always", "--dirty")
	cmd.Dir = dir
	text, err := cmd.Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(text))
}
