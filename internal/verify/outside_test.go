//go:build unix

package verify_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// fsckVersion is that of the checker of tlog-tiles logs of Tessera, which shares no
// line with us but golang.org/x/mod.
const fsckVersion = "v1.0.4"

var fsck = sync.OnceValues(installFsck)

// installFsck returns the path of the checker, which it installs where it is
// missing: under the folder of tools.
func installFsck() (path string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "counterfoil", "tools", "tessera-fsck-"+fsckVersion)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }() // lets the lock go
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "fsck")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	build := exec.Command("go", "install", "github.com/transparency-dev/tessera/cmd/fsck@"+fsckVersion)
	build.Dir = os.TempDir() // outside of a module
	build.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "CGO_ENABLED=0", "GOBIN="+dir)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
}

// served70k is a log of 70,000 entries as tiles: three levels of them, each with an
// edge.
var served70k = sync.OnceValue(func() *made {
	m := &made{t: fatal{}, signer: newSigner(fatal{}, 1), clock: start, story: story{version: versions[0]}}
	m.rng = newLog(fatal{}, 70).rng
	var leaves [][]byte
	for range 70_000 {
		leaves = append(leaves, m.finish(single(m))...)
	}
	m.commit(leaves)
	return m
})

// fatal is a test that nothing may fail.
type fatal struct{ testing.TB }

func (fatal) Helper()           {}
func (fatal) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// runFsck says what the checker has against a log that is served over HTTP.
func runFsck(t *testing.T, path string, f files, vkey string) (string, error) {
	t.Helper()
	server := httptest.NewServer(http.FileServerFS(folder(f)))
	defer server.Close()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(vkey), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "--storage_url="+server.URL+"/", "--public_key="+key, "--ui=false", "--N=4", "--v=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// The checker of another house agrees with a log of ours, and is not content with
// one that was changed: its checkpoint, a leaf, a hash.
func TestInvariant11_FsckOfTesseraAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("it serves 70,000 entries")
	}
	path, err := fsck()
	if err != nil {
		t.Skipf("fsck of Tessera cannot be had here: %v", err)
	}
	m := served70k()
	f := tilesOf(m)
	// It ends in the same way whether or not it found something, and says so.
	const found, whole = "fsck failed", "Completed ranges"
	out, err := runFsck(t, path, f, m.signer.VerifierKey())
	if err != nil || strings.Contains(out, found) || !strings.Contains(out, whole) {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := verifyTiles(t.Context(), f, kept(m)); err != nil {
		t.Errorf("we are not content: %v", err)
	}
	for name, change := range map[string]func(f files){
		"checkpoint": func(f files) { f["checkpoint"] = newLog(t, 3).grow(2).newest() },
		"leaf": func(f files) {
			tile := audit.Tile{N: 100, Width: audit.TileWidth, Entries: true}.Path()
			f[tile] = bytes.Replace(f[tile], []byte(`"actor":"svc-`), []byte(`"actor":"bob-`), 1)
		},
		"hash": func(f files) { f[audit.Tile{Level: 1, Width: audit.TileWidth}.Path()][40] ^= 1 },
	} {
		changed := cloned(f)
		change(changed)
		if out, err := runFsck(t, path, changed, m.signer.VerifierKey()); err == nil && !strings.Contains(out, found) {
			t.Errorf("%s: it is content\n%s", name, out)
		}
		if _, err := verifyTiles(t.Context(), changed, kept(m)); err == nil {
			t.Errorf("%s: we are content", name)
		}
	}
}
