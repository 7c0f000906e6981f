package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary builds the command once for all tests that need a real process.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "counterfoil-bin-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-tags", "nomsgpack", "-o", dir+"/", ".", "../counterfoil-verify", "../../examples/gateway/...").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build: %w: %s", err, out)
	}
	return filepath.Join(dir, "counterfoil"), nil
})

func builtBinary(t testing.TB) string {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// service is a running `counterfoil dev`.
type service struct {
	t      testing.TB
	cmd    *exec.Cmd
	url    string
	data   string
	banner string
	stderr *syncBuffer
	done   chan struct{} // closed when the process has ended
	ended  error         // how, once done is closed
}

var listening = regexp.MustCompile(`listening on +(http://\S+)`)

// start starts the embedded service on a free port and waits until it is ready.
func start(t testing.TB, data string) *service {
	t.Helper()
	s := &service{t: t, data: data, stderr: &syncBuffer{}, done: make(chan struct{})}
	s.cmd = exec.Command(builtBinary(t), "dev", "--listen", "127.0.0.1:0", "--data", data)
	s.cmd.Stderr = s.stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		s.banner += line
		if m := listening.FindStringSubmatch(line); m != nil {
			s.url = m[1]
		}
		if strings.Contains(line, "verify --data") {
			break
		}
		if err != nil {
			t.Fatalf("the service did not start: %v\n%s", s.cmd.Wait(), s.stderr)
		}
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		s.ended = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(s.kill)
	return s
}

// kill ends the process as a power cut would, as far as a process can tell.
func (s *service) kill() {
	_ = s.cmd.Process.Signal(syscall.SIGKILL) // fails where it has ended already
	<-s.done
}

// stop asks the process to end and waits until it has drained.
func (s *service) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.done:
		return s.ended
	case <-time.After(30 * time.Second):
		return fmt.Errorf("did not stop")
	}
}

// credential is what `counterfoil token` prints.
func credential(t testing.TB, data string, args ...string) string {
	t.Helper()
	var out, stderr bytes.Buffer
	if code := run(context.Background(), append([]string{"token", "--data", data}, args...), &out, &stderr); code != 0 {
		t.Fatalf("token: %d: %s", code, stderr.String())
	}
	return strings.TrimSpace(out.String())
}

// call sends a request and decodes the answer into out, if it is of a 2xx.
func call(method, url, bearer string, body, out any) (status int, raw []byte, err error) {
	return callWith(http.DefaultClient, method, url, bearer, body, out)
}

func callWith(client *http.Client, method, url, bearer string, body, out any) (status int, raw []byte, err error) {
	var reader io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		reader = bytes.NewReader(encoded)
	}
	req, err := http.NewRequest(method, url, reader)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err = io.ReadAll(resp.Body)
	if err == nil && out != nil && resp.StatusCode < 300 {
		err = json.Unmarshal(raw, out)
	}
	return resp.StatusCode, raw, err
}

// syncBuffer is a buffer that a process writes and a test reads.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// verifyFolder runs the verify command and counts the sound logs.
func verifyFolder(data string) (int, error) {
	var out, stderr bytes.Buffer
	if code := run(context.Background(), []string{"verify", "--data", data}, &out, &stderr); code != 0 {
		return 0, fmt.Errorf("exit code %d: %s", code, stderr.String())
	}
	return strings.Count(out.String(), "SOUND"), nil
}
