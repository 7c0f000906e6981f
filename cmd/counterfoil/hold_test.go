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

// desk is somebody with a credential in a file, in front of a service.
type desk struct {
	t      *testing.T
	url    string
	bearer string
}

func newDesk(t *testing.T, s *service, data, role string) desk {
	t.Helper()
	return desk{t, s.url, write(t, credential(t, data, "--role", role, "--subject", "u-"+role)+"\n")}
}

// write puts a text into a file of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// says runs a command and returns its exit code and what it wrote.
func (d desk) says(args ...string) (code int, out, failure string) {
	d.t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(d.t.Context(), append(args, "--url", d.url, "--bearer-file", d.bearer), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// must runs a command that succeeds and answers in JSON.
func (d desk) must(into any, args ...string) {
	d.t.Helper()
	code, out, failure := d.says(append(args, "--json")...)
	if code != exitOK || json.Unmarshal([]byte(out), into) != nil {
		d.t.Fatalf("%s: exit %d: %s%s", args, code, out, failure)
	}
}

// TestHoldCommands: counsel's whole way, from the dry run to the release, and
// the officer's search, with nothing but commands.
func TestHoldCommands(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := start(t, data)
	if status, raw := send(t, s, credential(t, data, "--role", "gateway"), "POST", "/v1/tokenize",
		`{"scope":"chat-1","subject":"crm:77","text":"mail jane.doe@example.com"}`); status != 200 {
		t.Fatalf("%d: %s", status, raw)
	}
	counsel, officer, auditor := newDesk(t, s, data, "legal"), newDesk(t, s, data, "privacy_officer"), newDesk(t, s, data, "auditor")
	jane := write(t, `{"identifiers":[{"entity":"EMAIL_ADDRESS","value":"JANE.DOE@example.com"}]}`)
	order := []string{"hold", "place", "--matter", "M-2026-17", "--reference", "ORDER-4", "--about", jane, "--review-by", "2099-01-31"}

	var tried, placed, shown, released client.HoldAnswer
	counsel.must(&tried, append(order, "--dry-run")...)
	if tried.Hold != nil || tried.Reach.Mappings != 1 || tried.Receipt == nil {
		t.Errorf("the dry run: %+v", tried)
	}
	counsel.must(&placed, order...)
	counsel.must(&shown, "hold", "show", placed.Hold.ID)
	if shown.Hold.ReviewBy == nil || shown.Hold.Match.Identifiers != 1 || shown.Reach.Mappings != 1 {
		t.Errorf("the hold: %+v", shown)
	}
	counsel.must(&shown, "hold", "review", placed.Hold.ID)
	var standing []client.Hold
	auditor.must(&standing, "hold", "list", "--standing")
	if len(standing) != 1 || standing[0].ReviewBy != nil {
		t.Errorf("standing: %+v", standing)
	}
	if code, out, _ := auditor.says("hold", "list"); code != exitOK || !strings.Contains(out, "M-2026-17  ORDER-4") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, _, failure := auditor.says("hold", "release", placed.Hold.ID, "--reference", "ORDER-5"); code != exitError || !strings.Contains(failure, "denied (403)") {
		t.Errorf("an auditor releases: exit %d: %s", code, failure)
	}
	counsel.must(&released, "hold", "release", placed.Hold.ID, "--reference", "ORDER-5")
	auditor.must(&standing, "hold", "list", "--standing")
	if released.Hold.ReleasedAt == nil || len(standing) != 0 {
		t.Errorf("released: %+v, standing %d", released.Hold, len(standing))
	}
	var sent client.HoldAnswer
	counsel.must(&sent, "hold", "place", "--matter", "M-2026-18", "--reference", "ORDER-6", "--destination", "default", "--time-field", "sent", "--backups")
	if m := sent.Hold.Match; len(m.Destinations) != 1 || m.TimeField != client.TimeSent || !sent.Hold.Backups {
		t.Errorf("by destination: %+v", sent.Hold)
	}
	if code, out, _ := counsel.says("hold", "show", sent.Hold.ID); code != exitOK || !strings.Contains(out, "destinations [default]") || !strings.Contains(out, "backups  are kept openable") {
		t.Errorf("exit %d: %s", code, out)
	}
	var found client.SubjectsAnswer
	officer.must(&found, "subject", "search", "--who", jane)
	if len(found.Found) != 1 || len(found.SubjectRefs) != 1 || found.Found[0].Count != 1 {
		t.Errorf("found: %+v", found)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if logs, err := verifyFolder(data); err != nil || logs == 0 {
		t.Errorf("%d logs verify, %v", logs, err)
	}
}

// TestHoldCommandsSayWhatIsWrong: of the request, of the input and of the
// credential, and never what was in them.
func TestHoldCommandsSayWhatIsWrong(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	counsel := newDesk(t, start(t, data), data, "legal")
	for want, args := range map[string][]string{
		"/reference must match":       {"hold", "place", "--matter", "M-1", "--reference", "Doe v. Acme", "--about", write(t, `{"entities":["PERSON"]}`)},
		"/match must say what":        {"hold", "place", "--matter", "M-1", "--reference", "O-1", "--about", write(t, `{}`)},
		"--about: the input is not":   {"hold", "place", "--matter", "M-1", "--reference", "O-1", "--about", write(t, `{"jane.doe@example.com":1}`)},
		"--who: the input is not":     {"subject", "search", "--who", write(t, `jane.doe@example.com`)},
		"denied (403)":                {"subject", "search", "--who", write(t, `{"subject":"jane.doe@example.com"}`)},
		"hold_id must be letters":     {"hold", "show", "../scopes"},
		"no such file":                {"hold", "list", "--ca", filepath.Join(t.TempDir(), "none")},
		"--ca holds no certificate":   {"hold", "list", "--ca", write(t, "none")},
		"the configuration cannot be": {"hold", "list", "--log-key", "none"},
	} {
		code, out, failure := counsel.says(args...)
		if code != exitError || out != "" || !strings.Contains(failure, want) {
			t.Errorf("%s: exit %d: %s%s", want, code, out, failure)
		}
		if strings.Contains(failure, "jane") || strings.Contains(failure, "Doe") {
			t.Errorf("what was sent is told: %s", failure)
		}
	}
}
