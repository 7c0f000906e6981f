//go:build unix

package transittest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/counterfoil/counterfoil/internal/transit"
)

// Server is a running server. Started by Start it belongs to one test, which
// may stop it, seal it and start it again.
type Server struct {
	Address string
	root    *api.Client
	dir     string
	listen  string

	process *exec.Cmd
	hold    io.Closer // the process ends when this is closed
	folder  string    // of the logins
}

// serial numbers the files of logins and the prefixes of keys.
var serial atomic.Int64

// Start starts a server, prepares it, and stops it when the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{dir: t.TempDir(), folder: t.TempDir(), listen: "127.0.0.1:0"}
	s.Run(t)
	t.Cleanup(func() { s.Stop(t) })
	s.prepare(t)
	s.must(t, "sys/audit/file", map[string]any{"type": "file", "options": map[string]any{"file_path": filepath.Join(s.dir, "audit.log")}})
	return s
}

// Open is the server that VAULT_ADDR and VAULT_TOKEN name, where they do, and
// else one that is started. It is neither stopped nor sealed, and has keys of
// others: a test gives its own a Prefix.
func Open(t testing.TB) *Server {
	t.Helper()
	address := os.Getenv("VAULT_ADDR")
	if address == "" {
		return Start(t)
	}
	s := &Server{Address: address, folder: t.TempDir()}
	s.connect(t, os.Getenv("VAULT_TOKEN"))
	s.prepare(t)
	return s
}

// Prefix begins the names of keys that no other test and no other run has, on
// whatever server. The policies cover it.
func Prefix() string { return fmt.Sprintf("counterfoil-%d-%d-", time.Now().UnixNano(), serial.Add(1)) }

// Run starts the server again, after Stop, at the address that it had.
func (s *Server) Run(t testing.TB) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	process := exec.Command(path, "-dir", s.dir, "-listen", s.listen)
	process.Env = append(os.Environ(), "GODEBUG=x509negativeserial=1")
	process.Stderr = os.Stderr
	hold, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	var root string
	if _, scanErr := fmt.Sscanf(line, "serving %s %s", &s.Address, &root); err != nil || scanErr != nil {
		t.Fatalf("transittest: the server said %q, %v", line, err)
	}
	s.process, s.hold = process, hold
	s.listen = strings.TrimPrefix(s.Address, "http://")
	s.connect(t, root)
}

// Stop ends the server. What it has is kept for Run.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.process == nil {
		return
	}
	_ = s.hold.Close() // the server notices, whatever this says
	if err := s.process.Wait(); err != nil {
		t.Errorf("transittest: %v", err)
	}
	s.process = nil
}

func (s *Server) connect(t testing.TB, token string) {
	t.Helper()
	config := api.DefaultConfig()
	config.Address = s.Address
	client, err := api.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	client.SetToken(token)
	t.Cleanup(config.HttpClient.CloseIdleConnections)
	s.root = client
}

// Root is the client of whoever may do everything.
func (s *Server) Root() *api.Client { return s.root }

// Seal seals the server.
func (s *Server) Seal(t testing.TB) {
	t.Helper()
	if err := s.root.Sys().Seal(); err != nil {
		t.Fatal(err)
	}
}

// AuditLog is what the file audit device has written.
func (s *Server) AuditLog(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// must writes to a path of the server.
func (s *Server) must(t testing.TB, path string, data map[string]any) *api.Secret {
	t.Helper()
	secret, err := s.root.Logical().Write(path, data)
	if err != nil {
		t.Fatalf("transittest: %s: %v", path, err)
	}
	return secret
}

// prepare mounts what is missing and makes the identities.
func (s *Server) prepare(t testing.TB) {
	t.Helper()
	mounts, err := s.root.Sys().ListMounts()
	if err != nil {
		t.Fatal(err)
	}
	if mounts["transit/"] == nil {
		s.must(t, "sys/mounts/transit", map[string]any{"type": "transit"})
		s.must(t, "sys/mounts/secret", map[string]any{"type": "kv", "options": map[string]any{"version": "2"}})
		s.must(t, "sys/auth/approle", map[string]any{"type": "approle"})
	}
	for _, name := range []string{"serving", "keys", "anchors"} {
		policy, err := os.ReadFile(filepath.Join(source(), "..", "..", "..", "deploy", "transit", name+".hcl"))
		if err != nil {
			t.Fatal(err)
		}
		s.must(t, "sys/policies/acl/counterfoil-"+name, map[string]any{"policy": string(policy)})
		s.must(t, "auth/approle/role/counterfoil-"+name, map[string]any{
			"token_policies": "counterfoil-" + name, "token_ttl": "20m", "token_max_ttl": "1h",
		})
	}
}

// Serving is the configuration of the serving identity; Keys that of
// counterfoil-keys.
func (s *Server) Serving(t testing.TB) transit.Config { return s.Identity(t, "serving") }

// Keys is the configuration of counterfoil-keys.
func (s *Server) Keys(t testing.TB) transit.Config { return s.Identity(t, "keys") }

// Identity is the configuration of an identity, with a secret id of its own.
func (s *Server) Identity(t testing.TB, name string) transit.Config {
	t.Helper()
	role := "auth/approle/role/counterfoil-" + name
	read, err := s.root.Logical().Read(role + "/role-id")
	if err != nil || read == nil {
		t.Fatalf("transittest: the role id of %s: %v", name, err)
	}
	secret := s.must(t, role+"/secret-id", nil)
	file := func(what string, content any) string {
		path := filepath.Join(s.folder, fmt.Sprintf("%s-%d-%s", name, serial.Add(1), what))
		if err := os.WriteFile(path, fmt.Append(nil, content, "\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return transit.Config{Address: s.Address, Login: transit.Login{AppRole: &transit.AppRole{
		RoleIDFile: file("role", read.Data["role_id"]), SecretIDFile: file("secret", secret.Data["secret_id"]),
	}}}
}

// Await waits until the server answers and is not sealed.
func (s *Server) Await(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		response, err := http.Get(s.Address + "/v1/sys/health")
		if err != nil {
			continue
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return
		}
	}
	t.Fatal("transittest: the server is not ready")
}

// Ask logs in as an identity and asks for a path, to write where there are
// data and else to read; it returns the status of the answer.
func Ask(t testing.TB, c transit.Config, path string, data map[string]any) int {
	t.Helper()
	config := api.DefaultConfig()
	config.Address = c.Address
	t.Cleanup(config.HttpClient.CloseIdleConnections)
	client, err := api.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	read := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	login, err := client.Logical().Write("auth/approle/login", map[string]any{
		"role_id": read(c.Login.AppRole.RoleIDFile), "secret_id": read(c.Login.AppRole.SecretIDFile),
	})
	if err != nil {
		t.Fatal(err)
	}
	client.SetToken(login.Auth.ClientToken)
	if data != nil {
		_, err = client.Logical().Write(path, data)
	} else {
		_, err = client.Logical().Read(path)
	}
	var refused *api.ResponseError
	if errors.As(err, &refused) {
		return refused.StatusCode
	}
	return http.StatusOK
}
