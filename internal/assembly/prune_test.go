//go:build unix

package assembly_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/export"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// exportAll carries a log out, to its end.
func (e *estate) exportAll() {
	e.Helper()
	e.no(e.in.Worker.Publish(e.Context()))
	for more := true; more; {
		var err error
		more, err = e.in.Export(e.Context(), "acme")
		e.no(err)
	}
}

// old is how many leaves of tokenize entries may go, and how many of them wait.
func (e *estate) old() (plans []vault.PrunePlan, leaves int, waiting int64) {
	e.Helper()
	plans, err := e.in.Service.PlanPrune(e.Context(), "acme")
	e.no(err)
	return plans, plans[0].Total(), plans[0].Waiting
}

// TestExportAndPrune: a log goes out, day by day; what is out and was kept long
// enough is taken out of the tables by the owner of the store, and nothing else; the
// log stays sound, before and after a new log key.
func TestExportAndPrune(t *testing.T) {
	for _, kind := range []string{embedded, production} {
		t.Run(kind, func(t *testing.T) {
			e := newEstate(t, kind)
			out := t.TempDir()
			sink, err := export.OpenDir(out)
			e.no(err)
			e.options.Export, e.options.Formats = sink, export.Formats{CSV: true, OCSF: true}
			e.open()
			e.scope("files")
			var tokens []string
			for _, value := range []string{"N-1", "N-2", "N-3"} {
				tokens = append(tokens, e.keep("files", "jane-the-person", value))
				e.clock.Advance(24 * time.Hour)
			}
			if e.restored("files", tokens[0]) != "N-1" {
				t.Error("nothing is restored")
			}
			e.no(e.in.RotateLogKeys(t.Context(), []string{"acme"}, func(string, vault.LogKey) error { return nil }))
			e.clock.Advance(300 * 24 * time.Hour)
			e.scope("files of today")
			young := e.keep("files of today", "joe-the-person", "N-4")
			e.clock.Advance(130 * 24 * time.Hour) // 13 months since the first three, not since the last
			if _, leaves, waiting := e.old(); leaves != 0 || waiting != 3 {
				t.Errorf("before the export %d leaves may go, %d wait", leaves, waiting)
			}
			e.exportAll()
			manifests, err := fs.Glob(os.DirFS(out), "acme/manifests/2026-03-0*")
			if e.no(err); len(manifests) < 4 {
				t.Errorf("the manifests are %v", manifests)
			}
			plans, leaves, waiting := e.old()
			if leaves != 3 || waiting != 0 {
				t.Fatalf("after the export %d leaves may go, %d wait", leaves, waiting)
			}
			e.close()
			e.prune(plans, 3)
			e.open()
			e.pruned(plans[0].To)
			if _, leaves, _ := e.old(); leaves != 0 {
				t.Errorf("%d leaves are still to go", leaves)
			}
			e.exportAll() // goes on
			e.evidence()
			noneOf(t, out, "N-1", "N-2", "N-3", "N-4", "jane-the-person", "joe-the-person", "files of today", tokens[0], young)
		})
	}
}

// evidence is drawn from the log as it is, and verifies with the first key.
func (e *estate) evidence() {
	e.Helper()
	auditor := vaulttest.Call("ann", "auditor")
	to := e.clock.Now().UTC().Truncate(time.Second)
	asked, err := e.in.Service.RequestEvidence(e.Context(), auditor, vault.EvidenceRequest{From: to.Add(-vault.MaxEvidencePeriod), To: to})
	e.no(err)
	if made, err := e.in.MakeEvidence(e.Context(), "acme"); !made || err != nil {
		e.Fatalf("made %t: %v", made, err)
	}
	bundle, info, err := e.in.Service.EvidenceBundle(e.Context(), auditor, asked.Evidence.ID)
	e.no(err)
	body, err := io.ReadAll(bundle)
	e.no(errors.Join(err, bundle.Close()))
	first := strings.Fields(readFile(e.T, e.backends.LogKey("acme")))[:1]
	result, err := verify.Bundle(e.Context(), bytes.NewReader(body), verify.Options{VKeys: first})
	if err != nil || result.Entries != info.Size || result.Pruned != 3 {
		e.Errorf("%d entries of %d, %d pruned: %v", result.Entries, info.Size, result.Pruned, err)
	}
	if results, err := e.in.Service.CheckControls(e.Context(), auditor); err != nil || len(results) < 20 {
		e.Errorf("%d controls: %v", len(results), err)
	}
}

// noneOf finds none of the canaries in what went out. Each has a sign that base64 has
// not: signatures hold every short word some day.
func noneOf(t *testing.T, dir string, canaries ...string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		body, err := os.ReadFile(path)
		for _, canary := range canaries {
			if strings.Contains(string(body), canary) {
				t.Errorf("%s holds %q", path, canary)
			}
		}
		return err
	})
	if err != nil || files < 10 {
		t.Errorf("%d files went out: %v", files, err)
	}
}

// prune takes the leaves of plans out, and the log is sound.
func (e *estate) prune(plans []vault.PrunePlan, want int64) {
	e.Helper()
	owner := ""
	if e.db != nil {
		if _, err := assembly.PruneLog(e.Context(), e.backends, "", e.options, plans); err == nil {
			e.Error("somebody prunes who is not the owner")
		}
		owner = e.db.Owner
	}
	gone, err := assembly.PruneLog(e.Context(), e.backends, owner, e.options, plans)
	e.no(err)
	if gone[0] != want {
		e.Errorf("%d leaves are gone, want %d", gone[0], want)
	}
	e.verifies()
}

// pruned finds the leaves of tokenize entries gone below an index, and only these;
// their proofs stay.
func (e *estate) pruned(end int64) {
	e.Helper()
	ctx, auditor := e.Context(), vault.Call{Caller: vault.Caller{Tenant: "acme", Subject: "ann", Client: "desk", Roles: []string{"auditor"}}}
	page, err := e.in.Service.AuditSearch(ctx, auditor, vault.EntrySearch{EntryQuery: vault.EntryQuery{Limit: vault.PageEntries}})
	e.no(err)
	keys, err := e.in.Service.AuditKeys(ctx, auditor)
	e.no(err)
	var vkeys []string
	for _, key := range keys {
		vkeys = append(vkeys, key.Key)
	}
	gone := 0
	for _, stored := range page.Entries {
		receipt, err := e.in.Service.AuditProofAt(ctx, auditor, stored.Index, 0)
		e.no(err)
		if err := receipt.Verify(vkeys...); err != nil || receipt.LeafHash != stored.LeafHash {
			e.Errorf("entry %d: %v", stored.Index, err)
		}
		if stored.Leaf == nil {
			if gone++; stored.Index >= end {
				e.Errorf("entry %d is gone, and is too young", stored.Index)
			}
			continue
		}
		entry, err := audit.ParseLeaf(stored.Leaf)
		e.no(err)
		if entry.Kind == audit.KindTokenize && stored.Index < end {
			e.Errorf("entry %d is still there", stored.Index)
		}
	}
	if gone != 3 {
		e.Errorf("%d entries are gone", gone)
	}
	if len(page.Entries) == 0 || !slices.ContainsFunc(page.Entries, func(s vault.StoredEntry) bool { return strings.Contains(string(s.Leaf), `"kind":"prune"`) }) {
		e.Error("no entry says it")
	}
}
