//go:build unix

package pgtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// FreePort returns a port of 127.0.0.1 that nobody has at the moment.
func FreePort(t testing.TB) int {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Scratch makes a folder that the server's user has, for what runs beside it.
func (s *Server) Scratch(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(s.dir, fmt.Sprint("beside-", serial.Add(1)))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if s.user != nil {
		if err := os.Chown(dir, int(s.user.uid), int(s.user.gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Run runs a program beside the server, as its user, until the test ends: a
// pooler, a standby.
func (s *Server) Run(t testing.TB, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), program, args...)
	asUser(cmd, s.user, syscall.SIGKILL)
	cmd.Dir = s.dir
	p, err := launch(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(p.pid, syscall.SIGKILL) // it may have ended
		<-p.ended
	})
}
