package vault_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
	"github.com/counterfoil/counterfoil/internal/verify"
)

// spoken makes a log in which two people were spoken of, in two scopes.
func spoken(t *testing.T, v *vaulttest.Vault) (jane, joe vault.TokenizeResult) {
	t.Helper()
	ctx := context.Background()
	of := func(person, destination string, entity, value string) vault.TokenizeResult {
		call := vaulttest.OnBehalfOf(v.Gateway(), "user of "+person)
		return must2(v.Service.Tokenize(ctx, call, vault.TokenizeRequest{
			Scope: "chat of " + person, Destination: destination, Values: []vault.Value{{Entity: entity, Value: value, Subject: person}},
		}))(t)
	}
	jane = of("jane", "openai/us", "EMAIL_ADDRESS", "jane@example.com")
	v.Clock.Advance(time.Second)
	joe = of("joe", "anthropic/eu", "CREDIT_CARD", "4111111111111111")
	v.Clock.Advance(time.Second)
	must2(llm(v, vaulttest.OnBehalfOf(v.Gateway(), "user of jane"), "chat of jane", jane.Values[0]))(t)
	return jane, joe
}

// found are the kinds of the entries that a search finds, and how many it counts.
func found(t *testing.T, v *vaulttest.Vault, q vault.EntrySearch) []string {
	t.Helper()
	q.Limit, q.Count = 100, true
	page := must2(v.Service.AuditSearch(context.Background(), v.Auditor(), q))(t)
	if page.Count == nil || *page.Count != int64(len(page.Entries)) || page.HasNext {
		t.Errorf("%d entries are counted as %v", len(page.Entries), page.Count)
	}
	kinds := make([]string, len(page.Entries))
	for i, stored := range page.Entries {
		kinds[i] = string(must2(audit.ParseLeaf(stored.Leaf))(t).Kind)
	}
	return kinds
}

// TestSearch: an auditor finds entries by everything that they name, also by the
// callers' own names of people, scopes and end users.
func TestSearch(t *testing.T) {
	v := vaulttest.New(t)
	spoken(t, v)
	all := must2(v.Service.AuditSearch(context.Background(), v.Auditor(), vault.EntrySearch{EntryQuery: vault.EntryQuery{Limit: 100}}))(t)
	first := must2(audit.ParseLeaf(all.Entries[len(all.Entries)-1].Leaf))(t)
	both := []string{"tokenize", "restore"}
	for name, search := range map[string]struct {
		q    vault.EntrySearch
		want []string
	}{
		"subject":     {vault.EntrySearch{Subject: "jane"}, both},
		"subject ref": {vault.EntrySearch{SubjectRef: first.SubjectRefs[0]}, both},
		"nobody":      {vault.EntrySearch{Subject: "nobody"}, nil},
		"scope":       {vault.EntrySearch{Scope: "chat of joe"}, []string{"tokenize"}},
		"scope ref":   {vault.EntrySearch{ScopeRef: first.ScopeRefs[0]}, both},
		"no scope":    {vault.EntrySearch{Scope: "chat of nobody"}, nil},
		"end user":    {vault.EntrySearch{EndUser: "user of jane"}, both},
		"digest":      {vault.EntrySearch{EntryQuery: vault.EntryQuery{EndUser: first.OnBehalfOf}}, both},
		"class":       {vault.EntrySearch{EntryQuery: vault.EntryQuery{Class: "restricted"}}, []string{"tokenize"}},
		"destination": {vault.EntrySearch{EntryQuery: vault.EntryQuery{Destination: "anthropic/eu"}}, []string{"tokenize"}},
		"client":      {vault.EntrySearch{EntryQuery: vault.EntryQuery{Client: "gw-1", Kind: "restore"}}, []string{"restore"}},
		"other":       {vault.EntrySearch{EntryQuery: vault.EntryQuery{Client: "gw-2"}}, nil},
		"policy":      {vault.EntrySearch{EntryQuery: vault.EntryQuery{PolicyVersion: first.PolicyVersion, Reason: "LLM_RESPONSE"}}, []string{"restore"}},
		"two fields":  {vault.EntrySearch{Subject: "jane", Scope: "chat of joe"}, nil},
	} {
		if got := found(t, v, search.q); !slices.Equal(got, search.want) {
			t.Errorf("%s finds %v, want %v", name, got, search.want)
		}
	}
	_, err := v.Service.AuditSearch(context.Background(), v.Auditor(), vault.EntrySearch{
		Subject: "jane", SubjectRef: first.SubjectRefs[0], EntryQuery: vault.EntryQuery{Limit: 1},
	})
	wantViolation(t, err, "/subject")
	if _, err := v.Service.AuditSearch(context.Background(), v.Gateway(), vault.EntrySearch{EntryQuery: vault.EntryQuery{Limit: 1}}); vault.CodeOf(err) != vault.CodeDenied {
		t.Errorf("a gateway searches the log: %v", err)
	}
}

// TestProofsOfEverySize: of every size that the log had there are proofs of all
// entries below it, and every size is consistent with every later one; what proves
// the one does not prove the other.
func TestProofsOfEverySize(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	spoken(t, v)
	size := head(t, v)
	keys := must2(v.Service.AuditKeys(ctx, v.Auditor()))(t)
	for at := int64(1); at <= size; at++ {
		for index := range at {
			proof := must2(v.Service.AuditProofAt(ctx, v.Auditor(), index, at))(t)
			if err := proof.Verify(keys[0].Key); err != nil || proof.TreeSize != at || proof.Index != index {
				t.Fatalf("entry %d at size %d: %v", index, at, err)
			}
			proof.Index = (index + 1) % at
			if err := proof.Verify(keys[0].Key); err == nil && at > 1 {
				t.Fatalf("the proof of entry %d at size %d is one of entry %d", index, at, proof.Index)
			}
		}
		c := must2(v.Service.AuditConsistency(ctx, v.Auditor(), at, 0))(t)
		if err := tlog.CheckTree(tlog.TreeProof(c.Proof), c.To, c.ToRoot, c.From, c.FromRoot); err != nil || c.From != at || c.To != size {
			t.Fatalf("size %d is not the beginning of %d: %v", at, size, err)
		}
		if tree := must2(audit.OpenCheckpoint(c.Checkpoint, keys[0].Key))(t); tree.Size != c.To || tree.Root != c.ToRoot {
			t.Fatalf("the checkpoint states %+v", tree)
		}
	}
	for name, refused := range map[string]func() error{
		"beyond":    func() error { _, err := v.Service.AuditProofAt(ctx, v.Auditor(), size, 0); return err },
		"above":     func() error { _, err := v.Service.AuditProofAt(ctx, v.Auditor(), 0, size+1); return err },
		"not below": func() error { _, err := v.Service.AuditProofAt(ctx, v.Auditor(), 1, 1); return err },
		"negative":  func() error { _, err := v.Service.AuditProofAt(ctx, v.Auditor(), -1, 0); return err },
		"to":        func() error { _, err := v.Service.AuditConsistency(ctx, v.Auditor(), 1, size+1); return err },
	} {
		if err := refused(); vault.CodeOf(err) != vault.CodeNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTiles: the tiles lead to the root, as C2SP has them, and there are no others.
func TestTiles(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	for n := range 300 {
		tokenizeValue(t, v, v.Gateway(), "chat", "LOCATION", fmt.Sprint("Lisbon ", n))
	}
	size := head(t, v)
	var hashes []audit.Hash
	for _, tile := range audit.Tiles(0, size) {
		body := must2(v.Service.AuditTile(ctx, v.Auditor(), tile))(t)
		switch {
		case tile.Entries:
			for _, leaf := range must2(audit.ParseEntryBundle(body))(t) {
				hashes = append(hashes, audit.LeafHash(leaf))
			}
		case len(body) != tile.Width*tlog.HashSize:
			t.Errorf("%s has %d bytes", tile.Path(), len(body))
		case tile.Level == 0:
			for i := range tile.Width {
				if leaf := must2(v.Service.AuditProofAt(ctx, v.Auditor(), tile.First()+int64(i), 0))(t).LeafHash; !bytes.Equal(leaf[:], body[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
					t.Errorf("%s: hash %d is another", tile.Path(), i)
				}
			}
		}
	}
	batch := must2(audit.Frontier{}.AppendHashes(hashes))(t)
	if now := must2(v.Service.AuditConsistency(ctx, v.Auditor(), size, 0))(t); batch.Root != now.ToRoot {
		t.Error("the entries of the bundles do not lead to the root")
	}
	for _, none := range []audit.Tile{{N: size / audit.TileWidth, Width: int(size%audit.TileWidth) + 1}, {Level: 1, N: 0, Width: 2}, {N: 9, Width: 1, Entries: true}, {Level: 9, Width: 1}} {
		if _, err := v.Service.AuditTile(ctx, v.Auditor(), none); vault.CodeOf(err) != vault.CodeNotFound {
			t.Errorf("%s is there: %v", none.Path(), err)
		}
	}
}

// verified is what the verifier finds in the folder of a service.
func verified(t *testing.T, v *vaulttest.Vault) error {
	t.Helper()
	if err := v.Worker.Publish(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, err := assembly.Verify(context.Background(), v.Dir)
	return err
}

// TestInvariant13_PolicyVersionsAreAnnounced: before the first entry under a policy
// version a log says that there is that version; verify finds where it does not.
func TestInvariant13_PolicyVersionsAreAnnounced(t *testing.T) {
	for _, silent := range []bool{false, true} {
		bundle := must2(access.BundleOf(edited(t, nil)))(t)
		v := vaulttest.New(t, vaulttest.With(func(o *assembly.Options) {
			o.PolicySource = func(context.Context) (*access.Bundle, error) { return bundle, nil }
		}))
		tokenizeValue(t, v, v.Gateway(), "chat", "LOCATION", "Lisbon")
		bundle = must2(access.BundleOf(edited(t, map[string][2]string{"retention.yaml": {"tokenize_months: 13", "tokenize_months: 14"}})))(t)
		must2(v.Service.Reload(context.Background()))(t)
		v.Service.SetFaults(vault.Faults{SilentPolicies: silent})
		tokenizeValue(t, v, v.Gateway(), "chat", "LOCATION", "Porto")
		tokenizeValue(t, v, v.Gateway(), "chat", "LOCATION", "Faro")
		err := verified(t, v)
		var fault *verify.Fault
		if silent && (!errors.As(err, &fault) || fault.Rule != verify.RulePolicy) || !silent && err != nil {
			t.Errorf("silent %t: %v", silent, err)
		}
		if loads := found(t, v, vault.EntrySearch{EntryQuery: vault.EntryQuery{Kind: "policy_load"}}); silent != (len(loads) == 0) || len(loads) > 1 {
			t.Errorf("silent %t: it is announced %d times", silent, len(loads))
		}
	}
}

// TestDispatch: what a vendor did is found with the prompt, and only who sent the
// prompt says it.
func TestDispatch(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	prompt := v.Gateway()
	tokenizeValue(t, v, prompt, "chat", "LOCATION", "Lisbon")
	d := vault.DispatchRequest{
		RequestID: prompt.RequestID, Destination: "openai/us", Model: "gpt-x", VendorRequestID: "chatcmpl-1", Status: "ok", LatencyMS: 842,
		Usage: map[string]int64{"input_tokens": 310, "output_tokens": 95},
	}
	if result := must2(v.Service.Dispatch(ctx, v.Gateway(), d))(t); result.Audit == nil {
		t.Error("it proves nothing")
	}
	if got := found(t, v, vault.EntrySearch{EntryQuery: vault.EntryQuery{RequestID: prompt.RequestID}}); !slices.Equal(got, []string{"tokenize", "dispatch"}) {
		t.Errorf("with the prompt is found %v", got)
	}
	if _, err := v.Service.Dispatch(ctx, vaulttest.Call("gw-2", "gateway"), d); vault.CodeOf(err) != vault.CodeNotFound {
		t.Errorf("another client says what became of the prompt: %v", err)
	}
	if _, err := v.Service.Dispatch(ctx, v.Auditor(), d); vault.CodeOf(err) != vault.CodeDenied {
		t.Errorf("an auditor does: %v", err)
	}
	for field, spoil := range map[string]func(*vault.DispatchRequest){
		"/request_id":        func(d *vault.DispatchRequest) { d.RequestID = "" },
		"/destination":       func(d *vault.DispatchRequest) { d.Destination = "nowhere" },
		"/status":            func(d *vault.DispatchRequest) { d.Status = "fine" },
		"/model":             func(d *vault.DispatchRequest) { d.Model = "a model" },
		"/vendor_request_id": func(d *vault.DispatchRequest) { d.VendorRequestID = `"` },
		"/latency_ms":        func(d *vault.DispatchRequest) { d.LatencyMS = -1 },
		"/usage":             func(d *vault.DispatchRequest) { d.Usage = map[string]int64{"cents": 1} },
		"/usage/input_tokens": func(d *vault.DispatchRequest) {
			d.Usage = map[string]int64{"input_tokens": vault.MaxDispatchTokens + 1}
		},
	} {
		bad := d
		spoil(&bad)
		_, err := v.Service.Dispatch(ctx, v.Gateway(), bad)
		wantViolation(t, err, field)
	}
}

// TestLogKeyRotation: after a rotation the new key signs, the old one vouched for
// it, and what the old one signed stays good; a service that was not told goes on
// and learns of it.
func TestLogKeyRotation(t *testing.T) {
	ctx := context.Background()
	v := vaulttest.New(t)
	tokenizeValue(t, v, v.Gateway(), "chat", "LOCATION", "Lisbon")
	first := must2(v.Service.AuditKeys(ctx, v.Auditor()))(t)
	before := must2(v.Service.AuditProofAt(ctx, v.Auditor(), 1, 0))(t)
	for n := range 2 {
		key := must2(v.Service.RotateLogKey(ctx, vault.Call{Channel: "keys"}, "acme"))(t)
		if key.Version != n+2 || key.Handover == "" {
			t.Fatalf("rotation %d: %+v", n, key)
		}
	}
	keys := must2(v.Service.AuditKeys(ctx, v.Auditor()))(t)
	if len(keys) != 3 || keys[2].Key != first[0].Key || keys[2].Handover != "" {
		t.Fatalf("the keys are %+v", keys)
	}
	after := must2(v.Service.AuditProofAt(ctx, v.Auditor(), 1, 0))(t)
	if err := after.Verify(first[0].Key); err == nil {
		t.Error("the old key still signs")
	}
	trusted := must2(audit.FollowHandovers([]string{first[0].Key}, []byte(keys[1].Handover), []byte(keys[0].Handover)))(t)
	for _, receipt := range []audit.Receipt{before, after} {
		if err := receipt.Verify(trusted...); err != nil {
			t.Errorf("with the keys that were handed over: %v", err)
		}
	}
	if _, err := audit.FollowHandovers([]string{first[0].Key}, []byte(keys[0].Handover)); err == nil {
		t.Error("a key is trusted for which nobody vouches who is")
	}
	if err := v.Service.SyncLogKeys(ctx, "acme"); err != nil {
		t.Error(err)
	}
	if err := verified(t, v); err != nil {
		t.Errorf("with three keys: %v", err)
	}
}
