package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Labels of the image; see the annotations of the OCI image specification.
const (
	source  = "https://github.com/counterfoil/counterfoil"
	licence = "Apache-2.0"
)

// identity is the user of the image and its group: nobody's on any host, and the
// one that the chart and the compose file name.
const identity = "65532:65532"

// refName is what tells tools how an image of a layout is called.
const refName = "org.opencontainers.image.ref.name"

// build is one image to be written.
type build struct {
	binary, licence, version, revision, name, out string

	at time.Time
}

// errDynamic says that the program would look for a loader, and the image has
// none.
var errDynamic = errors.New("the binary is not static")

// write makes the layout and returns the digest of the image.
func (b build) write() (v1.Hash, error) {
	architecture, err := checkStatic(b.binary)
	if err != nil {
		return v1.Hash{}, err
	}
	image, err := b.image(architecture)
	if err != nil {
		return v1.Hash{}, err
	}
	digest, err := image.Digest()
	if err != nil {
		return v1.Hash{}, err
	}
	if err := os.MkdirAll(filepath.Dir(b.out), 0o750); err != nil {
		return v1.Hash{}, err
	}
	temporary, err := os.MkdirTemp(filepath.Dir(b.out), ".image-*")
	if err != nil {
		return v1.Hash{}, err
	}
	defer func() { _ = os.RemoveAll(temporary) }() // is gone once it was renamed
	if err := b.fill(temporary, image); err != nil {
		return v1.Hash{}, err
	}
	if err := os.RemoveAll(b.out); err != nil {
		return v1.Hash{}, err
	}
	return digest, os.Rename(temporary, b.out)
}

func (b build) fill(dir string, image v1.Image) error {
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	if err := path.AppendImage(image, layout.WithAnnotations(map[string]string{refName: b.version})); err != nil {
		return err
	}
	return b.dockerManifest(dir, image)
}

// image is the empty base with one layer and what says how to run it.
func (b build) image(architecture string) (v1.Image, error) {
	layer, err := b.layer()
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.Append(base, mutate.Addendum{
		Layer: layer, MediaType: types.OCILayer,
		History: v1.History{Created: v1.Time{Time: b.at}, CreatedBy: "counterfoil deploy/image"},
	})
	if err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.Created, file.OS, file.Architecture = v1.Time{Time: b.at}, "linux", architecture
	file.Config = v1.Config{
		User: identity, Entrypoint: []string{"/counterfoil"}, WorkingDir: "/",
		ExposedPorts: map[string]struct{}{"8443/tcp": {}}, Labels: b.labels(),
	}
	if image, err = mutate.ConfigFile(image, file); err != nil {
		return nil, err
	}
	annotated, ok := mutate.Annotations(image, b.labels()).(v1.Image)
	if !ok {
		panic("image: an image with annotations is no image")
	}
	return annotated, nil
}

func (b build) labels() map[string]string {
	const prefix = "org.opencontainers.image."
	return map[string]string{
		prefix + "title": "counterfoil", prefix + "description": "A restoration vault for LLM prompts.",
		prefix + "version": b.version, prefix + "revision": b.revision,
		prefix + "source": source, prefix + "licenses": licence,
	}
}

// checkStatic refuses a program that needs a loader or libraries, and returns
// the architecture that it is for.
func checkStatic(path string) (string, error) {
	file, err := elf.Open(path)
	if err != nil {
		return "", fmt.Errorf("the binary %s: %w", path, err)
	}
	defer func() { _ = file.Close() }()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			return "", fmt.Errorf("%w: %s (build it with CGO_ENABLED=0)", errDynamic, path)
		}
	}
	switch file.Machine {
	case elf.EM_X86_64:
		return "amd64", nil
	case elf.EM_AARCH64:
		return "arm64", nil
	default:
		return "", fmt.Errorf("the binary %s is for %s, which the image is not made for", path, file.Machine)
	}
}
