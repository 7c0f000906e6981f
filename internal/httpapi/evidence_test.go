package httpapi_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

const evidences = "/v1/evidence"

type evidence struct {
	ID, Status  string
	From, To    time.Time
	Progress    int
	RequestedBy string     `json:"requested_by"`
	RequestedAt time.Time  `json:"requested_at"`
	DoneAt      *time.Time `json:"done_at"`
	SHA256      string
	Bytes       int64
	TreeSize    int64 `json:"tree_size"`
	Audit       *audit.Receipt
}

// february is a period that is over, by the clock of the tests.
func february() m { return m{"from": "2026-02-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"} }

// TestEvidenceIsAskedForAndFollowed walks the way of an auditor: ask, look how far
// it is, see what it became.
func TestEvidenceIsAskedForAndFollowed(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	auditor := w.As("auditor")
	var asked, shown evidence
	auditor.Post(evidences, february()).Want(http.StatusAccepted).Decode(&asked)
	if asked.Status != "pending" || asked.Progress != 0 || asked.RequestedBy != "ann" || asked.Audit == nil || asked.DoneAt != nil ||
		asked.To.Sub(asked.From) != 28*24*time.Hour || asked.Audit.Verify(w.logKey(t)) != nil {
		t.Errorf("asked: %+v", asked)
	}
	path := evidences + "/" + asked.ID
	if p := auditor.Get(path + "/bundle").Want(http.StatusConflict).Problem(); p.Code != "conflict" {
		t.Errorf("a bundle of what is not done: %+v", p)
	}
	if err := v.Service.EvidenceProgress(t.Context(), "acme", asked.ID, 40); err != nil {
		t.Fatal(err)
	}
	auditor.Get(path).Want(http.StatusOK).Decode(&shown)
	if shown.Status != "running" || shown.Progress != 40 || shown.Audit != nil {
		t.Errorf("under way: %+v", shown)
	}
	v.Clock.Advance(time.Minute)
	digest := strings.Repeat("5d41402abc4b2a76", 4)
	done := vault.EvidenceInfo{ID: asked.ID, SHA256: digest, Bytes: 4711, Size: 3}
	if err := v.Service.FinishEvidence(t.Context(), "acme", done); err != nil {
		t.Fatal(err)
	}
	w.As("privacy").Get(path).Want(http.StatusOK).Decode(&shown)
	if shown.Status != "done" || shown.Progress != 100 || shown.SHA256 != digest || shown.Bytes != 4711 || shown.TreeSize != 3 ||
		shown.DoneAt == nil || !shown.DoneAt.After(shown.RequestedAt) {
		t.Errorf("done: %+v", shown)
	}

	var second evidence
	auditor.Post(evidences, february()).Want(http.StatusAccepted).Decode(&second)
	if err := v.Service.FinishEvidence(t.Context(), "acme", vault.EvidenceInfo{ID: second.ID}); err != nil {
		t.Fatal(err)
	}
	var page struct {
		Evidence []evidence
		Next     string `json:"next_cursor"`
	}
	auditor.Get(evidences + "?limit=1").Want(http.StatusOK).Decode(&page)
	if len(page.Evidence) != 1 || page.Evidence[0].ID != second.ID || page.Evidence[0].Status != "failed" || page.Next == "" {
		t.Errorf("the first page: %+v", page)
	}
	cursor := page.Next
	page.Next = ""
	auditor.Get(evidences + "?limit=1&cursor=" + cursor).Want(http.StatusOK).Decode(&page)
	if len(page.Evidence) != 1 || page.Evidence[0].ID != asked.ID || page.Next != "" {
		t.Errorf("the second page: %+v", page)
	}
	auditor.Get(path[:len(path)-4] + "0000").Want(http.StatusNotFound)
	auditor.Get(path[:len(path)-4] + "0000/bundle").Want(http.StatusNotFound)
}

func TestInvariant16_EvidenceIsAskedForOnce(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	keyed := w.As("auditor").With("Idempotency-Key", "one")
	var first, again evidence
	keyed.Post(evidences, february()).Want(http.StatusAccepted).Decode(&first)
	keyed.Post(evidences, february()).Want(http.StatusAccepted).Decode(&again)
	if first.ID != again.ID || first.Audit.Index != again.Audit.Index {
		t.Errorf("asked for twice: %s and %s", first.ID, again.ID)
	}
	other := february()
	other["from"] = "2026-02-02T00:00:00Z"
	keyed.Post(evidences, other).Want(http.StatusConflict)
}

func TestEvidenceThatIsRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	span := func(from, to string) m { return m{"from": from, "to": to} }
	for name, c := range map[string]refused{
		"no period":        {evidences, m{}, 422, "/from", "is required", ""},
		"no end":           {evidences, m{"from": "2026-02-01T00:00:00Z"}, 422, "/to", "is required", ""},
		"a day":            {evidences, span("2026-02-01", "2026-02-02"), 422, "/from", "", ""},
		"no such day":      {evidences, span("2026-02-30T00:00:00Z", "2026-03-01T00:00:00Z"), 422, "/from", "must be a time that exists", ""},
		"half a second":    {evidences, span("2026-02-01T00:00:00.5Z", "2026-03-01T00:00:00Z"), 422, "/from", "", ""},
		"backwards":        {evidences, span("2026-02-02T00:00:00Z", "2026-02-01T00:00:00Z"), 422, "/to", "", ""},
		"nothing":          {evidences, span("2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z"), 422, "/to", "", ""},
		"the future":       {evidences, span("2026-02-01T00:00:00Z", "2027-01-01T00:00:00Z"), 422, "/to", "", ""},
		"three years":      {evidences, span("2023-02-01T00:00:00Z", "2026-02-01T00:00:00Z"), 413, "/to", "", "evidence_period_seconds"},
		"of somebody else": {evidences, m{"from": "2026-02-01T00:00:00Z", "to": "2026-03-01T00:00:00Z", "tenant": "globex"}, 422, "", "", ""},
	} {
		c.check(t, name, w.As("auditor"))
	}
	for range vault.MaxEvidenceOpen {
		w.As("auditor").Post(evidences, february()).Want(http.StatusAccepted)
	}
	full := refused{evidences, february(), 409, "", "", "evidence_open"}
	full.check(t, "too many at a time", w.As("auditor"))
	for _, caller := range []string{"gateway", "restorer", "operator", "nobody"} {
		w.As(caller).Post(evidences, february()).Want(http.StatusForbidden)
		w.As(caller).Get(evidences).Want(http.StatusForbidden)
		w.As(caller).Get(fmt.Sprint(evidences, "/", nobodys, "/bundle")).Want(http.StatusForbidden)
	}
}

// The bundle of what is done arrives byte for byte, as a file with a name.
func TestABundleIsFetchedByWhoAskedForIt(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	var asked evidence
	w.As("auditor").Post(evidences, february()).Want(http.StatusAccepted).Decode(&asked)
	kept := filepath.Join(config.Layout{Dir: v.Dir}.Files().Evidence, "acme", asked.ID+".tar")
	bundle := bytes.Repeat([]byte("a tar, as far as this test goes\n"), 10_000)
	if err := errors.Join(os.MkdirAll(filepath.Dir(kept), 0o700), os.WriteFile(kept, bundle, 0o600)); err != nil {
		t.Fatal(err)
	}
	w.As("auditor").Get(evidences + "/" + asked.ID + "/bundle").Want(http.StatusConflict)
	digest := sha256.Sum256(bundle)
	err := v.Service.FinishEvidence(t.Context(), "acme", vault.EvidenceInfo{
		ID: asked.ID, SHA256: hex.EncodeToString(digest[:]), Bytes: int64(len(bundle)), Size: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	answer := w.As("privacy").Get(evidences + "/" + asked.ID + "/bundle").Want(http.StatusOK)
	if !bytes.Equal(answer.Body, bundle) || answer.Header.Get("Content-Type") != "application/x-tar" ||
		answer.Header.Get("Content-Length") != fmt.Sprint(len(bundle)) ||
		answer.Header.Get("Content-Disposition") != `attachment; filename="evidence-`+asked.ID+`.tar"` {
		t.Errorf("%d bytes with %v", len(answer.Body), answer.Header)
	}
	if e := w.log.last(t); e["operation"] != "evidenceBundle" || e["bytes_out"] != float64(len(bundle)) {
		t.Errorf("event: %v", e)
	}
	w.As("gateway").Get(evidences + "/" + asked.ID + "/bundle").Want(http.StatusForbidden)
	if err := os.Remove(kept); err != nil {
		t.Fatal(err)
	}
	w.As("auditor").Get(evidences + "/" + asked.ID + "/bundle").Want(http.StatusNotFound)
}
