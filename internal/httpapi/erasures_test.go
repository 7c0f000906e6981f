package httpapi_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/httpapi/httpapitest"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

type erasureCounts struct {
	Erased, Deferred, Shared int
	Keys, Rekeyed            *int
}

type subjectRequest struct {
	RequestID                       string `json:"request_id"`
	Kind, Regime, Reference, Status string
	SubjectRef                      string `json:"subject_ref"`
	Named                           bool
	Identifiers                     int
	Identity                        *identityInfo
	Assignee                        string
	RefusalCode                     string `json:"refusal_code"`
	Extended, Overdue               bool
	ReceivedAt                      time.Time  `json:"received_at"`
	DueAt                           time.Time  `json:"due_at"`
	ClosedAt                        *time.Time `json:"closed_at"`
	Erasure                         *erasureTold
}

type erasureTold struct {
	ErasedAt          time.Time  `json:"erased_at"`
	CompletedAt       *time.Time `json:"completed_at"`
	ExpectedFinalAt   *time.Time `json:"expected_final_at"`
	FinalAt           *time.Time `json:"final_at"`
	SuppressUntil     *time.Time `json:"suppress_until"`
	SuppressedForever bool       `json:"suppressed_forever"`
	Destinations      []sentTo
	Counts            erasureCounts
}

type sentTo struct {
	Destination string
	Mappings    int
	FirstSent   time.Time `json:"first_sent"`
	LastSent    time.Time `json:"last_sent"`
}

type identityInfo struct {
	Method, Reference string
	VerifiedBy        string `json:"verified_by"`
	At                time.Time
}

type erasureAnswer struct {
	Request   *subjectRequest
	PreviewID string `json:"preview_id"`
	Outcome   string
	Parts     []struct {
		ScopeRef                 string `json:"scope_ref"`
		Outcome                  string
		Erased, Deferred, Shared int
	}
	Counts             *erasureCounts
	Restricted, Shared *int
	Audit              *audit.Receipt
}

type erasureReceipt struct {
	erasureTold
	RequestID               string `json:"request_id"`
	Kind, Regime, Reference string
	Identity                *identityInfo
	Status, Audience        string
	Methods                 []string
	DeferredFor             string `json:"deferred_for"`
	Entry                   string
	Proof                   audit.Receipt
	IssuedAt                time.Time `json:"issued_at"`
}

// erasureOf asks for the erasure of somebody, with whatever else is given.
func erasureOf(subject string, more m) m {
	body := m{
		"kind": "erasure", "regime": "gdpr", "subject": subject, "confirm_subject": subject, "reference": "DSAR-31",
		"identity": m{"method": "in_person", "reference": "CHECK-118", "verified_by": "officer-2", "at": "2026-03-01T08:30:00Z"},
	}
	maps.Copy(body, more)
	return body
}

// restore asks for tokens back, and tells what became of each.
func (w *world) restore(bearer, code string, tokens []string) (values, statuses []string) {
	var back detokenized
	w.As(bearer).Post("/v1/detokenize", m{
		"scope": "chat-1", "reason": m{"code": code, "reference": "MATTER-17"}, "tokens": tokens,
	}).Want(http.StatusOK).Decode(&back)
	for _, r := range back.Results {
		statuses = append(statuses, r.Status)
	}
	return back.Values, statuses
}

// proves checks that a receipt is of an entry and in a log, with nothing but
// the log's public key.
func proves(proof audit.Receipt, entry, key string) error {
	leaf := sha256.Sum256([]byte("\x00" + entry))
	if proof.LeafHash.String() != base64.StdEncoding.EncodeToString(leaf[:]) {
		return errors.New("the receipt is of another entry")
	}
	return proof.Verify(key)
}

// receiptOf gets both copies of a receipt and checks them.
func (w *world) receiptOf(t *testing.T, id string) (internal, subject erasureReceipt, copied *httpapitest.Response) {
	t.Helper()
	path := "/v1/subject-requests/" + id + "/receipt?audience="
	shown := w.As("auditor").Get(path + "internal").Want(http.StatusOK)
	shown.Decode(&internal)
	copied = w.As("privacy").Get(path + "subject").Want(http.StatusOK)
	copied.Decode(&subject)
	var keys struct{ Keys []struct{ Key string } }
	w.As("auditor").Get("/v1/audit/keys").Want(http.StatusOK).Decode(&keys)
	for _, proof := range []audit.Receipt{internal.Proof, subject.Proof} {
		if err := proves(proof, internal.Entry, keys.Keys[0].Key); err != nil {
			t.Error(err)
		}
		// The twin: of an entry that says something else it is no proof.
		if proves(proof, strings.Replace(internal.Entry, "DSAR-31", "DSAR-32", 1), keys.Keys[0].Key) == nil {
			t.Error("another entry was proved")
		}
	}
	entry, err := audit.ParseLeaf([]byte(internal.Entry))
	named := entry.ChangeID == id || slices.Contains(entry.Obligations, "request:"+id)
	if err != nil || entry.Kind != audit.KindErase || !named || entry.Reference != internal.Reference {
		t.Errorf("the entry is %+v, %v", entry, err)
	}
	if told := toldTooMuch(t, copied); len(told) > 0 {
		t.Errorf("the person is told %q", told)
	}
	// The twin: the other copy does tell.
	if told := toldTooMuch(t, shown); len(told) < 6 {
		t.Errorf("of what the internal copy tells only %q was noticed", told)
	}
	return internal, subject, copied
}

// toldTooMuch lists what of a receipt is not for the person: fields, counts and
// words.
func toldTooMuch(t *testing.T, copied *httpapitest.Response) (told []string) {
	t.Helper()
	var fields map[string]json.RawMessage
	copied.Decode(&fields)
	var counts map[string]int
	if err := json.Unmarshal(fields["counts"], &counts); err != nil {
		t.Fatal(err)
	}
	delete(fields, "proof") // hashes and a signature, which may hold any short word by chance
	for _, list := range []struct{ names, known []string }{
		{slices.Collect(maps.Keys(fields)), []string{
			"audience", "request_id", "kind", "regime", "status", "erased_at", "completed_at", "counts", "methods",
			"deferred_for", "issued_at", "expected_final_at", "final_at", "suppress_until", "suppressed_forever", "destinations",
		}},
		{slices.Collect(maps.Keys(counts)), []string{"erased", "deferred", "shared"}},
	} {
		for _, name := range list.names {
			if !slices.Contains(list.known, name) {
				told = append(told, name)
			}
		}
	}
	for name, text := range fields {
		for _, kept := range []string{"DSAR-31", "CHECK-118", "officer-2", "M-2026-17", "ORDER", "hold"} {
			if strings.Contains(string(text), kept) {
				told = append(told, name+": "+kept)
			}
		}
	}
	return told
}

// aboutJane tokenizes, in one scope, what is about a person, what turns out to
// be, what is about two people, and what is about others.
func (w *world) aboutJane(jane string) []string {
	var out tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "values": []m{
		{"entity": "EMAIL_ADDRESS", "value": "jane@example.com", "subject": jane},
		{"entity": "PHONE_NUMBER", "value": "+1 212 555 0187"},
		{"entity": "LOCATION", "value": "1 Main Street", "subject": jane},
		{"entity": "LOCATION", "value": "1 Main Street", "subject": "crm:john"},
		{"entity": "EMAIL_ADDRESS", "value": "john@example.com", "subject": "crm:john"},
		{"entity": "PERSON", "value": "Nobody In Particular"},
	}}).Want(http.StatusOK).Decode(&out)
	return out.Values
}

// TestInvariant8_APersonIsErasedAndTheNeighboursAreNot walks the way of a
// privacy team: find, tie, look, erase, prove.
func TestInvariant8_APersonIsErasedAndTheNeighboursAreNot(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	const jane = "crm:jane+" + canary
	tokens := w.aboutJane(jane)
	officer := w.As("privacy")
	post := func(path string, body m, status int, into any) {
		t.Helper()
		answer := officer.Post(path, body).Want(status)
		for _, secret := range []string{"kanarie", "crm:", "jane@", "5550187", "555 0187", "555-0187", "chat-1"} {
			if strings.Contains(string(answer.Body), secret) {
				t.Errorf("%s repeats %q: %s", path, secret, answer.Body)
			}
		}
		answer.Decode(into)
	}
	var found searched
	post("/v1/subjects/search", m{"identifiers": []m{{"entity": "EMAIL_ADDRESS", "value": "Jane@Example.com"}}}, 200, &found)
	if len(found.SubjectRefs) != 1 || len(found.Found) != 1 {
		t.Fatalf("by e-mail: %+v", found)
	}
	var tied linked
	post("/v1/subjects/links", m{"subject": jane, "identifiers": []m{{"entity": "PHONE_NUMBER", "value": "+1 (212) 555-0187"}}}, 200, &tied)
	if tied.Changed != 1 || tied.SubjectRef != found.SubjectRefs[0] || tied.Audit == nil {
		t.Errorf("tied: %+v", tied)
	}
	var dry, done erasureAnswer
	post("/v1/subject-requests", erasureOf(jane, m{"dry_run": true}), 200, &dry)
	if dry.Request != nil || dry.PreviewID == "" || len(dry.Parts) != 1 || dry.Counts == nil || *dry.Counts != (erasureCounts{Erased: 2, Shared: 1}) {
		t.Errorf("dry run: %+v, counts %+v", dry, dry.Counts)
	}
	if _, got := w.restore("gateway", "LLM_RESPONSE", tokens); !slices.Equal(got, slices.Repeat([]string{"restored"}, 6)) {
		t.Errorf("a dry run did something: %v", got)
	}
	post("/v1/subject-requests", erasureOf(jane, m{"preview_id": dry.PreviewID}), 201, &done)
	r := done.Request
	e := r.Erasure
	if r.Status != "completed" || r.Kind != "erasure" || r.Regime != "gdpr" || r.ClosedAt == nil || e == nil || e.CompletedAt == nil ||
		done.Audit == nil || done.PreviewID != "" || done.Counts != nil || done.Outcome != "erased" || dry.Outcome != "erased" {
		t.Fatalf("erased: %+v %+v", done, r)
	}
	if e.Counts.Erased != 2 || e.Counts.Shared != 1 || e.Counts.Deferred != 0 || *e.Counts.Keys < 2 || *e.Counts.Rekeyed < 2 || !r.DueAt.Equal(r.ReceivedAt.AddDate(0, 1, 0)) {
		t.Errorf("erased: %+v", e)
	}
	if e.SuppressUntil == nil || !e.SuppressUntil.Equal(e.ErasedAt.AddDate(0, 0, 30)) || e.ExpectedFinalAt == nil || !e.ExpectedFinalAt.After(e.ErasedAt) || e.FinalAt != nil {
		t.Errorf("what comes after: %+v", e)
	}
	if diff := cmp.Diff(dry.Parts, done.Parts); diff != "" {
		t.Errorf("another part than was shown: %s", diff)
	}

	values, statuses := w.restore("gateway", "LLM_RESPONSE", tokens)
	want := []string{tokens[0], tokens[1], "1 Main Street", "1 Main Street", "john@example.com", "Nobody In Particular"}
	if diff := cmp.Diff(want, values); diff != "" || statuses[0] == "restored" || statuses[1] == "restored" {
		t.Errorf("after the erasure, %v: %s", statuses, diff)
	}
	if values, _ := w.restore("legal", "LEGAL_DISCOVERY", tokens); values[0] != tokens[0] || values[1] != tokens[1] {
		t.Errorf("counsel gets %v", values)
	}

	internal, subject, _ := w.receiptOf(t, r.RequestID)
	if diff := cmp.Diff(*e, internal.erasureTold); diff != "" || internal.RequestID != r.RequestID || *internal.Identity != *r.Identity {
		t.Errorf("the receipt says something else: %s", diff)
	}
	if !slices.Equal(subject.Methods, []string{"key_destroyed", "rekeyed"}) || subject.Status != "completed" || subject.DeferredFor != "" ||
		subject.Counts != (erasureCounts{Erased: 2, Shared: 1}) || subject.IssuedAt.IsZero() || internal.Audience != "internal" || subject.Audience != "subject" {
		t.Errorf("the subject's copy: %+v", subject)
	}
	for what, text := range map[string]string{"entry": internal.Entry, "log": w.log.String(), "metrics": w.metrics(t)} {
		if strings.Contains(text, "crm:") || strings.Contains(text, "jane@") || strings.Contains(text, "kanarie") {
			t.Errorf("the %s has the person's name", what)
		}
	}
}

// The twin: what nobody tied to the person stays, so that it is the tie that
// the walk above depends on.
func TestInvariant8_APersonIsErasedAndTheNeighboursAreNot_Twin(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	tokens := w.aboutJane("crm:jane")
	w.As("privacy").Post("/v1/subject-requests", erasureOf("crm:jane", nil)).Want(http.StatusCreated)
	if _, got := w.restore("gateway", "LLM_RESPONSE", tokens[:2]); got[0] != "erased" || got[1] != "restored" {
		t.Errorf("got %v", got)
	}
}

// TestInvariant7And8_WhatIsHeldIsErasedOnceItIsReleased: restricted at once, for
// counsel until the release, and then gone with nobody's help.
func TestInvariant7And8_WhatIsHeldIsErasedOnceItIsReleased(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	tokens := w.aboutJane("crm:jane")[:3]
	hold := w.place(m{"identifiers": []m{{"entity": "EMAIL_ADDRESS", "value": "jane@example.com"}}})
	resume := func() {
		t.Helper()
		v.Clock.Advance(time.Minute)
		if err := v.Worker.ResumeErasures(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	var done erasureAnswer
	w.As("privacy").Post("/v1/subject-requests", erasureOf("crm:jane", nil)).Want(http.StatusCreated).Decode(&done)
	r := done.Request
	if e := r.Erasure; r.Status != "deferred" || r.ClosedAt != nil || done.Outcome != "deferred" || done.Parts[0].Outcome != "deferred" ||
		e.CompletedAt != nil || e.Counts.Deferred != 1 || e.Counts.Erased != 0 || e.Counts.Shared != 1 || e.ExpectedFinalAt != nil {
		t.Errorf("erased: %+v %+v", r, e)
	}
	for range 2 {
		if _, got := w.restore("gateway", "LLM_RESPONSE", tokens[:1]); got[0] != "restricted" {
			t.Errorf("a gateway gets %v", got)
		}
		if values, got := w.restore("legal", "LEGAL_DISCOVERY", tokens[:1]); values[0] != "jane@example.com" {
			t.Errorf("counsel gets %v", got)
		}
		resume() // and nothing happens while the hold stands
	}
	internal, subject, copied := w.receiptOf(t, r.RequestID)
	if subject.Status != "deferred" || subject.DeferredFor != "legal_obligation" || internal.DeferredFor != "legal_obligation" || subject.CompletedAt != nil || subject.Counts.Deferred != 1 {
		t.Errorf("the subject's copy: %s", copied.Body)
	}
	listed := func(query string) int {
		t.Helper()
		var page struct{ Requests []subjectRequest }
		w.As("auditor").Get("/v1/subject-requests?" + query).Want(http.StatusOK).Decode(&page)
		return len(page.Requests)
	}
	if listed("status=deferred") != 1 || listed("open=true") != 1 || listed("status=completed") != 0 || listed("") != 1 {
		t.Error("a deferred request is not listed as one")
	}

	w.As("legal").Post("/v1/holds/"+hold.HoldID+"/release", m{"reference": "ORDER-5"}).Want(http.StatusOK)
	resume()
	if listed("status=deferred") != 0 || listed("open=true") != 0 || listed("status=completed") != 1 {
		t.Error("a completed request is not listed as one")
	}
	var shown struct{ Request subjectRequest }
	w.As("privacy").Get("/v1/subject-requests/" + r.RequestID).Want(http.StatusOK).Decode(&shown)
	if s := shown.Request; s.Status != "completed" || s.ClosedAt == nil || s.Erasure.CompletedAt == nil ||
		!s.Erasure.CompletedAt.After(s.Erasure.ErasedAt) || s.Erasure.Counts.Erased != 1 || s.Erasure.Counts.Deferred != 0 {
		t.Errorf("completed: %+v", s)
	}
	if values, got := w.restore("legal", "LEGAL_DISCOVERY", tokens[:1]); values[0] != tokens[0] {
		t.Errorf("released, and counsel gets %v", got)
	}
	_, subject, copied = w.receiptOf(t, r.RequestID)
	if subject.Status != "completed" || subject.DeferredFor != "" || subject.Counts != (erasureCounts{Erased: 1, Shared: 1}) || !slices.Contains(subject.Methods, "key_destroyed") {
		t.Errorf("completed: %s", copied.Body)
	}
}

// Nobody was found is an answer, too, with its entry and its receipt.
func TestAnErasureThatFindsNothing(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": prompt}).Want(http.StatusOK)
	var done erasureAnswer
	w.As("privacy").Post("/v1/subject-requests", erasureOf("crm:nobody", m{"regime": "ccpa"})).Want(http.StatusCreated).Decode(&done)
	if r := done.Request; r.Status != "completed" || r.Erasure.Counts.Erased != 0 || done.Parts == nil || len(done.Parts) != 0 ||
		done.Outcome != "not_found" || !r.DueAt.Equal(r.ReceivedAt.AddDate(0, 0, 45)) {
		t.Errorf("of nobody: %+v %+v", done, done.Request)
	}
	if _, subject, _ := w.receiptOf(t, done.Request.RequestID); len(subject.Methods) != 0 || subject.Methods == nil {
		t.Errorf("methods: %v", subject.Methods)
	}
}

func TestRequestsOfPersonsAreListed(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	var ids []string
	for i := range 3 {
		v.Clock.Advance(time.Minute)
		var done erasureAnswer
		w.As("privacy").Post("/v1/subject-requests", erasureOf(fmt.Sprint("customer-", i), nil)).Want(http.StatusCreated).Decode(&done)
		ids = append(ids, done.Request.RequestID)
	}
	slices.Reverse(ids)
	var seen []string
	for cursor := ""; ; {
		var page struct {
			Requests []subjectRequest
			Next     string `json:"next_cursor"`
		}
		w.As("auditor").Get("/v1/subject-requests?limit=2" + cursor).Want(http.StatusOK).Decode(&page)
		for _, r := range page.Requests {
			want := identityInfo{"in_person", "CHECK-118", "officer-2", time.Date(2026, 3, 1, 8, 30, 0, 0, time.UTC)}
			if diff := cmp.Diff(&want, r.Identity); diff != "" || r.Erasure != nil || r.Reference != "DSAR-31" {
				t.Errorf("listed: %+v", r)
			}
			seen = append(seen, r.RequestID)
		}
		if page.Next == "" {
			break
		}
		cursor = "&cursor=" + page.Next
	}
	if diff := cmp.Diff(ids, seen); diff != "" {
		t.Errorf("listed: %s", diff)
	}
}
