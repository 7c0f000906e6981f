package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/client"
)

// TestRequestWork: a privacy team takes in, works on and answers what persons
// ask for, with nothing but commands.
func TestRequestWork(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := start(t, data)
	gateway := credential(t, data, "--role", "gateway")
	status, raw := send(t, s, gateway, "POST", "/v1/tokenize",
		`{"scope":"chat-1","subject":"crm:77","destination":"openai/us","values":[{"entity":"EMAIL_ADDRESS","value":"jane.doe@example.com"}]}`)
	var tokenized struct{ Values []string }
	if status != 200 || json.Unmarshal(raw, &tokenized) != nil {
		t.Fatalf("%d: %s", status, raw)
	}
	if status, raw := send(t, s, gateway, "POST", "/v1/detokenize",
		`{"scope":"chat-1","reason":{"code":"LLM_RESPONSE"},"tokens":["`+tokenized.Values[0]+`"]}`); status != 200 {
		t.Fatalf("%d: %s", status, raw)
	}
	officer := newDesk(t, s, data, "privacy_officer")
	jane, again := write(t, `{"subject":"crm:77"}`), write(t, `{"confirm_subject":"crm:77"}`)
	t.Run("access", func(t *testing.T) { officer.access(t, jane) })
	t.Run("restriction", func(t *testing.T) { officer.restriction(t, jane, again) })
	t.Run("others", func(t *testing.T) {
		for step, status := range map[string]string{"withdraw": client.RequestWithdrawn, "refuse --code duplicate": client.RequestRefused} {
			var done client.SubjectRequestStep
			words := strings.Fields(step)
			officer.must(&done, append([]string{"request", words[0], officer.opened(t, "objection")}, words[1:]...)...)
			if done.Request.Status != status {
				t.Errorf("%s: %+v", step, done.Request)
			}
		}
	})
	var summary client.RequestSummary
	officer.must(&summary, "request", "summary", "--from", "2020-01-01", "--to", "2100-01-01")
	if len(summary.Lines) != 3 {
		t.Errorf("%+v", summary)
	}
	if code, out, _ := officer.says("request", "summary", "--from", "2020-01-01", "--to", "2100-01-01"); code != exitOK || !strings.Contains(out, "duplicate 1") {
		t.Errorf("the summary: exit %d: %s", code, out)
	}
	if code, out, _ := officer.says("retention", "report"); code != exitOK || !strings.Contains(out, "confidential  any") || !strings.Contains(out, "requests open 0, closed 4") {
		t.Errorf("retention: exit %d: %s", code, out)
	}
	var kept client.RetentionReport
	officer.must(&kept, "retention", "report")
	if len(kept.Settings) == 0 || kept.Inventory.RequestsClosed != 4 {
		t.Errorf("%+v", kept)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if logs, err := verifyFolder(data); err != nil || logs == 0 {
		t.Errorf("%d logs verify, %v", logs, err)
	}
}

// opened is the id of a request that was just opened, about nobody yet.
func (d desk) opened(t *testing.T, kind string) string {
	t.Helper()
	var step client.SubjectRequestStep
	d.must(&step, "request", "open", "--kind", kind, "--regime", "gdpr", "--reference", "DSAR-8", "--assignee", "officer-3")
	if step.Request.Status != client.RequestReceived || step.Request.Assignee != "officer-3" {
		t.Fatalf("%+v", step.Request)
	}
	return step.Request.ID
}

// identified says who asks, and whom it is about.
func (d desk) identified(t *testing.T, id, who string) {
	t.Helper()
	var step client.SubjectRequestStep
	d.must(&step, "request", "identity", id, "--who", who,
		"--identity-method", "in_person", "--identity-reference", "ID-9", "--verified-by", "pia")
	if step.Request.Status != client.RequestOpen || !step.Request.Named {
		t.Fatalf("%+v", step.Request)
	}
}

func (d desk) access(t *testing.T, who string) {
	id := d.opened(t, "access")
	if code, _, failure := d.says("request", "report", id); code != exitError || !strings.Contains(failure, "conflict (409)") {
		t.Errorf("a report to nobody: exit %d: %s", code, failure)
	}
	d.identified(t, id, who)
	var step client.SubjectRequestStep
	d.must(&step, "request", "assign", id, "--to", "officer-4")
	d.must(&step, "request", "extend", id, "--reference", "LETTER-2")
	d.must(&step, "request", "note", id, "--text", write(t, "Jane called back.\n"))
	if !step.Request.Extended || step.Request.Assignee != "officer-4" {
		t.Errorf("%+v", step.Request)
	}
	if code, out, _ := d.says("request", "notes", id); code != exitOK || !strings.Contains(out, "u-privacy_officer: Jane called back.\n") {
		t.Errorf("notes: exit %d: %s", code, out)
	}
	code, out, failure := d.says("request", "report", id)
	for _, line := range []string{"sent     1 to openai/us", "purpose  LLM_RESPONSE, 1 times", "to gateway, entry", "untold   expired_data_gone"} {
		if code != exitOK || !strings.Contains(out, line) || strings.Contains(out, "jane") {
			t.Errorf("the report lacks %q: exit %d: %s%s", line, code, out, failure)
		}
	}
	if code, out, _ := d.says("request", "report", id, "--values", "--reference", "DSAR-8", "--actors"); code != exitOK || !strings.Contains(out, "value    EMAIL_ADDRESS jane.doe@example.com") {
		t.Errorf("with values: exit %d: %s", code, out)
	}
	page := filepath.Join(t.TempDir(), "report.html")
	if code, out, failure := d.says("request", "report", id, "--html", page); code != exitOK || out != "" {
		t.Errorf("a page: exit %d: %s%s", code, out, failure)
	}
	text, err := os.ReadFile(page)
	if info, _ := os.Stat(page); err != nil || !bytes.Contains(text, []byte("<html")) || info.Mode().Perm() != 0o600 {
		t.Errorf("the page: %v %s", err, text)
	}
	if code, _, failure := d.says("request", "report", id, "--html", page); code != exitError || !strings.Contains(failure, "file exists") {
		t.Errorf("over another page: exit %d: %s", code, failure)
	}
	none := filepath.Join(t.TempDir(), "none.html")
	if code, _, failure := d.says("request", "report", id, "--html", none, "--values"); code != exitError || !strings.Contains(failure, "/reason") {
		t.Errorf("values for no reason: exit %d: %s", code, failure)
	}
	if _, err := os.Stat(none); !os.IsNotExist(err) {
		t.Errorf("a page that was refused is there: %v", err)
	}
	d.must(&step, "request", "complete", id)
	if step.Request.Status != client.RequestCompleted {
		t.Errorf("%+v", step.Request)
	}
}

func (d desk) restriction(t *testing.T, who, again string) {
	id := d.opened(t, "restriction")
	d.identified(t, id, who)
	if code, _, failure := d.says("request", "execute", id); code != exitError || !strings.Contains(failure, "/confirm_subject") {
		t.Errorf("unconfirmed: exit %d: %s", code, failure)
	}
	if code, out, failure := d.says("request", "execute", id, "--who", again); code != exitOK || !strings.Contains(out, "status   running") || !strings.Contains(out, "changed  1, shared 0") {
		t.Errorf("restricted: exit %d: %s%s", code, out, failure)
	}
	var open []client.SubjectRequest
	d.must(&open, "request", "list", "--open", "--kind", "restriction")
	if len(open) != 1 || open[0].ID != id {
		t.Errorf("%+v", open)
	}
	var step client.SubjectRequestStep
	d.must(&step, "request", "lift", id)
	if step.Request.Status != client.RequestCompleted || step.Restricted != 1 {
		t.Errorf("%+v", step)
	}
}
