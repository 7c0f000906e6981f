//go:build unix

package lifemodel_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/token"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

const (
	// tenantBudget is what all clients of these races may have together in an hour.
	tenantBudget = 150
	clients      = 64
	redeems      = 100
	// perSecond is how many restorations begin while one is suspended.
	perSecond = 200
)

// withBudget is the shipped policy with a budget that a test can spend.
func withBudget(t testing.TB) fs.FS {
	t.Helper()
	bundle := fstest.MapFS{}
	err := fs.WalkDir(authz.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(authz.FS, path)
		bundle[path] = &fstest.MapFile{Data: text}
		return err
	})
	const was = "{per: tenant, tokens: 5000}"
	reasons := bundle["reasons.yaml"]
	if err != nil || !bytes.Contains(reasons.Data, []byte(was)) {
		t.Fatalf("the policy has no budget %s: %v", was, err)
	}
	reasons.Data = bytes.ReplaceAll(reasons.Data, []byte(was), fmt.Appendf(nil, "{per: tenant, tokens: %d}", tenantBudget))
	return bundle
}

// desk is somebody who works on tickets.
func desk(i int) vault.Call { return vaulttest.Call(fmt.Sprint("desk-", i), "restorer") }

// replica is one of the two, in turn.
func (r *arena) replica(i int) *vaulttest.Vault { return []*vaulttest.Vault{r.a, r.b}[i%2] }

// keeps tokenizes different values of one entity in a scope.
func (r *arena) keeps(scope, entity string, values ...string) (tokens []string) {
	req := vault.TokenizeRequest{Scope: scope}
	for _, value := range values {
		req.Values = append(req.Values, vault.Value{Entity: entity, Value: value})
	}
	return must(r.a.Service.Tokenize(ctx, r.a.Gateway(), req))(r).Values
}

func ticket(scope string, tokens ...string) vault.DetokenizeRequest {
	return vault.DetokenizeRequest{
		Scope: scope, Tokens: tokens, Reason: vault.ReasonGiven{Code: "CUSTOMER_SUPPORT", Reference: "TICKET-7"},
	}
}

// restored counts what was given back.
func restored(got vault.DetokenizeResult) (n int) {
	for _, one := range got.Results {
		if one.Status == vault.StatusRestored {
			n++
		}
	}
	return n
}

// allowed are the restorations of a token that stand in the log, by index.
func (r *arena) allowed(written string) []int64 {
	page := must(r.b.Service.AuditSearch(ctx, r.b.Auditor(), vault.EntrySearch{EntryQuery: vault.EntryQuery{
		Kind: string(audit.KindRestore), Decision: audit.Allow, Token: must(token.Parse(written))(r).ID, Limit: vault.PageEntries,
	}}))(r)
	var at []int64
	for _, e := range page.Entries {
		at = append(at, e.Index)
	}
	return at
}

// spendBudget: 64 clients have of one budget exactly what it has, not a token more
// or less.
func spendBudget(r *arena, budget int) {
	tokens := r.keeps("budget", "CUSTOM_ID", "ID-1", "ID-2", "ID-3")
	var given atomic.Int64
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			// Who may not have three has two, until not even one is left.
			for n := len(tokens) - i%2; n > 0 && given.Load() <= int64(budget); {
				got, err := r.replica(i).Service.Detokenize(ctx, desk(i), ticket("budget", tokens[:n]...))
				switch code := vault.CodeOf(err); {
				case err == nil && restored(got) != n:
					r.fault("of %d tokens %d were given: %+v", n, restored(got), got.Results)
					return
				case err == nil:
					given.Add(int64(n))
				case code == vault.CodeExhausted:
					n--
				case code != vault.CodeUnavailable:
					r.fault("unexpected error: %v", err)
					return
				}
			}
		})
	}
	group.Wait()
	logged := 0
	for _, written := range tokens {
		logged += len(r.allowed(written))
	}
	if given.Load() != int64(budget) || logged != budget {
		r.fault("of %d tokens %d were given, and %d stand in the log", budget, given.Load(), logged)
	}
	for _, line := range must(r.b.Service.Quota(ctx, desk(0), "CUSTOMER_SUPPORT"))(r) {
		if line.Per == "tenant" && line.Used != budget {
			r.fault("the quota says that %d of %d are used", line.Used, budget)
		}
	}
}

// redeemOnce: of 100 redeems of one approval at once one has the value.
func redeemOnce(r *arena, n int) {
	for round := range n {
		value := fmt.Sprintf("r%d@example.com", round)
		asked := ticket("redeem", r.keeps("redeem", "EMAIL_ADDRESS", value)...)
		approval := must(r.a.Service.RequestRestoration(ctx, desk(round), asked))(r).Approval
		approver := vaulttest.Call("amy", "approver")
		must(r.b.Service.DecideRestoration(ctx, approver, approval.ID, vault.DecisionGiven{Decision: "approve"}))(r)
		var won atomic.Int64
		var group sync.WaitGroup
		for i := range redeems {
			group.Go(func() {
				for range 100 {
					got, err := r.replica(i).Service.RedeemRestoration(ctx, desk(round), approval.ID, asked)
					switch code := vault.CodeOf(err); {
					case err == nil && got.Values[0] != value:
						r.fault("a redeem gave %s: %+v", got.Values[0], got.Results)
						return
					case err == nil:
						won.Add(1)
						return
					case code == vault.CodeConflict:
						return
					case code != vault.CodeUnavailable:
						r.fault("unexpected error: %v", err)
						return
					}
				}
				r.fault("unavailable for good")
			})
		}
		group.Wait()
		if logged := len(r.allowed(asked.Tokens[0])); won.Load() != 1 || logged != 1 {
			r.fault("of %d redeems %d had the value, and %d stand in the log", redeems, won.Load(), logged)
		}
		if got := must(r.b.Service.Restoration(ctx, desk(round), approval.ID))(r).Status; got != vault.ApprovalRedeemed {
			r.fault("after it the approval is %s", got)
		}
	}
}

// suspendAndRestore: while restorations begin at a rate one scope is suspended. No
// entry of one of them stands after that of the suspension, and another scope is
// restored all the time.
func suspendAndRestore(r *arena, n int) {
	scopes := []string{"stopped", "going on"}
	tokens := [][]string{r.keeps(scopes[0], "CUSTOM_ID", "ID-1"), r.keeps(scopes[1], "CUSTOM_ID", "ID-2")}
	var suspended atomic.Int64
	suspended.Store(never)
	var mu sync.Mutex
	given := make([][]int64, len(scopes))
	var group sync.WaitGroup
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	for i := range n {
		<-tick.C
		if i == n/2 {
			group.Go(func() {
				words := vault.SuspensionWords{Scopes: scopes[:1], Clients: []string{"gw-1"}}
				suspended.Store(r.index(func() (*audit.Receipt, error) {
					got, err := r.a.Service.Suspend(ctx, officer(), vault.SuspensionRequest{Match: words, Reason: "INC-1"})
					return got.Audit, err
				}))
			})
		}
		group.Go(func() {
			of, v, known := i/2%len(scopes), r.replica(i), suspended.Load() != never
			var got vault.DetokenizeResult
			index := r.index(func() (*audit.Receipt, error) {
				var err error
				got, err = v.Service.Detokenize(ctx, v.Gateway(), vault.DetokenizeRequest{
					Scope: scopes[of], Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Tokens: tokens[of],
				})
				return got.Audit, err
			})
			if restored(got) == 1 {
				mu.Lock()
				given[of] = append(given[of], index)
				mu.Unlock()
			} else if of == 1 {
				r.fault("what is not suspended is not given: %+v", got.Results)
			}
			if known && of == 0 && restored(got) > 0 {
				r.fault("it was suspended, and given to who asked then")
			}
		})
	}
	group.Wait()
	for _, index := range append(given[0], r.allowed(tokens[0][0])...) {
		if index > suspended.Load() {
			r.fault("suspended at %d, and restored at %d", suspended.Load(), index)
		}
	}
	if len(given[0]) == 0 || slices.Max(given[1]) < suspended.Load() {
		r.fault("there was no race: %d before the suspension, and nothing of another scope after it", len(given[0]))
	}
	r.Logf("of %d restorations %d were before the suspension at %d", n/2, len(given[0]), suspended.Load())
}
