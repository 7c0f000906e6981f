package client_test

import (
	"errors"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/client"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// bundled is the shipped policy with a comment more: another version of it.
func bundled(t *testing.T) *access.Bundle {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(authz.FS, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(authz.FS, path)
		files[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files["policy.csv"].Data = append(files["policy.csv"].Data, "# Another version.\n"...)
	bundle, err := access.BundleOf(files)
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

// TestAPolicyIsProposed, promoted by somebody else with an approval, and rolled
// back.
func TestAPolicyIsProposed(t *testing.T) {
	w := newWorld(t, vaulttest.WithPolicy(authz.FS), vaulttest.With(func(o *assembly.Options) { o.PolicyAdministrator = "acme" }))
	otto, olga := w.client(w.as("acme", "otto", "operator")), w.client(w.as("acme", "olga", "operator"))
	bundle := bundled(t)
	packed, err := bundle.Pack()
	if err != nil {
		t.Fatal(err)
	}
	request := client.ProposalRequest{
		Bundle: packed, Tenants: []string{"acme"},
		Change: &client.PolicyChange{PR: "POLICY-7", Commit: "0a1b2c3", TestsDigest: bundle.TestsDigest()},
	}
	proposed, err := otto.ProposePolicy(t.Context(), request)
	if err != nil || proposed.Status != "trial" || proposed.Change.PR != "POLICY-7" || proposed.Receipt == nil {
		t.Fatalf("%+v %v", proposed, err)
	}
	if _, err := otto.PromotePolicy(t.Context(), proposed.ID, "POLICY-7", ""); !errors.Is(err, client.ErrConflict) {
		t.Errorf("the proposer's own: %v", err)
	}
	asked, err := olga.RequestApproval(t.Context(), client.ApprovalRequest{
		Operation: client.OperationPolicyPromotion, Target: proposed.ID, Reference: "POLICY-7",
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := otto.DecideApproval(t.Context(), asked.ID, client.Approve, ""); err != nil {
		t.Fatal(err)
	}
	promoted, err := olga.PromotePolicy(t.Context(), proposed.ID, "POLICY-7", asked.ID)
	if err != nil || promoted.Status != "in_force" {
		t.Fatalf("%+v %v", promoted, err)
	}
	if page, err := olga.Proposals(t.Context(), true, ""); err != nil || len(page.Proposals) != 1 || page.Proposals[0].Version != promoted.Version {
		t.Errorf("%+v %v", page, err)
	}
	if back, err := olga.RollbackPolicy(t.Context(), "POLICY-8"); err != nil || back.ID != proposed.ID || back.Status != "retired" {
		t.Errorf("%+v %v", back, err)
	}
	second, err := otto.ProposePolicy(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if dropped, err := otto.DropPolicy(t.Context(), second.ID, "POLICY-9"); err != nil || dropped.Status != "dropped" {
		t.Errorf("%+v %v", dropped, err)
	}
	// The policy of this service is built in: there is none to read again.
	if _, err := olga.ReloadPolicy(t.Context()); !errors.Is(err, client.ErrConflict) {
		t.Errorf("a reload: %v", err)
	}
}
