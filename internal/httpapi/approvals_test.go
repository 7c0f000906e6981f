package httpapi_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// newApproving is a world under a policy where others approve the end of a hold,
// and every erasure.
func newApproving(t *testing.T) (*world, *vaulttest.Vault) {
	t.Helper()
	bundle := shippedWith(t, "operations.yaml", "  hold_release: {approvals: 0}", "  hold_release: {approvals: 1}")
	text := string(bundle["operations.yaml"].Data)
	bundle["operations.yaml"].Data = []byte(replaceOnce(t, text,
		"  erase: {approvals: 1, over: 1000, restricted: false}", "  erase: {approvals: 1, over: 0, restricted: false}"))
	v := vaulttest.New(t, vaulttest.WithPolicy(bundle))
	return newWorldOf(t, v.Service, httpapi.Limits{}), v
}

// demand asks that others approve an operation.
func (w *world) demand(bearer, operation, target string) approval {
	var asked approval
	w.As(bearer).Post("/v1/approvals", m{"operation": operation, "target": target, "reference": "ORDER-9"}).
		Want(http.StatusCreated).Decode(&asked)
	return asked
}

// TestInvariant14_AHoldIsReleasedOnceOthersApprove walks the way of an order: a hold
// ends with the approval of somebody else, which is used up by it.
func TestInvariant14_AHoldIsReleasedOnceOthersApprove(t *testing.T) {
	w, _ := newApproving(t)
	hold, other := w.place(m{"scopes": []string{"chat-1"}}).HoldID, w.place(m{"scopes": []string{"chat-2"}}).HoldID
	release := func(hold string, more m) int {
		body := m{"reference": "ORDER-9"}
		for name, v := range more {
			body[name] = v
		}
		return w.As("legal").Post("/v1/holds/"+hold+"/release", body).Status
	}
	asked := w.demand("legal", "hold_release", hold)
	if asked.Status != "pending" || asked.Operation != "hold_release" || asked.Target != hold || asked.Required != 1 ||
		asked.Requester != "lea" || asked.Reference != "ORDER-9" || asked.Audit == nil {
		t.Errorf("asked: %+v", asked)
	}
	path, used := "/v1/approvals/"+asked.ID, m{"approval_id": asked.ID}
	if without, pending := release(hold, nil), release(hold, used); without != 409 || pending != 409 {
		t.Errorf("without an approval %d, with one that is pending %d", without, pending)
	}
	w.As("legal").Post(path+"/decisions", m{"decision": "approve"}).Want(http.StatusConflict)
	w.As("approver").Post(path+"/decisions", m{"decision": "approve"}).Want(http.StatusForbidden)
	var stands approval
	w.As("legal2").Post(path+"/decisions", m{"decision": "approve", "note": canary}).Want(http.StatusOK).Decode(&stands)
	if stands.Status != "approved" || len(stands.Decisions) != 1 || stands.Decisions[0].By != "leo" || stands.Audit == nil {
		t.Errorf("approved: %+v", stands)
	}
	if another := release(other, used); another != 409 {
		t.Errorf("the approval of one hold for another: %d", another)
	}
	if first, again := release(hold, used), release(hold, used); first != 200 || again != 409 {
		t.Errorf("released %d, and again %d", first, again)
	}
	var shown approval
	w.As("auditor").Get(path).Want(http.StatusOK).Decode(&shown)
	if shown.Status != "redeemed" || shown.ClosedAt == nil || shown.Audit != nil {
		t.Errorf("used: %+v", shown)
	}
	released := w.entriesOf(t, audit.KindHoldRelease)
	if len(released) != 1 {
		t.Errorf("entries: %+v", released)
	}
}

// An erasure that needs an approval has it for exactly what its preview showed.
func TestInvariant14_AnErasureNeedsItsApproval(t *testing.T) {
	w, _ := newApproving(t)
	w.aboutJane("crm:jane")
	var dry erasureAnswer
	w.As("privacy").Post("/v1/subject-requests", erasureOf("crm:jane", m{"dry_run": true})).Want(http.StatusOK).Decode(&dry)
	body := erasureOf("crm:jane", m{"preview_id": dry.PreviewID})
	w.As("privacy").Post("/v1/subject-requests", body).Want(http.StatusConflict)
	asked := w.demand("privacy", "erase", dry.PreviewID)
	body["approval_id"] = asked.ID
	w.As("privacy").Post("/v1/subject-requests", body).Want(http.StatusConflict)
	officer := callers["privacy"]
	officer.Subject = "peter"
	w.authenticateBy(func(ctx context.Context, bearer string) (vault.Caller, error) {
		if bearer == "second" {
			return officer, nil
		}
		return known(ctx, bearer)
	})
	w.As("second").Post("/v1/approvals/"+asked.ID+"/decisions", m{"decision": "approve"}).Want(http.StatusOK)
	w.As("privacy").Post("/v1/subject-requests", body).Want(http.StatusCreated)
}

func TestInvariant16_AnApprovalIsAskedForOnce(t *testing.T) {
	w, _ := newApproving(t)
	hold := w.place(m{"scopes": []string{"chat-1"}}).HoldID
	keyed := w.As("legal").With("Idempotency-Key", "ask")
	body := m{"operation": "hold_release", "target": hold, "reference": "ORDER-9"}
	var first, again approval
	keyed.Post("/v1/approvals", body).Want(http.StatusCreated).Decode(&first)
	keyed.Post("/v1/approvals", body).Want(http.StatusCreated).Decode(&again)
	if first.ID != again.ID || first.Audit.Index != again.Audit.Index {
		t.Errorf("asked twice: %s and %s", first.ID, again.ID)
	}
	body["reference"] = "ORDER-10"
	keyed.Post("/v1/approvals", body).Want(http.StatusConflict)
	var page struct{ Approvals []approval }
	w.As("operator").Get("/v1/approvals?status=pending").Want(http.StatusOK).Decode(&page)
	if len(page.Approvals) != 1 || page.Approvals[0].ID != first.ID {
		t.Errorf("pending: %+v", page.Approvals)
	}
	for name, bearer := range map[string]string{"another tenant's": "privacy2", "somebody else's": "privacy"} {
		w.As(bearer).Get("/v1/approvals?status=approved").Want(http.StatusOK).Decode(&page)
		if len(page.Approvals) != 0 {
			t.Errorf("%s: %+v", name, page.Approvals)
		}
	}
	theirs := w.As("privacy2").Get("/v1/approvals/" + first.ID).Want(http.StatusNotFound).Problem()
	absent := w.As("privacy2").Get("/v1/approvals/" + nobodys).Want(http.StatusNotFound).Problem()
	if diff := cmp.Diff(theirs.Detail, absent.Detail); diff != "" {
		t.Errorf("another tenant's, and nobody's: %s", diff)
	}
}

func TestApprovalsThatAreRefused(t *testing.T) {
	w, _ := newApproving(t)
	hold := w.place(m{"scopes": []string{"chat-1"}}).HoldID
	asked := "/v1/approvals/" + w.demand("legal", "hold_release", hold).ID
	const approvals = "/v1/approvals"
	with := func(operation, target string) m {
		return m{"operation": operation, "target": target, "reference": "ORDER-9"}
	}
	for name, c := range map[string]struct {
		refused
		bearer string
	}{
		"no operation":           {refused{approvals, m{"target": hold, "reference": "O-1"}, 422, "/operation", "is required", ""}, "legal"},
		"an unknown operation":   {refused{approvals, with("restore", hold), 422, "/operation", "", ""}, "legal"},
		"no target":              {refused{approvals, m{"operation": "hold_release", "reference": "O-1"}, 422, "/target", "is required", ""}, "legal"},
		"a target that is none":  {refused{approvals, with("hold_release", "chat+1"), 422, "/target", "", ""}, "legal"},
		"no reference":           {refused{approvals, m{"operation": "hold_release", "target": hold}, 422, "/reference", "is required", ""}, "legal"},
		"a sentence":             {refused{approvals, m{"operation": "hold_release", "target": hold, "reference": "he said so"}, 422, "/reference", "", ""}, "legal"},
		"who may not release":    {refused{approvals, with("hold_release", hold), 403, "", "", ""}, "restorer"},
		"what needs no approval": {refused{approvals, with("tenant_close", "acme"), 409, "", "", ""}, "operator"},
		"an unknown decision":    {refused{asked + "/decisions", m{"decision": "abstain"}, 422, "/decision", "must be one of approve, reject", ""}, "legal2"},
		"a long note":            {refused{asked + "/decisions", m{"decision": "reject", "note": longNote}, 413, "/note", "", "note_bytes"}, "legal2"},
		"of nobody":              {refused{approvals + "/" + nobodys + "/decisions", m{"decision": "reject"}, 404, "", "", ""}, "legal2"},
		"of no id":               {refused{approvals + "/x/decisions", m{"decision": "reject"}, 422, "path:approval_id", "", ""}, "legal2"},
		"a release with a word":  {refused{"/v1/holds/" + hold + "/release", m{"reference": "O-1", "approval_id": "yes"}, 422, "/approval_id", "", ""}, "legal"},
	} {
		c.check(t, name, w.As(c.bearer))
	}
}
