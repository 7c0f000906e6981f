package vault_test

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// tokensOf is the shipped policy with another number of tokens for LLM_RESPONSE,
// and so with another version.
func tokensOf(t testing.TB, n string) fs.FS {
	return edited(t, map[string][2]string{"reasons.yaml": {"max_tokens: 500\n    # None", "max_tokens: " + n + "\n    # None"}})
}

func bundleOf(t testing.TB, fsys fs.FS) *access.Bundle {
	t.Helper()
	bundle, err := access.BundleOf(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

// administered is a service whose policy acme manages and whose configured bundle
// is what source says at the time.
func administered(source func() *access.Bundle) vaulttest.Option {
	return vaulttest.With(func(o *assembly.Options) {
		o.PolicyAdministrator = "acme"
		o.PolicySource = func(context.Context) (*access.Bundle, error) { return source(), nil }
	})
}

// TestInvariant13_ThousandReloads: the policy is read again a thousand times while
// requests are made. Every entry names a version that was in force, and both entries
// of a request name the same.
func TestInvariant13_ThousandReloads(t *testing.T) {
	ctx := context.Background()
	bundles := []*access.Bundle{bundleOf(t, authz.FS), bundleOf(t, tokensOf(t, "400")), bundleOf(t, tokensOf(t, "300"))}
	var current atomic.Int64
	v := vaulttest.New(t, administered(func() *access.Bundle { return bundles[current.Load()] }))
	text := tokenizeValue(t, v, v.Gateway(), "chat", "PERSON", "Jane Doe")
	reloads := 1000
	if underRace {
		reloads = 100
	}
	done := make(chan struct{})
	var group sync.WaitGroup
	var answered sync.Map // request id to the version that the answer names
	for worker := range 4 {
		group.Go(func() {
			random := rand.New(rand.NewPCG(13, uint64(worker)))
			for {
				select {
				case <-done:
					return
				default:
				}
				call := v.Gateway()
				reason := vault.ReasonGiven{Code: "LLM_RESPONSE"}
				if random.IntN(4) == 0 {
					reason.Code = "BREAK_GLASS" // refused, with an entry
				}
				got, err := v.Service.Detokenize(ctx, call, vault.DetokenizeRequest{Scope: "chat", Reason: reason, Text: &text})
				if err == nil {
					answered.Store(call.RequestID, got.PolicyVersion)
				}
			}
		})
	}
	taken := 0
	for i := range reloads {
		current.Store(int64(i % len(bundles)))
		result, err := v.Service.ReloadPolicy(ctx, vaulttest.Call("ole", "operator"))
		if err != nil {
			t.Fatalf("reload %d: %v", i, err)
		}
		if result.Changed {
			taken++
		}
	}
	close(done)
	group.Wait()
	if taken < reloads/2 {
		t.Fatalf("%d of %d reloads changed anything", taken, reloads)
	}
	checkVersions(t, v, bundles, &answered)
}

// checkVersions checks that every entry names a version that existed, and that an
// answer and its entry name the same.
func checkVersions(t *testing.T, v *vaulttest.Vault, bundles []*access.Bundle, answered *sync.Map) {
	t.Helper()
	known := make(map[string]bool)
	for _, b := range bundles {
		known[b.Version()] = true
	}
	versions := make(map[string]int)
	for _, e := range entriesFrom(t, v, 0) {
		if !known[e.PolicyVersion] {
			t.Fatalf("entry of kind %s names a version that never was", e.Kind)
		}
		versions[e.PolicyVersion]++
		if said, ok := answered.Load(e.RequestID); ok && said != e.PolicyVersion {
			t.Fatalf("a request was answered under %v and recorded under %s", said, e.PolicyVersion)
		}
	}
	if len(versions) < 2 {
		t.Fatalf("all entries name one version: nothing was shown")
	}
}

// TestInvariant13_EveryRequestIsPinned: every exported method that takes a call
// begins with taking its version. A twin without the line is found.
func TestInvariant13_EveryRequestIsPinned(t *testing.T) {
	files := token.NewFileSet()
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, source, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		found, loose := pinning(file)
		names = append(names, found...)
		for _, name := range loose {
			t.Errorf("%s takes a call and does not fix its policy version", name)
		}
	}
	if len(names) < 60 {
		t.Errorf("only %d methods were found", len(names))
	}
	twin, err := parser.ParseFile(files, "twin.go", "package vault\nfunc (s *Service) Loose(ctx context.Context, call Call) error { return nil }", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, loose := pinning(twin); !slices.Equal(loose, []string{"Loose"}) {
		t.Errorf("a method that does not fix its version is not found: %v", loose)
	}
}

// pinning returns the exported methods of a file that take a call, and those of them
// that do not begin with s = s.under(call).
func pinning(file *ast.File) (all, loose []string) {
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv == nil || !f.Name.IsExported() || f.Name.Name == "Pinned" {
			continue
		}
		takes := slices.ContainsFunc(f.Type.Params.List, func(p *ast.Field) bool {
			name, ok := p.Type.(*ast.Ident)
			return ok && name.Name == "Call"
		})
		if !takes {
			continue
		}
		all = append(all, f.Name.Name)
		if len(f.Body.List) > 0 {
			if assign, ok := f.Body.List[0].(*ast.AssignStmt); ok {
				if call, ok := assign.Rhs[0].(*ast.CallExpr); ok {
					if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "under" {
						continue
					}
				}
			}
		}
		loose = append(loose, f.Name.Name)
	}
	return all, loose
}

// TestBadBundleChangesNothing: what is refused is refused as a whole, and the one
// before it decides on.
func TestBadBundleChangesNothing(t *testing.T) {
	ctx := context.Background()
	good := bundleOf(t, authz.FS)
	next := good
	v := vaulttest.New(t, administered(func() *access.Bundle { return next }))
	operator := vaulttest.Call("ole", "operator")
	for name, bad := range map[string]fs.FS{
		"a table that fails":    edited(t, map[string][2]string{"reasons.yaml": {"confidential: 1, restricted: 2", "confidential: 0, restricted: 0"}}),
		"an unknown attribute":  edited(t, map[string][2]string{"policy.csv": {"attr:team=fraud", "attr:shoe_size=fraud"}}),
		"another entity":        edited(t, map[string][2]string{"entities.yaml": {"  UK_POSTCODE: ", "  UK_POSTAL_CODE: "}}),
		"a text that fails":     edited(t, map[string][2]string{"entities.yaml": {"EMAIL_ADDRESS:             {class: confidential, normaliser: email}", "EMAIL_ADDRESS: {class: confidential, normaliser: email, action: mask}"}}),
		"without a rule at all": edited(t, map[string][2]string{"policy.csv": {"allow", "deny"}}),
	} {
		next = bundleOf(t, bad)
		if _, err := v.Service.ReloadPolicy(ctx, operator); vault.CodeOf(err) != vault.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
		if got := must2(v.Service.PolicyInfo(ctx, operator))(t).Version; got != good.Version() {
			t.Fatalf("%s: it is in force", name)
		}
	}
	if _, err := v.Service.ReloadPolicy(ctx, vaulttest.Call("ann", "auditor")); vault.CodeOf(err) != vault.CodeDenied {
		t.Errorf("an auditor reads the policy again: %v", err)
	}
}

// TestProposal: a bundle decides for the tenants of its trial, is promoted by
// somebody else with an approval, and rolled back.
func TestProposal(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.WithPolicy(authz.FS), vaulttest.With(func(o *assembly.Options) { o.PolicyAdministrator = "acme" }))
	ole, olga := vaulttest.Call("ole", "operator"), vaulttest.Call("olga", "operator")
	shipped, next := bundleOf(t, authz.FS), bundleOf(t, tokensOf(t, "400"))
	packed := must2(next.Pack())(t)
	change := access.Change{PR: "PR-12", Commit: "abc123", TestsDigest: next.TestsDigest()}
	versionOf := func(tenant string) string {
		call := vaulttest.Call("ole", "operator")
		call.Caller.Tenant = tenant
		return must2(v.Service.PolicyInfo(ctx, call))(t).Version
	}
	_, err := v.Service.ProposePolicy(ctx, ole, vault.ProposeRequest{Bundle: packed})
	wantViolation(t, err, "/change")
	proposed := must2(v.Service.ProposePolicy(ctx, ole, vault.ProposeRequest{Bundle: packed, Tenants: []string{"globex"}, Change: change}))(t).Proposal
	if proposed.Status != "trial" || versionOf("globex") != next.Version() || versionOf("acme") != shipped.Version() {
		t.Fatalf("on trial: %s, globex under %s, acme under %s", proposed.Status, versionOf("globex"), versionOf("acme"))
	}
	approval := func(by, other vault.Call) string {
		id := must2(v.Service.RequestApproval(ctx, by, vault.ApprovalRequest{Operation: "policy_promotion", Target: proposed.ID, Reference: "CHG-1"}))(t).Approval.ID
		must2(v.Service.DecideApproval(ctx, other, id, approve))(t)
		return id
	}
	wantRefused(t, v, vault.CodeConflict, "self_promotion", func() error {
		_, err := v.Service.PromotePolicy(ctx, ole, proposed.ID, "CHG-1", "")
		return err
	})
	wantRefused(t, v, vault.CodeConflict, "needs_approval", func() error {
		_, err := v.Service.PromotePolicy(ctx, olga, proposed.ID, "CHG-1", "")
		return err
	})
	if got := must2(v.Service.PromotePolicy(ctx, olga, proposed.ID, "CHG-1", approval(olga, vaulttest.Call("otto", "operator"))))(t).Proposal; got.Status != "in_force" {
		t.Fatalf("promoted: %+v", got)
	}
	facts := must2(v.Service.Facts(ctx, "acme"))(t)
	last := facts.Policies[len(facts.Policies)-1]
	if last.Version != proposed.Version || last.Promoted.By != olga.Caller.Subject || last.Promoted.Reference != "CHG-1" ||
		last.Proposed.By == "" || last.Proposed.By == last.Promoted.By || len(last.Packed) == 0 || len(last.Diff) == 0 {
		t.Errorf("the evidence says that %+v and %+v, and of the difference %q", last.Proposed, last.Promoted, last.Diff)
	}
	if versionOf("acme") != next.Version() || versionOf("globex") != next.Version() {
		t.Fatal("the promoted policy does not decide for all")
	}
	wantRefused(t, v, vault.CodeConflict, "self_rollback", func() error {
		_, err := v.Service.RollbackPolicy(ctx, ole, "CHG-2")
		return err
	})
	if got := must2(v.Service.RollbackPolicy(ctx, olga, "CHG-2"))(t).Proposal; got.Status != "retired" || versionOf("acme") != shipped.Version() {
		t.Fatalf("rolled back: %+v", got)
	}
	var codes []string
	for _, e := range entriesOf(t, v, vault.SystemTenant, 0) {
		if e.Kind == audit.KindPolicyPropose || e.Kind == audit.KindPolicyChange {
			codes = append(codes, string(e.Kind)+" "+e.Code+" "+e.Actor)
		}
	}
	want := []string{"policy_propose PR-12 ole", "policy_change promote olga", "policy_change rollback olga"}
	if !slices.Equal(codes, want) {
		t.Errorf("the log says %v, want %v", codes, want)
	}
	if _, err := v.Service.Proposals(ctx, vaulttest.Call("rob", "restorer"), vault.ProceedingListRequest{}); err != nil {
		t.Errorf("who may read the policy may read what is proposed: %v", err)
	}
}

// TestRollbackToThePromotedBefore: what a promotion replaced decides again.
func TestRollbackToThePromotedBefore(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t, vaulttest.With(func(o *assembly.Options) { o.PolicyAdministrator = "acme" }))
	ole, olga := vaulttest.Call("ole", "operator"), vaulttest.Call("olga", "operator")
	versions := []string{}
	for _, n := range []string{"400", "300"} {
		b := bundleOf(t, tokensOf(t, n))
		change := access.Change{PR: "PR-1", Commit: "c", TestsDigest: b.TestsDigest()}
		id := mustPropose(t, v, ole, b, change)
		approvalID := ""
		if n == "300" { // the shipped policy is in force by now, and demands an approval
			approvalID = must2(v.Service.RequestApproval(ctx, olga, vault.ApprovalRequest{Operation: "policy_promotion", Target: id, Reference: "CHG-1"}))(t).Approval.ID
			must2(v.Service.DecideApproval(ctx, vaulttest.Call("otto", "operator"), approvalID, approve))(t)
		}
		must2(v.Service.PromotePolicy(ctx, olga, id, "CHG-1", approvalID))(t)
		versions = append(versions, b.Version())
	}
	must2(v.Service.RollbackPolicy(ctx, olga, "CHG-2"))(t)
	if got := must2(v.Service.PolicyInfo(ctx, ole))(t).Version; got != versions[0] {
		t.Errorf("after the rollback %s decides, want the one promoted before, %s", got, versions[0])
	}
	// Another replica, or this one after a restart, comes to the same.
	if err := v.Service.SyncPolicies(ctx); err != nil {
		t.Fatal(err)
	}
	if got := must2(v.Service.PolicyInfo(ctx, ole))(t).Version; got != versions[0] {
		t.Errorf("read anew, %s decides", got)
	}
}

func mustPropose(t *testing.T, v *vaulttest.Vault, call vault.Call, b *access.Bundle, change access.Change) string {
	t.Helper()
	got, err := v.Service.ProposePolicy(context.Background(), call, vault.ProposeRequest{Bundle: must2(b.Pack())(t), Change: change})
	var public *vault.Error
	if errors.As(err, &public) {
		t.Fatalf("propose: %v %v", err, public.Violations)
	}
	return got.Proposal.ID
}
