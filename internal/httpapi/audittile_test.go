package httpapi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi/httpapitest"
)

// mirror reads a served log as outside tools do: a prefix, and below it the paths
// of C2SP tlog-tiles. It has nothing of ours but the verifier key.
type mirror struct {
	prefix, bearer string
	client         *http.Client
	change         func(path string, body []byte) // what a server that lies does
}

func (r *mirror) fetch(path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, r.prefix+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+r.bearer)
	response, err := r.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: status %d", path, response.StatusCode)
	}
	if r.change != nil {
		r.change(path, body)
	}
	return body, err
}

// Height, ReadTiles and SaveTiles make it a tlog.TileReader.
func (r *mirror) Height() int { return audit.TileHeight }

func (r *mirror) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		// The path of C2SP is that of tlog without the height, which is always 8.
		body, err := r.fetch(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		data = append(data, body)
	}
	return data, nil
}

func (r *mirror) SaveTiles([]tlog.Tile, [][]byte) {}

// head opens the checkpoint.
func (r *mirror) head(vkey string) (tlog.Tree, error) {
	signed, err := r.fetch("checkpoint")
	if err != nil {
		return tlog.Tree{}, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	var tree tlog.Tree
	var origin, root string
	if _, err := fmt.Sscanf(opened.Text, "%s\n%d\n%s\n", &origin, &tree.N, &root); err != nil {
		return tlog.Tree{}, err
	}
	tree.Hash, err = tlog.ParseHash(root)
	return tree, err
}

// check reads the whole log: every entry out of the bundles must be what the tiles
// say, every tile what the checkpoint says. It returns the entries.
func (r *mirror) check(vkey string) (entries [][]byte, err error) {
	tree, err := r.head(vkey)
	if err != nil {
		return nil, err
	}
	for first := int64(0); first < tree.N; first += audit.TileWidth {
		width := min(audit.TileWidth, tree.N-first)
		bundle, err := r.fetch(audit.Tile{N: first / audit.TileWidth, Width: int(width), Entries: true}.Path())
		if err != nil {
			return nil, err
		}
		for ; len(bundle) >= 2; width-- {
			n := 2 + int(bundle[0])<<8 + int(bundle[1])
			if n > len(bundle) {
				return nil, errors.New("a bundle ends within an entry")
			}
			entries, bundle = append(entries, bundle[2:n]), bundle[n:]
		}
		if width != 0 || len(bundle) != 0 {
			return nil, fmt.Errorf("the bundle at %d has another number of entries", first)
		}
	}
	places := make([]int64, len(entries))
	for i := range entries {
		places[i] = tlog.StoredHashIndex(0, int64(i))
	}
	leaves, err := tlog.TileHashReader(tree, r).ReadHashes(places)
	if err != nil {
		return nil, err
	}
	for i, entry := range entries {
		if tlog.RecordHash(entry) != leaves[i] {
			return nil, fmt.Errorf("entry %d is not what the tiles say", i)
		}
	}
	return entries, nil
}

// serve serves the interface over a network, with every exchange checked.
func (w *world) serve(t *testing.T) *mirror {
	t.Helper()
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	return &mirror{
		prefix: server.URL + "/v1/audit", bearer: "auditor",
		client: &http.Client{Transport: httpapitest.NewTransport(t, server.Client().Transport)},
	}
}

// TestInvariant11_OutsideToolsReadTheServedLog: x/mod's tlog, which knows nothing of
// this service, reads checkpoint, tiles and entries, and agrees.
func TestInvariant11_OutsideToolsReadTheServedLog(t *testing.T) {
	w, size := newLog(t, audit.TileWidth+9) // a full tile, one that is not, and two levels
	outside, key := w.serve(t), w.logKey(t)
	entries, err := outside.check(key)
	if err != nil || int64(len(entries)) != size {
		t.Fatalf("%d entries: %v", len(entries), err)
	}
	tree, err := outside.head(key)
	if err != nil {
		t.Fatal(err)
	}
	// Proofs that the client makes of tiles are those that the service serves.
	hashes := tlog.TileHashReader(tree, outside)
	var c consistency
	w.As("auditor").Get(fmt.Sprintf("/v1/audit/consistency?from=5&to=%d", tree.N)).Want(http.StatusOK).Decode(&c)
	grown, err := tlog.ProveTree(tree.N, 5, hashes)
	if err != nil || !slices.Equal(grown, c.Proof) {
		t.Errorf("from tiles %v, served %v: %v", grown, c.Proof, err)
	}
	var p audit.Receipt
	w.As("auditor").Get(fmt.Sprintf("/v1/audit/entries/7/proof?size=%d", tree.N)).Want(http.StatusOK).Decode(&p)
	if included, err := tlog.ProveRecord(tree.N, 7, hashes); err != nil || !slices.Equal(included, p.Proof) {
		t.Errorf("from tiles %v, served %v: %v", included, p.Proof, err)
	}
	for _, index := range []int{0, len(entries) - 1} {
		var one struct {
			LeafHash audit.Hash `json:"leaf_hash"`
		}
		w.As("auditor").Get(fmt.Sprint("/v1/audit/entries/", index)).Want(http.StatusOK).Decode(&one)
		if one.LeafHash != tlog.RecordHash(entries[index]) {
			t.Errorf("%d: the entry and its bundle differ", index)
		}
	}
}

// The twin: a server that changes one bit of anything is found out.
func TestInvariant11_OutsideToolsReadTheServedLog_Twin(t *testing.T) {
	w, _ := newLog(t, 9)
	outside, key := w.serve(t), w.logKey(t)
	for _, part := range []string{"checkpoint", "tile/0/", "tile/entries/"} {
		changed := false
		outside.change = func(path string, body []byte) {
			if strings.HasPrefix(path, part) {
				body[len(body)/2] ^= 1
				changed = true
			}
		}
		if _, err := outside.check(key); err == nil || !changed {
			t.Errorf("a changed %s was not noticed (changed %v)", part, changed)
		}
	}
	outside.change = nil
	if _, err := outside.check(key); err != nil {
		t.Errorf("an unchanged log: %v", err)
	}
}

// Partial tiles are there for every size that the log has had, and full ones stay
// what they are; what the log does not have yet is not found.
func TestTilesOfEverySizeAreServed(t *testing.T) {
	w, size := newLog(t, 9)
	auditor := w.As("auditor")
	var largest []byte
	for width := size; width > 0; width-- {
		answer := auditor.Get(fmt.Sprintf("/v1/audit/tile/0/000.p/%d", width)).Want(http.StatusOK)
		if largest == nil {
			largest = answer.Body
		}
		if len(answer.Body) != int(width)*sha256.Size || !bytes.HasPrefix(largest, answer.Body) ||
			answer.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("width %d: %d bytes of %s", width, len(answer.Body), answer.Header.Get("Content-Type"))
		}
		leaves, err := audit.ParseEntryBundle(auditor.Get(fmt.Sprintf("/v1/audit/tile/entries/000.p/%d", width)).Want(http.StatusOK).Body)
		if err != nil || len(leaves) != int(width) {
			t.Errorf("width %d: %d leaves: %v", width, len(leaves), err)
		}
	}
	for _, path := range []string{
		fmt.Sprintf("0/000.p/%d", size+1), fmt.Sprintf("entries/000.p/%d", size+1), "0/000", "0/001.p/1", "1/000.p/1", "5/000",
		"entries/x001/x234/067",
	} {
		auditor.Get("/v1/audit/tile/" + path).Want(http.StatusNotFound)
	}
	for _, path := range []string{"/v1/audit/tile", "/v1/audit/tile/", "/v1/audit/tiles/0/000"} {
		if answer := auditor.Get(path); answer.Status < http.StatusBadRequest {
			t.Errorf("%s: %d", path, answer.Status)
		}
	}
	w.Get("/v1/audit/tile/0/000.p/1").Want(http.StatusForbidden)
	w.As("").Get("/v1/audit/tile/0/000.p/1").Want(http.StatusUnauthorized)
	if e := w.log.last(t); e["operation"] != "auditTile" {
		t.Errorf("event: %v", e)
	}
}
