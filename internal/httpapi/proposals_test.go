package httpapi_test

import (
	"context"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

type proposal struct {
	ID, Version, Status string
	ProposedBy          string `json:"proposed_by"`
	Tenants             []string
	Change              struct {
		PR, Commit, Notes string
		TestsDigest       string `json:"tests_digest"`
	}
	Audit *audit.Receipt
}

// newManaged is a world whose policy is managed by one of its tenants, and promoted
// without the approval of others. What its replica is configured with may be
// replaced.
func newManaged(t *testing.T) (*world, *atomic.Pointer[access.Bundle]) {
	t.Helper()
	configured := new(atomic.Pointer[access.Bundle])
	bundle, err := access.BundleOf(shippedWith(t, "operations.yaml", "policy_promotion: {approvals: 1}", "policy_promotion: {approvals: 0}"))
	if err != nil {
		t.Fatal(err)
	}
	configured.Store(bundle)
	v := vaulttest.New(t, vaulttest.With(func(o *assembly.Options) {
		o.PolicyAdministrator = "acme"
		o.PolicySource = func(context.Context) (*access.Bundle, error) {
			if bundle := configured.Load(); bundle != nil {
				return bundle, nil
			}
			return nil, errors.New("there is none")
		}
	}))
	return newWorldOf(t, v.Service, httpapi.Limits{}), configured
}

// narrower is the shipped policy with a smaller budget.
func narrower(t *testing.T, tokens string) *access.Bundle {
	t.Helper()
	bundle, err := access.BundleOf(shippedWith(t, "reasons.yaml", "{per: caller, tokens: 200}", "{per: caller, tokens: "+tokens+"}"))
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}

// proposalOf is what proposes a bundle.
func proposalOf(t *testing.T, bundle *access.Bundle, tenants ...string) m {
	t.Helper()
	packed, err := bundle.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return m{
		"bundle": base64.StdEncoding.EncodeToString(packed), "tenants": append([]string{}, tenants...),
		"change": m{"pr": "https://git.example.org/policy/pull/88", "commit": "3f786850", "tests_digest": bundle.TestsDigest(), "notes": "smaller"},
	}
}

func (w *world) policyVersion(bearer string) string {
	var answer struct{ Version string }
	w.As(bearer).Get("/v1/policy").Want(http.StatusOK).Decode(&answer)
	return answer.Version
}

// TestAPolicyIsProposedPromotedAndRolledBack walks the way of a change: on trial for
// one tenant, in force for all by a second person, and back.
func TestAPolicyIsProposedPromotedAndRolledBack(t *testing.T) {
	w, _ := newManaged(t)
	before := w.policyVersion("auditor")
	var proposed, promoted, back proposal
	w.As("operator").Post("/v1/policy/proposals", proposalOf(t, narrower(t, "199"), "globex")).Want(http.StatusCreated).Decode(&proposed)
	if proposed.Status != "trial" || proposed.ProposedBy != "ole" || !slices.Equal(proposed.Tenants, []string{"globex"}) ||
		proposed.Change.Commit != "3f786850" || proposed.Change.TestsDigest == "" || proposed.Audit == nil || proposed.Version == before {
		t.Errorf("proposed: %+v", proposed)
	}
	if ours, theirs := w.policyVersion("auditor"), w.policyVersion("auditor2"); ours != before || theirs != proposed.Version {
		t.Errorf("on trial: %s and %s", ours, theirs)
	}
	path := "/v1/policy/proposals/" + proposed.ID
	w.As("operator").Post(path+"/promote", m{"reference": "CHG-1"}).Want(http.StatusConflict)
	w.As("operator2").Post(path+"/promote", m{"reference": "CHG-1"}).Want(http.StatusOK).Decode(&promoted)
	if promoted.Status != "in_force" || promoted.Audit == nil || w.policyVersion("auditor") != proposed.Version {
		t.Errorf("promoted: %+v", promoted)
	}
	w.As("operator2").Post(path+"/promote", m{"reference": "CHG-1"}).Want(http.StatusConflict)
	w.As("operator2").Post(path+"/drop", m{"reference": "CHG-1"}).Want(http.StatusConflict)
	w.As("operator").Post("/v1/policy/rollback", m{"reference": "CHG-2"}).Want(http.StatusConflict)
	w.As("operator2").Post("/v1/policy/rollback", m{"reference": "CHG-2"}).Want(http.StatusOK).Decode(&back)
	if back.Status != "retired" || w.policyVersion("auditor") != before || w.policyVersion("auditor2") != before {
		t.Errorf("rolled back: %+v", back)
	}
	var page struct{ Proposals []proposal }
	w.As("operator").Get("/v1/policy/proposals").Want(http.StatusOK).Decode(&page)
	if len(page.Proposals) != 1 || page.Proposals[0].Status != "retired" {
		t.Errorf("listed: %+v", page.Proposals)
	}
	w.As("operator").Get("/v1/policy/proposals?open=true").Want(http.StatusOK).Decode(&page)
	if len(page.Proposals) != 0 {
		t.Errorf("open: %+v", page.Proposals)
	}
}

// Under a policy that demands it others approve a promotion first.
func TestInvariant14_APromotionNeedsItsApproval(t *testing.T) {
	w, configured := newManaged(t)
	configured.Store(narrower(t, "198"))
	w.As("operator").Post("/v1/policy/reload", m{}).Want(http.StatusOK)
	var proposed proposal
	w.As("operator").Post("/v1/policy/proposals", proposalOf(t, narrower(t, "199"))).Want(http.StatusCreated).Decode(&proposed)
	path := "/v1/policy/proposals/" + proposed.ID + "/promote"
	w.As("operator2").Post(path, m{"reference": "CHG-1"}).Want(http.StatusConflict)
	asked := w.demand("operator2", "policy_promotion", proposed.ID)
	w.As("operator").Post("/v1/approvals/"+asked.ID+"/decisions", m{"decision": "approve"}).Want(http.StatusOK)
	w.As("operator2").Post(path, m{"reference": "CHG-1", "approval_id": asked.ID}).Want(http.StatusOK)
	if got := w.policyVersion("auditor"); got != proposed.Version {
		t.Errorf("in force: %s", got)
	}
}

func TestAPolicyIsReadAgain(t *testing.T) {
	w, configured := newManaged(t)
	type reloaded struct {
		Version, Before string
		Changed         bool
		Audit           *audit.Receipt
	}
	var same, other reloaded
	w.As("operator").Post("/v1/policy/reload", m{}).Want(http.StatusOK).Decode(&same)
	if same.Changed || same.Version != same.Before || same.Audit != nil {
		t.Errorf("the same: %+v", same)
	}
	configured.Store(narrower(t, "199"))
	w.As("operator").Post("/v1/policy/reload", m{}).Want(http.StatusOK).Decode(&other)
	if !other.Changed || other.Before != same.Version || other.Version != w.policyVersion("auditor") || other.Audit == nil {
		t.Errorf("another: %+v", other)
	}
	// One that cannot be read leaves what is in force.
	configured.Store(nil)
	w.As("operator").Post("/v1/policy/reload", m{}).Want(http.StatusUnprocessableEntity)
	if w.policyVersion("auditor") != other.Version {
		t.Error("a bundle that is none replaced a good one")
	}
	w.As("auditor").Post("/v1/policy/reload", m{}).Want(http.StatusForbidden)
	w.As("operator").Post("/v1/policy/reload", m{"force": true}).Want(http.StatusUnprocessableEntity)
}

func TestProposalsThatAreRefused(t *testing.T) {
	w, _ := newManaged(t)
	good := proposalOf(t, narrower(t, "199"))
	with := func(more m) m {
		body := m{}
		for name, v := range good {
			body[name] = v
		}
		for name, v := range more {
			body[name] = v
		}
		return body
	}
	broken, err := access.BundleOf(shippedWith(t, "reasons.yaml", "consent: marketing", `consent: ""`))
	if err != nil {
		t.Fatal(err)
	}
	const path = "/v1/policy/proposals"
	id := path + "/" + nobodys
	for name, c := range map[string]refused{
		"no bundle":             {path, m{}, 422, "/bundle", "is required", ""},
		"no base64":             {path, with(m{"bundle": "not base64"}), 422, "/bundle", "", ""},
		"no padding":            {path, with(m{"bundle": "AAAAA"}), 422, "/bundle", "must be base64 with padding", ""},
		"bits beyond the end":   {path, with(m{"bundle": "AAB="}), 422, "/bundle", "must be base64 with padding", ""},
		"no change":             {path, m{"bundle": good["bundle"]}, 422, "/change", "", ""},
		"tests of another":      {path, with(m{"change": m{"pr": "88", "commit": "3f786850", "tests_digest": nobodys + nobodys}}), 422, "/change/tests_digest", "", ""},
		"no tenant":             {path, with(m{"tenants": []string{"Acme Inc."}}), 422, "/tenants/0", "", ""},
		"promoted by no order":  {id + "/promote", m{}, 422, "/reference", "is required", ""},
		"promoted, of nobody":   {id + "/promote", m{"reference": "CHG-1"}, 404, "", "", ""},
		"dropped, of nobody":    {id + "/drop", m{"reference": "CHG-1"}, 404, "", "", ""},
		"dropped, by no id":     {path + "/x/drop", m{"reference": "CHG-1"}, 422, "path:proposal_id", "", ""},
		"rolled back for a why": {"/v1/policy/rollback", m{"reference": "it was wrong"}, 422, "/reference", "", ""},
	} {
		c.check(t, name, w.As("operator"))
	}
	// What is no bundle, and one whose own tests fail, is refused with what is wrong.
	for name, body := range map[string]m{"no archive": with(m{"bundle": "AAAA"}), "no sense": proposalOf(t, broken)} {
		p := w.As("operator").Post(path, body).Want(http.StatusUnprocessableEntity).Problem()
		if !strings.Contains(p.Detail, "the bundle is refused") {
			t.Errorf("%s: %s", name, p.Detail)
		}
	}
	w.As("auditor").Post(path, good).Want(http.StatusForbidden)
	theirs := callers["operator"]
	theirs.Tenant = "globex"
	w.authenticateBy(func(context.Context, string) (vault.Caller, error) { return theirs, nil })
	for _, what := range []string{"/v1/policy/rollback", id + "/promote", id + "/drop"} {
		w.As("operator").Post(what, m{"reference": "CHG-1"}).Want(http.StatusForbidden)
	}
	w.As("operator").Get(path).Want(http.StatusForbidden)
}

func TestAProposalIsDropped(t *testing.T) {
	w, _ := newManaged(t)
	before := w.policyVersion("auditor2")
	var proposed, dropped proposal
	w.As("operator").Post("/v1/policy/proposals", proposalOf(t, narrower(t, "199"), "globex")).Want(http.StatusCreated).Decode(&proposed)
	w.As("operator").Post("/v1/policy/proposals/"+proposed.ID+"/drop", m{"reference": "CHG-1"}).Want(http.StatusOK).Decode(&dropped)
	if dropped.Status != "dropped" || w.policyVersion("auditor2") != before {
		t.Errorf("dropped: %+v", dropped)
	}
}

type explained struct {
	Allow          bool
	Sentence       string
	Form, Why      string
	Approvals      int
	RuleIDs        []string `json:"rule_ids"`
	Obligations    []string
	Rules, Demands []map[string]any
}

func TestThePolicyIsExplained(t *testing.T) {
	w, _ := newShipped(t)
	explain := func(body m) (e explained) {
		t.Helper()
		w.As("auditor").Post("/v1/policy/explain", body).Want(http.StatusOK).Decode(&e)
		return e
	}
	support := m{"roles": []string{"restorer"}, "reason": "CUSTOMER_SUPPORT", "entity": "EMAIL_ADDRESS"}
	if e := explain(support); e.Allow || e.Why != "needs_approval" || e.Approvals != 1 || e.Sentence == "" || len(e.Rules) == 0 || len(e.Demands) == 0 {
		t.Errorf("unapproved: %+v", e)
	}
	support["approved"] = 1
	if e := explain(support); !e.Allow || e.Form != "full" || !slices.Equal(e.RuleIDs, []string{"support"}) || len(e.Obligations) == 0 {
		t.Errorf("approved: %+v", e)
	}
	if e := explain(m{"roles": []string{"gateway"}, "reason": "LLM_RESPONSE", "entity": "EMAIL_ADDRESS", "same_client": false}); e.Allow || e.Why != "binding" {
		t.Errorf("another client: %+v", e)
	}
	if e := explain(m{"roles": []string{"gateway"}, "reason": "LLM_RESPONSE", "entity": "EMAIL_ADDRESS"}); !e.Allow {
		t.Errorf("the same client: %+v", e)
	}
	onCall := m{
		"roles": []string{"restorer"}, "reason": "BREAK_GLASS", "entity": "EMAIL_ADDRESS", "mfa": true,
		"attributes": []m{{"name": "on_call", "value": "true"}}, "at": "2026-03-02T03:00:00Z", "address": "10.1.2.3",
	}
	if e := explain(onCall); !e.Allow {
		t.Errorf("on call: %+v", e)
	}
	if e := explain(m{"action": "tokenize", "roles": []string{canary}}); e.Allow || e.Why != "no_rule" || strings.Contains(e.Sentence, "kanarie") {
		t.Errorf("of an unknown role: %+v", e)
	}
	const path = "/v1/policy/explain"
	for name, c := range map[string]refused{
		"no roles":          {path, m{}, 422, "/roles", "is required", ""},
		"an unknown action": {path, m{"roles": []string{}, "action": "peek"}, 422, "/action", "is not in the list of actions", ""},
		"an unknown place":  {path, m{"roles": []string{}, "place": "margin"}, 422, "/place", "must be one of prose, code, url, tool", ""},
		"no address":        {path, m{"roles": []string{}, "address": "10.1.2"}, 422, "/address", "must be an IP address", ""},
		"no day":            {path, m{"roles": []string{}, "at": "2026-02-30T00:00:00Z"}, 422, "/at", "must be a time that exists", ""},
		"more than said":    {path, m{"roles": []string{}, "tenant": "globex"}, 422, "", "", ""},
	} {
		c.check(t, name, w.As("operator"))
	}
	w.As("restorer").Post(path, support).Want(http.StatusForbidden)
}

type matrix struct {
	PolicyVersion string `json:"policy_version"`
	Rights        []struct {
		Role, Reason, Class, Form, Rule string
		Entities, Places                []string
		Approvals, Uses                 int
		LastUsedAt                      *string `json:"last_used_at"`
	}
}

// The matrix is what an access review is about: a decision for every rule of it.
func TestTheMatrixIsReviewed(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	tokens := w.tokenizedValues()
	w.restore("restorer", "CUSTOMER_SUPPORT", tokens[:1])
	var shown matrix
	w.As("auditor").Get("/v1/policy/matrix").Want(http.StatusOK).Decode(&shown)
	var rules []string
	used := 0
	for _, r := range shown.Rights {
		rules = append(rules, r.Rule)
		if (r.Uses > 0) != (r.Rule == "support" && r.Class == "confidential") || (r.LastUsedAt != nil) != (r.Uses > 0) {
			t.Errorf("uses of %s, %s: %d", r.Rule, r.Class, r.Uses)
		}
		used += r.Uses
	}
	if used != 1 || shown.PolicyVersion == "" {
		t.Errorf("%d uses in %d rights", used, len(rules))
	}
	table := w.As("auditor").Get("/v1/policy/matrix?format=markdown").Want(http.StatusOK)
	if got := table.Header.Get("Content-Type"); got != "text/markdown; charset=utf-8" || strings.Count(string(table.Body), "\n") != len(rules)+2 {
		t.Errorf("%s: %s", got, table.Body)
	}
	sheet := w.As("operator").Get("/v1/policy/matrix?format=csv").Want(http.StatusOK)
	rows, err := csv.NewReader(strings.NewReader(string(sheet.Body))).ReadAll()
	if err != nil || len(rows) != len(rules)+1 || sheet.Header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("%v: %s", err, sheet.Body)
	}
	w.As("auditor").Get("/v1/policy/matrix?format=pdf").Want(http.StatusUnprocessableEntity)
	w.As("restorer").Get("/v1/policy/matrix").Want(http.StatusForbidden)

	slices.Sort(rules)
	rules = slices.Compact(rules)
	var decisions []m
	for _, rule := range rules {
		decisions = append(decisions, m{"rule": rule, "decision": "keep"})
	}
	body := m{"from": "2025-10-01T00:00:00Z", "to": "2026-01-01T00:00:00Z", "reviewer": "ann", "reference": "REVIEW-1", "decisions": decisions}
	var first, again accessReview
	keyed := w.As("auditor").With("Idempotency-Key", "one")
	keyed.Post("/v1/access-reviews", body).Want(http.StatusCreated).Decode(&first)
	keyed.Post("/v1/access-reviews", body).Want(http.StatusCreated).Decode(&again)
	if first.ID != again.ID || first.Reviewer != "ann" || first.PolicyVersion != shown.PolicyVersion || len(first.Decisions) != len(rules) || first.Audit == nil {
		t.Errorf("reviewed: %+v", first)
	}
	var page struct{ Reviews []accessReview }
	w.As("auditor").Get("/v1/access-reviews").Want(http.StatusOK).Decode(&page)
	first.Audit = nil
	if diff := cmp.Diff([]accessReview{first}, page.Reviews); diff != "" {
		t.Errorf("listed: %s", diff)
	}

	with := func(more m) m {
		changed := m{}
		for _, from := range []m{body, more} {
			for name, v := range from {
				changed[name] = v
			}
		}
		return changed
	}
	const path = "/v1/access-reviews"
	for name, c := range map[string]refused{
		"for somebody else":   {path, with(m{"reviewer": "abe"}), 422, "/reviewer", "must be the caller", ""},
		"a rule is missing":   {path, with(m{"decisions": decisions[1:]}), 422, "/decisions", "", ""},
		"a rule of nobody":    {path, with(m{"decisions": append([]m{{"rule": "none", "decision": "keep"}}, decisions...)}), 422, "/decisions/0/rule", "is no rule of the matrix", ""},
		"a rule twice":        {path, with(m{"decisions": append(slices.Clone(decisions), decisions[0])}), 422, fmt.Sprintf("/decisions/%d/rule", len(decisions)), "is decided twice", ""},
		"an unknown decision": {path, with(m{"decisions": []m{{"rule": "support", "decision": "hm"}}}), 422, "/decisions/0/decision", "must be one of keep, revoke, change", ""},
		"the wrong way round": {path, with(m{"to": "2025-01-01T00:00:00Z"}), 422, "/to", "", ""},
		"on no day":           {path, with(m{"from": "2025-02-30T00:00:00Z"}), 422, "/from", "must be a time that exists", ""},
		"no reference":        {path, with(m{"reference": nil}), 422, "/reference", "", ""},
	} {
		c.check(t, name, w.As("auditor"))
	}
	w.As("privacy").Post(path, body).Want(http.StatusForbidden)
}

type accessReview struct {
	ID, Reviewer, Reference string
	PolicyVersion           string `json:"policy_version"`
	Decisions               []struct{ Rule, Decision string }
	Audit                   *audit.Receipt
}
