package httpapi_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// reopened is a world over a folder that no service has open, for as long as do runs.
func reopened(t *testing.T, dir string, do func(w *world)) {
	t.Helper()
	instance, err := assembly.Open(context.Background(), dir, assembly.Options{Policy: vaulttest.Alone()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := instance.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	do(newWorldOf(t, instance.Service, httpapi.Limits{}))
}

type storedEntry struct {
	Index    int64
	LeafHash audit.Hash `json:"leaf_hash"`
	Entry    map[string]any
	Pruned   bool
}

// TestInvariant11_APrunedEntryKeepsItsHashAndItsProofs: what was kept long enough
// is gone, and the log is as whole as it was.
func TestInvariant11_APrunedEntryKeepsItsHashAndItsProofs(t *testing.T) {
	dir := t.TempDir()
	var before storedEntry
	var width int64
	plan := vault.PrunePlan{
		Tenant:  "acme",
		Pruning: vault.Pruning{Kinds: []audit.Kind{audit.KindTokenize}, Before: time.Now().Add(time.Hour)},
		Leaves:  map[string]int{string(audit.KindTokenize): 1},
	}
	reopened(t, dir, func(w *world) {
		w.Post("/v1/tokenize", m{"scope": "chat-1", "text": prompt}).Want(http.StatusOK)
		found := w.search(t, m{"kind": "tokenize"}).Entries
		w.As("auditor").Get(fmt.Sprint("/v1/audit/entries/", found[0].Index)).Want(http.StatusOK).Decode(&before)
		if before.Entry == nil || before.Pruned {
			t.Errorf("before: %+v", before)
		}
		width = before.Index + 1
		w.As("auditor").Get(fmt.Sprintf("/v1/audit/tile/entries/000.p/%d", width)).Want(http.StatusOK)
		plan.To = width
		if err := w.service.RecordPrune(t.Context(), vault.Call{Channel: "owner"}, plan); err != nil {
			t.Fatal(err)
		}
	})

	pruner, err := sqlite.OpenPruner(t.Context(), config.Layout{Dir: dir}.Files().Database, sqlite.Options{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	n, err := pruner.Prune(t.Context(), plan.Tenant, plan.Pruning)
	if err != nil || n != 1 {
		t.Fatalf("%d entries pruned: %v", n, err)
	}
	if err := pruner.Close(); err != nil {
		t.Fatal(err)
	}

	reopened(t, dir, func(w *world) {
		auditor, path := w.As("auditor"), fmt.Sprint("/v1/audit/entries/", before.Index)
		var after storedEntry
		auditor.Get(path).Want(http.StatusOK).Decode(&after)
		if !after.Pruned || after.Entry != nil || after.LeafHash != before.LeafHash || after.Index != before.Index {
			t.Errorf("after: %+v", after)
		}
		var all struct{ Entries []storedEntry }
		auditor.Get("/v1/audit/entries?limit=1000").Want(http.StatusOK).Decode(&all)
		if int64(len(all.Entries)) < width || !all.Entries[before.Index].Pruned || all.Entries[0].Pruned {
			t.Errorf("listed: %+v", all.Entries)
		}
		var proof audit.Receipt
		auditor.Get(path + "/proof").Want(http.StatusOK).Decode(&proof)
		if err := proof.Verify(w.logKey(t)); err != nil || proof.LeafHash != before.LeafHash {
			t.Errorf("proof: %v", err)
		}
		hashes := auditor.Get(fmt.Sprintf("/v1/audit/tile/0/000.p/%d", width)).Want(http.StatusOK).Body
		if [32]byte(hashes[len(hashes)-32:]) != [32]byte(before.LeafHash) {
			t.Error("the tile has another hash")
		}
		auditor.Get(fmt.Sprintf("/v1/audit/tile/entries/000.p/%d", width)).Want(http.StatusNotFound)
		if found := w.search(t, m{"kind": "tokenize"}).Entries; len(found) != 0 {
			t.Errorf("%d are found by what they were", len(found))
		}
	})
}
