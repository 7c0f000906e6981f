package system_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/bench/system"
)

// launchee makes this binary a harness that starts a process and waits to be killed.
const launchee = "SYSTEM_TEST_LAUNCHES"

func TestMain(m *testing.M) {
	if log := os.Getenv(launchee); log != "" {
		p, err := system.Launch(log, "sleep", "60")
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(p.PID())
		time.Sleep(time.Minute)
	}
	os.Exit(m.Run())
}

// A harness that is killed stops nothing itself, and leaves nothing that runs.
func TestKilledHarness(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	harness := exec.CommandContext(t.Context(), self)
	harness.Env = append(os.Environ(), launchee+"="+filepath.Join(t.TempDir(), "log"))
	out, err := harness.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := harness.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil || gone(pid) {
		t.Fatal(pid, err)
	}
	if err := harness.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = harness.Wait() // it was killed
	for deadline := time.Now().Add(10 * time.Second); !ended(pid); {
		if time.Now().After(deadline) {
			t.Fatalf("%d runs", pid)
		}
		time.Sleep(time.Millisecond)
	}
}

// ended counts what nobody has waited for yet as ended.
func ended(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(text), ") Z ")
}

func TestProcess(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	for script, want := range map[string]string{
		"echo one; echo two; exit 3": "exit status 3: two",
		"echo done":                  "ended by itself: done",
	} {
		t.Run(script, func(t *testing.T) {
			p, err := system.Launch(log, "sh", "-c", script)
			if err != nil {
				t.Fatal(err)
			}
			<-p.Done()
			if err := system.Stop(p, t.Context()); !errors.Is(err, system.ErrEnded) || !strings.HasSuffix(err.Error(), want) {
				t.Error(err)
			}
		})
	}
	t.Run("does not stop", func(t *testing.T) {
		p, err := system.Launch(log, "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.01; done")
		if err != nil {
			t.Fatal(err)
		}
		for said := ""; said != "ready\n"; time.Sleep(time.Millisecond) {
			text, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			said = string(text)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := system.Stop(p, ctx); !errors.Is(err, context.DeadlineExceeded) || !gone(p.PID()) {
			t.Errorf("%v, gone: %t", err, gone(p.PID()))
		}
	})
	t.Run("no program", func(t *testing.T) {
		if _, err := system.Launch(log, filepath.Join(t.TempDir(), "none")); !os.IsNotExist(errors.Unwrap(err)) {
			t.Error(err)
		}
	})
}

func TestAddress(t *testing.T) {
	for name, tt := range map[string]struct{ kind, text, want string }{
		"floor":            {system.Floor, "serving http://127.0.0.1:1\n", "http://127.0.0.1:1"},
		"half a line":      {system.Floor, "serving http://127.0.", ""},
		"floor, noise":     {system.Floor, "warning\nserving http://127.0.0.1:1\n", "http://127.0.0.1:1"},
		"service":          {system.Counterfoil, `{"msg":"a"}` + "\n" + `{"msg":"serving","listen":"127.0.0.1:2"}` + "\n", "http://127.0.0.1:2"},
		"service, half":    {system.Counterfoil, `{"msg":"serving","listen":"127.0.0.1:2"}`, ""},
		"service, nothing": {system.Counterfoil, "", ""},
	} {
		if got := system.Address(tt.kind, tt.text); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

func TestFolder(t *testing.T) {
	parent := t.TempDir()
	// Of a harness that is gone: no process has this id.
	const nobody = 1 << 30
	left := filepath.Join(parent, "counterfoil-bench-left")
	others := filepath.Join(parent, "counterfoil-bench-other")
	for dir, owner := range map[string]int{left: nobody, others: os.Getpid()} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "harness.pid"), fmt.Append(nil, owner), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := system.Folder(parent)
	if err != nil || filepath.Dir(dir) != parent {
		t.Error(dir, err)
	}
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("what was left is there: %v", err)
	}
	if _, err := os.Stat(others); err != nil {
		t.Errorf("what another has is gone: %v", err)
	}
}

// TestOnDisk_Twin: where fsync costs nothing, nothing is measured.
func TestOnDisk_Twin(t *testing.T) {
	const memory = "/dev/shm"
	if _, err := os.Stat(memory); err != nil {
		t.Skip("this machine has no file system in memory at", memory)
	}
	if err := system.OnDisk(memory); !errors.Is(err, system.ErrMemory) {
		t.Error(err)
	}
	if err := system.OnDisk("/proc/self"); err != nil {
		t.Error(err)
	}
}
