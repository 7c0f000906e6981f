// Command testserver is a real HashiCorp Vault server (1.14.1, the last line
// under MPL-2.0), cut down to what Counterfoil speaks with: the transit and KV
// engines, AppRole and the file audit device. It is for tests only: TLS is
// off, memory is not locked, and the key that unseals it lies beside its data.
//
// It is a module of its own, so that nothing of it weighs on the product. It
// prints one line when it serves,
//
//	serving ADDRESS ROOT_TOKEN
//
// and ends at SIGTERM, or when its standard input ends: so it never outlives
// the test that started it. Started again on the same folder it has what it
// had.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	log "github.com/hashicorp/go-hclog"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	auditfile "github.com/hashicorp/vault/audit"
	"github.com/hashicorp/vault/builtin/audit/file"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/builtin/logical/transit"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/logical"
	physicalfile "github.com/hashicorp/vault/sdk/physical/file"
	"github.com/hashicorp/vault/vault"
)

func main() {
	dir := flag.String("dir", "", "folder of the server's data")
	listen := flag.String("listen", "127.0.0.1:0", "address on the loopback interface")
	flag.Parse()
	if err := run(*dir, *listen); err != nil {
		fmt.Fprintln(os.Stderr, "testserver:", err)
		os.Exit(1)
	}
}

// opened is what the first start leaves for the next.
type opened struct {
	Key  []byte `json:"key"`
	Root string `json:"root"`
}

func run(dir, listen string) error {
	if dir == "" {
		return errors.New("-dir is required")
	}
	core, err := newCore(filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	held, err := unseal(core, filepath.Join(dir, "opened.json"))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: vaulthttp.Handler.Handler(&vault.HandlerProperties{
			Core: core, ListenerConfig: &configutil.Listener{MaxRequestSize: vaulthttp.DefaultMaxRequestSize},
		}),
	}
	go func() { _ = server.Serve(listener) }()
	fmt.Printf("serving http://%s %s\n", listener.Addr(), held.Root)
	await()
	stopping, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(server.Shutdown(stopping), core.Shutdown())
}

func newCore(dir string) (*vault.Core, error) {
	logger := log.New(&log.LoggerOptions{Level: log.Error, Output: os.Stderr})
	storage, err := physicalfile.NewFileBackend(map[string]string{"path": dir}, logger)
	if err != nil {
		return nil, err
	}
	return vault.NewCore(&vault.CoreConfig{
		Physical: storage, DisableMlock: true, Logger: logger, BuiltinRegistry: builtins,
		LogicalBackends:    map[string]logical.Factory{"transit": mended(transit.Factory), "kv": kv.Factory},
		CredentialBackends: map[string]logical.Factory{"approle": mended(approle.Factory)},
		AuditBackends:      map[string]auditfile.Factory{"file": file.Factory},
	})
}

// unseal opens the server, after it made it on a new folder.
func unseal(core *vault.Core, path string) (opened, error) {
	var held opened
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		made, err := core.Initialize(context.Background(), &vault.InitParams{
			BarrierConfig:  &vault.SealConfig{SecretShares: 1, SecretThreshold: 1},
			RecoveryConfig: &vault.SealConfig{},
		})
		if err != nil {
			return held, err
		}
		held = opened{Key: made.SecretShares[0], Root: made.RootToken}
		if text, err = json.Marshal(held); err == nil {
			err = os.WriteFile(path, text, 0o600)
		}
		if err != nil {
			return held, err
		}
	case err != nil:
		return held, err
	default:
		if err := json.Unmarshal(text, &held); err != nil {
			return held, err
		}
	}
	// The core may change the key it is given.
	_, err = core.Unseal(append([]byte(nil), held.Key...))
	return held, err
}

// await returns at SIGTERM, or when nobody holds the standard input any more.
func await() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	left := make(chan struct{})
	go func() {
		for scanner := bufio.NewScanner(os.Stdin); scanner.Scan(); {
		}
		close(left)
	}()
	select {
	case <-stop:
	case <-left:
	}
}
