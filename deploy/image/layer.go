package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// uid is the number of identity, for what the program may write to.
const uid = 65532

// layer is the one layer: the program, its licence, and the folders of what it
// writes, which belong to its user. An engine that makes a volume for one of
// them takes over whose it is.
func (b build) layer() (v1.Layer, error) {
	program, err := os.ReadFile(b.binary)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(b.licence)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, entry := range []struct {
		name    string
		mode    int64
		owner   int
		content []byte
	}{
		{"LICENSE", 0o444, 0, text},
		{"counterfoil", 0o555, 0, program},
		{"var/", 0o755, 0, nil},
		{"var/lib/", 0o755, 0, nil},
		{"var/lib/counterfoil/", 0o700, uid, nil},
		{"var/lib/counterfoil-anchors/", 0o700, uid, nil},
	} {
		h := &tar.Header{
			Name: entry.name, Mode: entry.mode, Uid: entry.owner, Gid: entry.owner, Size: int64(len(entry.content)),
			ModTime: b.at, Typeflag: tar.TypeReg, Format: tar.FormatPAX,
		}
		if strings.HasSuffix(entry.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(entry.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(out.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
}

// dockerManifest adds the file by which `docker load` finds the same blobs.
func (b build) dockerManifest(dir string, image v1.Image) error {
	config, err := image.ConfigName()
	if err != nil {
		return err
	}
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	blob := func(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }
	entry := struct {
		Config   string
		RepoTags []string
		Layers   []string
	}{Config: blob(config), RepoTags: []string{b.name + ":" + b.version}}
	for _, layer := range layers {
		digest, err := layer.Digest()
		if err != nil {
			return err
		}
		entry.Layers = append(entry.Layers, blob(digest))
	}
	text, err := json.Marshal([]any{entry})
	if err != nil {
		return fmt.Errorf("manifest.json: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "manifest.json"), append(text, '\n'), 0o600)
}
