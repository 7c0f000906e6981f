package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

// sits is somebody at a desk, with a name and what else the credential says.
func sits(t *testing.T, s *service, data, role, subject string, claims ...string) desk {
	t.Helper()
	args := []string{"--role", role, "--subject", subject}
	for _, claim := range claims {
		args = append(args, "--claim", claim)
	}
	return desk{t, s.url, write(t, credential(t, data, args...)+"\n")}
}

// refused runs a command that the service refuses.
func (d desk) refused(why string, args ...string) {
	d.t.Helper()
	if code, out, failure := d.says(args...); code != exitError || out != "" || !strings.Contains(failure, why) {
		d.t.Errorf("%s: exit %d: %s%s", args, code, out, failure)
	}
}

// prints runs a command that succeeds, and looks for words in what it prints.
func (d desk) prints(words string, args ...string) {
	d.t.Helper()
	if code, out, failure := d.says(args...); code != exitOK || !strings.Contains(out, words) {
		d.t.Errorf("%s: exit %d, no %q: %s%s", args, code, words, out, failure)
	}
}

// TestRestorationCommands: a value that two people agree to, with nothing but
// commands; an erasure that two people agree to; and the log holds.
func TestRestorationCommands(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := start(t, data)
	status, raw := send(t, s, credential(t, data, "--role", "gateway"), "POST", "/v1/tokenize",
		`{"scope":"chat-1","subject":"crm:77","text":"mail jane.doe@example.com"}`)
	token := strings.TrimPrefix(text(raw), "mail ")
	if status != 200 || !strings.HasPrefix(token, "[EMAIL_ADDRESS_") {
		t.Fatalf("%d: %s", status, raw)
	}
	rita, anna := sits(t, s, data, "restorer", "rita"), sits(t, s, data, "approver", "anna")
	what := []string{"--scope", "chat-1", "--reason", "CUSTOMER_SUPPORT", "--reference", "TICKET-7", "--token", token}
	var asked, agreed, rejected client.Restoration
	rita.must(&asked, append([]string{"restoration", "request"}, what...)...)
	redeem := append([]string{"restoration", "redeem", asked.ID}, what...)
	rita.refused("conflict (409)", redeem...)
	rita.refused("denied (403)", "restoration", "approve", asked.ID)
	anna.prints(asked.ID+"  pending  CUSTOMER_SUPPORT  TICKET-7   EMAIL_ADDRESS 1  rita", "restoration", "list", "--status", "pending")
	anna.must(&agreed, "restoration", "approve", asked.ID, "--note", write(t, "I called back."))
	if agreed.Status != client.ApprovalApproved || agreed.Decisions[0].NoteDigest == "" {
		t.Errorf("%+v", agreed)
	}
	if code, out, failure := rita.says(redeem...); code != exitOK || out != "jane.doe@example.com\n" {
		t.Errorf("redeemed: exit %d: %s%s", code, out, failure)
	}
	rita.refused("conflict (409)", redeem...)
	rita.prints("CUSTOMER_SUPPORT  caller  any         200    1     199", "quota", "--reason", "CUSTOMER_SUPPORT")

	// The same for a text, which is rejected.
	prompt := []string{"--scope", "chat-1", "--reason", "CUSTOMER_SUPPORT", "--reference", "TICKET-8", "--text", write(t, "to "+token+".\n")}
	rita.must(&asked, append([]string{"restoration", "request"}, prompt...)...)
	anna.must(&rejected, "restoration", "reject", asked.ID)
	if rejected.Status != client.ApprovalRejected || rejected.ClosedAt == nil {
		t.Errorf("%+v", rejected)
	}
	rita.refused("conflict (409)", append([]string{"restoration", "redeem", asked.ID}, prompt...)...)

	pia, paul := sits(t, s, data, "privacy_officer", "pia"), sits(t, s, data, "privacy_officer", "paul")
	var tried client.SubjectRequestStep
	order := []string{"request", "erase", "--regime", "gdpr", "--reference", "DSAR-7", "--identity-method", "in_person", "--identity-reference", "ID-9",
		"--verified-by", "pia", "--who", write(t, `{"subject":"crm:77","confirm_subject":"crm:77"}`)}
	pia.must(&tried, append(order, "--dry-run")...)
	var approval client.Approval
	pia.must(&approval, "approval", "request", "--operation", "erase", "--target", tried.PreviewID, "--reference", "DSAR-7")
	pia.refused("conflict (409)", "approval", "approve", approval.ID)
	paul.prints("erase      "+tried.PreviewID+"  DSAR-7     pia", "approval", "list", "--status", "pending")
	paul.prints("needs     1, has 1", "approval", "approve", approval.ID)
	paul.refused("conflict (409)", "approval", "reject", approval.ID)
	pia.prints("outcome  erased", append(order, "--preview", tried.PreviewID, "--approval", approval.ID)...)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if logs, err := verifyFolder(data); err != nil || logs == 0 {
		t.Errorf("%d logs verify, %v", logs, err)
	}
}

// TestEmergencyCommands: an emergency and its review, a suspension, an incident,
// a consent and an access review, each with nothing but commands.
func TestEmergencyCommands(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := start(t, data)
	gateway := credential(t, data, "--role", "gateway")
	_, raw := send(t, s, gateway, "POST", "/v1/tokenize", `{"scope":"chat-1","subject":"crm:77","text":"mail jane.doe@example.com"}`)
	nina := credential(t, data, "--role", "restorer", "--subject", "nina", "--claim", "on_call=true", "--claim", "amr=mfa")
	restore := object{"scope": "chat-1", "reason": object{"code": "BREAK_GLASS"}, "text": text(raw)}
	if status, raw, err := call("POST", s.url+"/v1/detokenize", nina, restore, nil); err != nil || status != 200 || !strings.Contains(string(raw), "jane") {
		t.Fatalf("%d %v: %s", status, err, raw)
	}
	ada, pia := sits(t, s, data, "auditor", "ada"), sits(t, s, data, "privacy_officer", "pia")
	var reviews []client.Review
	ada.must(&reviews, "review", "list", "--status", "open")
	if len(reviews) != 1 || reviews[0].Actor != "nina" {
		t.Fatalf("%+v", reviews)
	}
	ada.prints("finding   justified REV-1", "review", "close", reviews[0].ID, "--finding", "justified", "--reference", "REV-1")
	pia.prints("justified", "review", "list", "--status", "closed")

	var placed client.Suspension
	pia.must(&placed, "suspension", "place", "--reason", "LLM_RESPONSE", "--scope", "chat-1", "--about", write(t, `{"end_users":["erika"]}`), "--reference", "INC-1")
	pia.prints("reasons [LLM_RESPONSE] end users 1 scopes 1", "suspension", "list", "--standing")
	pia.prints("lifted", "suspension", "lift", placed.ID, "--reference", "INC-1")

	hour := func(n int) string { return time.Now().Add(time.Duration(n) * time.Hour).UTC().Format(time.RFC3339) }
	pia.prints("EMAIL_ADDRESS 1", "incident", "assess", "--from", hour(-1), "--to", hour(1), "--actor", "nina")
	var incident client.Incident
	pia.must(&incident, "incident", "open", "--reference", "INC-1", "--aware-at", hour(-80))
	pia.prints("was to be told by", "incident", "show", incident.ID)
	pia.refused("conflict (409)", "incident", "close", incident.ID, "--outcome", "notified", "--reference", "INC-1")
	for _, event := range []string{"authority_notified", "persons_notified"} {
		pia.prints("event     "+event+" LETTER-1", "incident", "note", incident.ID, "--event", event, "--reference", "LETTER-1")
	}
	pia.prints("outcome   notified INC-1", "incident", "close", incident.ID, "--outcome", "notified", "--reference", "INC-1")
	pia.prints("INC-1", "incident", "list")

	who := write(t, `{"subject":"crm:77"}`)
	var consent client.Consent
	pia.must(&consent, "consent", "give", "--who", who, "--purpose", "marketing", "--reference", "FORM-1", "--until", "2099-01-01")
	pia.prints(consent.ID, "consent", "list", "--who", who, "--live")
	pia.prints("status    withdrawn", "consent", "withdraw", consent.ID, "--reference", "MAIL-2")
	pia.refused("JSON of the form", "consent", "list", "--who", write(t, "crm:77"))

	var rights []client.Right
	ada.must(&rights, "access-review", "rights")
	said, decisions := map[string]bool{}, []string{}
	for _, right := range rights {
		if !said[right.Rule] {
			decisions = append(decisions, fmt.Sprintf(`{"rule":%q,"decision":"keep"}`, right.Rule))
		}
		said[right.Rule] = true
	}
	period := []string{"access-review", "record", "--from", "2026-01-01", "--to", "2026-04-01", "--reference", "Q1-2026", "--decisions"}
	ada.refused("/decisions", append(period, write(t, "["+decisions[0]+"]"))...)
	ada.prints(fmt.Sprintf("decisions keep %d", len(decisions)), append(period, write(t, "["+strings.Join(decisions, ",")+"]"))...)
	ada.prints("Q1-2026    ada", "access-review", "list")
	sits(t, s, data, "operator", "otto").refused("not_found (404)", "policy", "rollback", "--reference", "POLICY-7")
	stranger := desk{t, s.url, write(t, credential(t, data, "--role", "operator", "--tenant", "globex"))}
	stranger.refused("denied (403)", "policy", "rollback", "--reference", "POLICY-7")
}

// text is the text of an answer.
func text(raw []byte) string {
	var answer struct{ Text string }
	_ = json.Unmarshal(raw, &answer)
	return answer.Text
}
