package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/client"
)

// TestRequestCommands: a privacy officer finds a person by e-mail, ties what was
// tokenized without a name, tries, erases and keeps the receipt; counsel's hold
// defers a part. With nothing but commands.
func TestRequestCommands(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := start(t, data)
	gateway := credential(t, data, "--role", "gateway")
	for _, body := range []string{
		`{"scope":"chat-1","values":[{"entity":"EMAIL_ADDRESS","value":"jane.doe@example.com"},{"entity":"PERSON","value":"Somebody Else"}]}`,
		`{"scope":"chat-2","subject":"crm:77","values":[{"entity":"CREDIT_CARD","value":"4111111111111111"}]}`,
	} {
		if status, raw := send(t, s, gateway, "POST", "/v1/tokenize", body); status != 200 {
			t.Fatalf("%d: %s", status, raw)
		}
	}
	officer, counsel := newDesk(t, s, data, "privacy_officer"), newDesk(t, s, data, "legal")
	jane := write(t, `{"subject":"crm:77","identifiers":[{"entity":"EMAIL_ADDRESS","value":"Jane.Doe@example.com"}]}`)
	var found client.SubjectsAnswer
	var tied client.LinkAnswer
	officer.must(&found, "subject", "search", "--who", jane)
	officer.must(&tied, "subject", "link", "--who", jane)
	if len(found.Found) != 2 || tied.Changed != 1 {
		t.Fatalf("found %+v, tied %+v", found.Found, tied)
	}
	officer.must(&tied, "subject", "unlink", "--who", jane)
	officer.must(&tied, "subject", "link", "--who", jane)
	var hold client.HoldAnswer
	counsel.must(&hold, "hold", "place", "--matter", "M-2026-17", "--reference", "ORDER-4", "--about", write(t, `{"entities":["CREDIT_CARD"]}`))

	order := []string{"request", "erase", "--regime", "gdpr", "--reference", "DSAR-7",
		"--identity-method", "in_person", "--identity-reference", "ID-9", "--verified-by", "pia"}
	var tried, done client.SubjectRequestStep
	officer.must(&tried, append(order, "--dry-run", "--who", write(t, `{"subject":"crm:77"}`))...)
	if tried.Request != nil || tried.Counts.Erased != 1 || tried.Counts.Deferred != 1 {
		t.Fatalf("tried: %+v", tried)
	}
	unconfirmed := append(order, "--who", write(t, `{"subject":"crm:77","confirm_subject":"crm:78"}`))
	if code, _, failure := officer.says(unconfirmed...); code != exitError || !strings.Contains(failure, "/confirm_subject") || strings.Contains(failure, "crm:7") {
		t.Errorf("unconfirmed: exit %d: %s", code, failure)
	}
	officer.must(&done, append(order, "--preview", tried.PreviewID, "--who", write(t, `{"subject":"crm:77","confirm_subject":"crm:77"}`))...)
	if done.Request.Status != "deferred" || done.Request.Erasure.Counts.Erased != 1 || done.Request.Erasure.Counts.Deferred != 1 {
		t.Fatalf("erased: %+v", done.Request)
	}
	if code, out, _ := officer.says("request", "list", "--status", "deferred"); code != exitOK || !strings.Contains(out, "DSAR-7") {
		t.Errorf("deferred: exit %d: %s", code, out)
	}
	if code, out, _ := officer.says("request", "show", done.Request.ID); code != exitOK || !strings.Contains(out, "values   erased 1, deferred 1, shared 0") {
		t.Errorf("shown: exit %d: %s", code, out)
	}
	for audience, tells := range map[string]bool{"subject": false, "internal": true} {
		code, out, failure := officer.says("request", "receipt", done.Request.ID, "--audience", audience)
		if code != exitOK || !json.Valid([]byte(out)) || strings.Contains(out, "DSAR-7") != tells || strings.Contains(out, "M-2026-17") {
			t.Errorf("the receipt for %s: exit %d: %s%s", audience, code, out, failure)
		}
	}
	if code, _, failure := counsel.says("request", "list"); code != exitError || !strings.Contains(failure, "denied (403)") {
		t.Errorf("counsel lists requests: exit %d: %s", code, failure)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if logs, err := verifyFolder(data); err != nil || logs == 0 {
		t.Errorf("%d logs verify, %v", logs, err)
	}
}
