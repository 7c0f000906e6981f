package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// hello is a static program, built once for all tests.
var hello string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "image")
	if err != nil {
		panic(err)
	}
	hello = filepath.Join(dir, "hello")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", hello, "./testdata/hello")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func noEnvironment(string) string { return "" }

// write makes a layout of a program and returns its folder and the digest.
func write(t *testing.T, binary string, getenv func(string) string) (dir, digest string, err error) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "dist", "image")
	var out strings.Builder
	err = run([]string{
		"--binary", binary, "--licence", "../../LICENSE", "--version", "v1.2.3", "--revision", "abc", "--out", dir,
	}, getenv, &out)
	return dir, strings.TrimSpace(out.String()), err
}

func mustWrite(t *testing.T, binary string) (dir, digest string) {
	t.Helper()
	dir, digest, err := write(t, binary, noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	return dir, digest
}

func open(t *testing.T, dir string) v1.Image {
	t.Helper()
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].Annotations[refName] != "v1.2.3" {
		t.Fatalf("the index is %+v", manifest.Manifests)
	}
	image, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func TestImageIsAWholeLayout(t *testing.T) {
	dir, digest := mustWrite(t, hello)
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	image := open(t, dir)
	if got, err := image.Digest(); err != nil || got.String() != digest {
		t.Errorf("%s, %v, and %s was printed", got, err, digest)
	}
	manifest, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if manifest.MediaType != types.OCIManifestSchema1 || manifest.Config.MediaType != types.OCIConfigJSON ||
		len(manifest.Layers) != 1 || manifest.Layers[0].MediaType != types.OCILayer {
		t.Errorf("%+v", manifest)
	}
}

func TestImageSaysHowItRuns(t *testing.T) {
	dir, _ := mustWrite(t, hello)
	file, err := open(t, dir).ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c := file.Config
	if c.User != "65532:65532" || !slices.Equal(c.Entrypoint, []string{"/counterfoil"}) || len(c.Cmd) > 0 || len(c.Env) > 0 ||
		file.OS != "linux" || file.Architecture != runtime.GOARCH {
		t.Errorf("%+v", file)
	}
	for label, want := range map[string]string{"version": "v1.2.3", "revision": "abc", "licenses": "Apache-2.0", "source": source} {
		if got := c.Labels["org.opencontainers.image."+label]; got != want {
			t.Errorf("%s is %q", label, got)
		}
	}
}

// The image holds these files and no others, and nobody but root may change the
// program.
func TestImageHoldsTheProgramAndNothingElseThatRuns(t *testing.T) {
	dir, _ := mustWrite(t, hello)
	var got []string
	for _, f := range files(t, open(t, dir)) {
		h := f.header
		if h.ModTime.Unix() != 0 || h.Uname != "" || h.Gname != "" {
			t.Errorf("%s: %v %q", h.Name, h.ModTime, h.Uname)
		}
		if program := h.Mode&0o111 != 0 && h.Typeflag == tar.TypeReg; program != (h.Name == "counterfoil") {
			t.Errorf("%s has the mode %o", h.Name, h.Mode)
		}
		if writable := strings.HasPrefix(h.Name, "var/lib/counterfoil"); writable != (h.Uid == uid && h.Gid == uid && h.Mode == 0o700) {
			t.Errorf("%s is of %d:%d, mode %o", h.Name, h.Uid, h.Gid, h.Mode)
		}
		got = append(got, h.Name)
	}
	want := []string{"LICENSE", "counterfoil", "var/", "var/lib/", "var/lib/counterfoil/", "var/lib/counterfoil-anchors/"}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

type file struct {
	header  *tar.Header
	content []byte
}

func files(t *testing.T, image v1.Image) (all []file) {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, layer := range layers {
		text, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		r := tar.NewReader(text)
		for {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, file{h, content})
		}
	}
	return all
}

// What is in the layer runs where there is nothing else.
func TestProgramOfTheLayerRuns(t *testing.T) {
	dir, _ := mustWrite(t, hello)
	for _, f := range files(t, open(t, dir)) {
		if f.header.Name != "counterfoil" {
			continue
		}
		path := filepath.Join(t.TempDir(), "counterfoil")
		if err := os.WriteFile(path, f.content, 0o700); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(path, "version").CombinedOutput(); err != nil || string(out) != "hello [version]\n" {
			t.Errorf("%q, %v", out, err)
		}
		return
	}
	t.Error("there is no program")
}

func TestImageIsReproducible(t *testing.T) {
	a, first := mustWrite(t, hello)
	b, second := mustWrite(t, hello)
	if first != second {
		t.Errorf("%s and %s", first, second)
	}
	for _, name := range []string{"index.json", "manifest.json", "oci-layout"} {
		x, err := os.ReadFile(filepath.Join(a, name))
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.ReadFile(filepath.Join(b, name))
		if err != nil || !bytes.Equal(x, y) {
			t.Errorf("%s differs: %v", name, err)
		}
	}
}

// The twin: another program, and another time, make another digest.
func TestTwinOtherContentIsAnotherDigest(t *testing.T) {
	_, first := mustWrite(t, hello)
	other := filepath.Join(t.TempDir(), "other")
	program, err := os.ReadFile(hello)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, append(program, 0), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, digest := mustWrite(t, other); digest == first {
		t.Error("another program has the same digest")
	}
	_, digest, err := write(t, hello, func(string) string { return "1" })
	if err != nil || digest == first {
		t.Errorf("at another time: %s, %v", digest, err)
	}
	if _, _, err := write(t, hello, func(string) string { return "now" }); err == nil {
		t.Error("a time that is none was taken")
	}
}

func TestProgramMustBeStatic(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	if dir, _, err := write(t, shell, noEnvironment); !errors.Is(err, errDynamic) {
		t.Errorf("a program with libraries: %v", err)
	} else if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("and it left %s: %v", dir, err)
	}
	if _, _, err := write(t, "main.go", noEnvironment); err == nil {
		t.Error("a text for a program was taken")
	}
}

// `docker load` reads the same blobs by another list of them.
func TestDockerFindsTheImage(t *testing.T) {
	dir, _ := mustWrite(t, hello)
	archive := filepath.Join(t.TempDir(), "image.tar")
	if out, err := exec.Command("tar", "-C", dir, "-cf", archive, ".").CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list tarball.Manifest
	if err := json.Unmarshal(text, &list); err != nil || len(list) != 1 {
		t.Fatalf("%s: %v", text, err)
	}
	if !slices.Equal(list[0].RepoTags, []string{"counterfoil:v1.2.3"}) {
		t.Errorf("%v", list[0].RepoTags)
	}
	config, err := open(t, dir).ConfigName()
	if err != nil || list[0].Config != "blobs/sha256/"+config.Hex {
		t.Errorf("%s, %v", list[0].Config, err)
	}
	for _, layer := range append(list[0].Layers, list[0].Config) {
		if _, err := os.Stat(filepath.Join(dir, layer)); err != nil {
			t.Error(err)
		}
	}
}

func TestEverythingIsRequired(t *testing.T) {
	if err := run(nil, noEnvironment, io.Discard); err == nil || !strings.HasSuffix(err.Error(), "is required") {
		t.Errorf("%v", err)
	}
}
