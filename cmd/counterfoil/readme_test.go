package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// tour returns the README's commands: everything but how to start and how to
// test, which are what this test and the one that runs it do.
func tour(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, m := range shellBlock.FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, m[1])
	}
	for _, made := range []string{"make run\n", "make test\n"} {
		i := slices.Index(blocks, made)
		if i < 0 {
			t.Fatalf("the README does not say %q", made)
		}
		blocks = slices.Delete(blocks, i, i+1)
	}
	if len(blocks) < 6 {
		t.Fatalf("only %d blocks of commands in the README", len(blocks))
	}
	return "set -e\n" + strings.Join(blocks, "\necho --\n")
}

// configured are the scripts that start a configured service themselves.
var configured = []string{"script-approvals", "script-evidence"}

// TestReadme runs the README's tour against a service that was just started,
// and testdata/script says what a newcomer must see; what a privacy officer and
// counsel must see of a person's rights; and, of a configured service, what
// everybody must see who asks for, approves, stops or reviews restorations, and an
// auditor who trusts none of them.
func TestReadme(t *testing.T) {
	commands := tour(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			if err := os.MkdirAll(filepath.Join(env.WorkDir, "bin"), 0o700); err != nil {
				return err
			}
			for _, name := range []string{"counterfoil", "counterfoil-verify", "gateway", "model"} {
				built := filepath.Join(filepath.Dir(builtBinary(t)), name)
				if err := os.Symlink(built, filepath.Join(env.WorkDir, "bin", name)); err != nil {
					return err
				}
			}
			if slices.Contains(configured, filepath.Base(env.WorkDir)) {
				return office(env.T().(testing.TB), env) // a configured service, which the script starts
			}
			s := start(t, filepath.Join(env.WorkDir, "data"))
			local := strings.ReplaceAll(commands, "http://127.0.0.1:8080", s.url)
			for _, fixed := range []string{"127.0.0.1:8081", "127.0.0.1:8082"} {
				local = strings.ReplaceAll(local, fixed, freeAddress(t))
			}
			if err := os.WriteFile(filepath.Join(env.WorkDir, "tour.sh"), []byte(local), 0o600); err != nil {
				return err
			}
			env.Setenv("COUNTERFOIL_URL", s.url)
			pasted := "set -e\n" + s.banner[strings.Index(s.banner, "# a credential"):]
			env.Defer(func() {
				if err := s.stop(); err != nil {
					t.Errorf("SIGTERM: %v", err)
				}
			})
			return os.WriteFile(filepath.Join(env.WorkDir, "banner.sh"), []byte(pasted), 0o600)
		},
	})
}

// freeAddress is one on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// TestMakeTargets pins that what the README says is what make does.
func TestMakeTargets(t *testing.T) {
	out, err := exec.Command("make", "-C", "../..", "-n", "run").CombinedOutput()
	if err != nil {
		t.Fatalf("make -n run: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "./bin/counterfoil dev --data ./data") {
		t.Fatalf("make run does not start the embedded service on ./data:\n%s", out)
	}
}
