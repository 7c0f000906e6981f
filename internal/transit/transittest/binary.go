//go:build unix

package transittest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// source is the folder of the server's module, beside this one.
func source() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(filepath.Dir(file)), "testserver")
}

var binary = sync.OnceValues(func() (string, error) { return Binary() })

// Binary returns the path of the server, which it builds where it is missing:
// under the folder of tools, by a digest of all that it is made of.
func Binary() (path string, err error) {
	version, err := digest()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("transittest: %w", err)
	}
	dir := filepath.Join(cache, "counterfoil", "tools", "vault-testserver-"+version)
	path = filepath.Join(dir, "testserver")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", fmt.Errorf("transittest: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", fmt.Errorf("transittest: %w", err)
	}
	defer func() { _ = lock.Close() }() // lets the lock go
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("transittest: %w", err)
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	build := exec.Command("go", "build", "-o", path+".new", ".")
	build.Dir = source()
	build.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("transittest: the server cannot be built: %w\n%s", err, out)
	}
	return path, os.Rename(path+".new", path)
}

// digest is over the files of the module: another version of anything is
// another binary.
func digest() (string, error) {
	hash := sha256.New()
	_, _ = fmt.Fprintln(hash, runtime.Version()) // a hash never fails
	files, err := filepath.Glob(filepath.Join(source(), "*.*"))
	if err != nil || len(files) < 4 {
		return "", fmt.Errorf("transittest: the sources of the server are not in %s", source())
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("transittest: %w", err)
		}
		_, _ = fmt.Fprintln(hash, filepath.Base(name), len(text))
		_, _ = hash.Write(text)
	}
	return hex.EncodeToString(hash.Sum(nil))[:16], nil
}
