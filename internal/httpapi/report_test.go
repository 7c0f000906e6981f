package httpapi_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
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

type report struct {
	RequestID   string `json:"request_id"`
	Kind        string
	Reference   string
	SubjectRefs []string `json:"subject_refs"`
	Holdings    []struct {
		ScopeRef        string `json:"scope_ref"`
		ScopeKind       string `json:"scope_kind"`
		Entity, Class   string
		Values, Expired int
		Ends            time.Time `json:"ends_at"`
	}
	Destinations []struct {
		Destination, Vendor, Region string
		Days                        int `json:"vendor_retention_days"`
		Training                    bool
		Values                      int
		First                       time.Time `json:"first_sent"`
		Last                        time.Time `json:"last_sent"`
	}
	Purposes []struct {
		Reason, Description string
		Basis               string `json:"legal_basis"`
		Restorations        int
	}
	Restorations []struct {
		At                                          time.Time
		Reason, Actor, Client, Recipient, Reference string
		Roles                                       []string
		Values                                      int
	}
	Retention []struct {
		Class   string
		Seconds int64
	}
	Values []struct {
		Token, Entity, Value string
		ScopeRef             string `json:"scope_ref"`
	}
	Limits []string
	Audit  *audit.Receipt
}

// reported is a person of whom there is something, who had some of it back.
func reported(t *testing.T, kind string, name string) (*world, string) {
	t.Helper()
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	var out tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "destination": "openai/us", "values": []m{
		{"entity": "PERSON", "value": name, "subject": "crm:jane"},
		{"entity": "EMAIL_ADDRESS", "value": "jane@example.com", "subject": "crm:jane"},
		{"entity": "LOCATION", "value": "1 Main Street", "subject": "crm:jane"},
		{"entity": "LOCATION", "value": "1 Main Street", "subject": "crm:john"},
		{"entity": "EMAIL_ADDRESS", "value": "john@example.com", "subject": "crm:john"},
	}}).Want(http.StatusOK).Decode(&out)
	v.Clock.Advance(time.Minute)
	w.As("restorer").Post("/v1/detokenize", m{
		"scope": "chat-1", "reason": m{"code": "CUSTOMER_SUPPORT", "reference": "TICKET-7"}, "tokens": out.Values[:2], "recipient": "desk-4",
	}).Want(http.StatusOK)
	v.Clock.Advance(time.Minute)
	_, path := w.open(t, intakeOf(kind, m{"subject": "crm:jane", "identity": checked()}))
	return w, path + "/report"
}

func TestAReportSaysWhatThereIs(t *testing.T) {
	w, path := reported(t, "access", "Jane Doe")
	var plain, whole report
	answer := w.As("privacy").Post(path, m{}).Want(http.StatusOK)
	answer.Decode(&plain)
	for _, secret := range []string{"jane@", "john@", "Main", "crm:", "rob", "TICKET", "chat-1"} {
		if strings.Contains(string(answer.Body), secret) {
			t.Errorf("without values and actors it tells %q: %s", secret, answer.Body)
		}
	}
	if len(plain.Restorations) != 1 || plain.Restorations[0].Recipient != "desk-4" {
		t.Errorf("to whom: %+v", plain.Restorations)
	}
	if plain.Kind != "access" || plain.Reference != "DSAR-31" || len(plain.SubjectRefs) != 1 || plain.Values != nil || plain.Audit == nil || len(plain.Limits) < 3 {
		t.Errorf("report: %s", answer.Body)
	}
	var entities []string
	for _, h := range plain.Holdings {
		entities = append(entities, h.Entity)
		if h.Values != 1 || h.ScopeKind != "conversation" || h.Ends.IsZero() {
			t.Errorf("holding: %+v", h)
		}
	}
	slices.Sort(entities)
	if diff := cmp.Diff([]string{"EMAIL_ADDRESS", "LOCATION", "PERSON"}, entities); diff != "" {
		t.Errorf("holdings: %s", diff)
	}
	if d := plain.Destinations; len(d) != 1 || d[0].Destination != "openai/us" || d[0].Vendor != "OpenAI" || d[0].Days != 30 || d[0].Training || d[0].Values != 3 {
		t.Errorf("destinations: %+v", d)
	}
	if r := plain.Restorations; len(r) != 1 || r[0].Reason != "CUSTOMER_SUPPORT" || !slices.Equal(r[0].Roles, []string{"restorer"}) ||
		r[0].Client != "desk" || r[0].Values != 2 {
		t.Errorf("restorations: %+v", r)
	}
	if p := plain.Purposes; len(p) != 1 || p[0].Restorations != 1 || p[0].Basis == "" || p[0].Description == "" {
		t.Errorf("purposes: %+v", p)
	}
	answer = w.As("privacy").Post(path, m{
		"values": true, "actors": true, "reason": m{"code": "SUBJECT_ACCESS", "reference": "DSAR-31"},
	}).Want(http.StatusOK)
	answer.Decode(&whole)
	values := make(map[string]string)
	for _, v := range whole.Values {
		values[v.Entity] = v.Value
	}
	if diff := cmp.Diff(map[string]string{"PERSON": "Jane Doe", "EMAIL_ADDRESS": "jane@example.com"}, values); diff != "" {
		t.Errorf("values: %s", diff)
	}
	if !slices.Contains(whole.Limits, "third_parties_left_out") || strings.Contains(string(answer.Body), "john") {
		t.Errorf("somebody else is told of: %s", answer.Body)
	}
	if r := whole.Restorations; len(r) != 1 || r[0].Actor != "rob" || r[0].Reference != "TICKET-7" {
		t.Errorf("actors: %+v", r)
	}
	if e := w.log.last(t); e["reason"] != "SUBJECT_ACCESS" {
		t.Errorf("event: %v", e)
	}
	// That the values were given is in the log as any restoration is.
	given := w.entriesOf(t, audit.KindRestore)
	if last := given[len(given)-1]; last.Reason != "SUBJECT_ACCESS" || len(last.Tokens) != 2 || last.Actor != "paula" {
		t.Errorf("the entry of the values: %+v", last)
	}
	for what, text := range map[string]string{"log": w.log.String(), "metrics": w.metrics(t)} {
		for _, secret := range []string{"jane@", "Jane", "Main", "crm:"} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s has %q", what, secret)
			}
		}
	}
}

// hostileName would run, load and break out, were it not a text.
const hostileName = `</style></td><script src="//evil.example/x.js">alert(1)</script><img src=x onerror=alert(1)><a href="javascript:alert(1)">Jane</a> {{.Style}} "'&`

// pageOf gets the page of a report with values.
func pageOf(w *world, path string) *httpapitest.Response {
	return w.As("privacy").Post(path, m{
		"format": "html", "values": true, "actors": true, "reason": m{"code": "SUBJECT_ACCESS", "reference": "DSAR-31"},
	}).Want(http.StatusOK)
}

// A page is to be read and printed, and does nothing else, whatever a value is.
func TestInvariant12_APageDoesNothing(t *testing.T) {
	w, path := reported(t, "access", hostileName)
	page := pageOf(w, path)
	if found := active(string(page.Body)); len(found) > 0 {
		t.Errorf("the page has %q", found)
	}
	if !strings.Contains(textOf(t, page.Body), hostileName) {
		t.Error("the value is not told as it is")
	}
	policy := page.Header.Get("Content-Security-Policy")
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(string(page.Body))
	if style == nil {
		t.Fatal("the page has no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	for _, directive := range []string{"default-src 'none'", want, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
		if !slices.Contains(strings.Split(policy, "; "), directive) {
			t.Errorf("the policy %q lacks %s", policy, directive)
		}
	}
	if strings.Contains(policy, "unsafe") || page.Header.Get("Content-Type") != "text/html; charset=utf-8" || page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", page.Header)
	}
}

// The twin: a page that is put together as a text is noticed.
func TestInvariant12_APageDoesNothing_Twin(t *testing.T) {
	for _, page := range []string{
		"<p>" + hostileName, `<p><img alt="">`, `<p style="color:red">x`, `<p onclick="x">`, `<link href="x">`, `<form>`, `<iframe>`, `<meta http-equiv="refresh">`,
	} {
		if len(active(page)) == 0 {
			t.Errorf("%s passed", page)
		}
	}
}

// active lists what of a page runs, loads or leads elsewhere.
func active(page string) (found []string) {
	allowed := map[string][]string{
		"html": {"lang"}, "head": nil, "meta": {"charset", "name", "content"}, "title": nil, "style": nil, "body": nil,
		"header": nil, "h1": nil, "h2": nil, "p": {"class"}, "section": nil, "ul": nil, "li": nil, "footer": nil,
		"table": nil, "thead": nil, "tbody": nil, "tr": nil, "th": {"scope", "class"}, "td": {"class", "dir"}, "span": {"class"},
	}
	decoder := looseDecoder(page)
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			return append(found, err.Error())
		}
		switch token := token.(type) {
		case xml.Comment:
			found = append(found, "a comment")
		case xml.StartElement:
			attributes, known := allowed[token.Name.Local]
			if !known {
				found = append(found, token.Name.Local)
			}
			for _, a := range token.Attr {
				if !slices.Contains(attributes, a.Name.Local) {
					found = append(found, token.Name.Local+" "+a.Name.Local)
				}
			}
		}
	}
}

// looseDecoder reads HTML as far as it looks like XML.
func looseDecoder(page string) *xml.Decoder {
	decoder := xml.NewDecoder(strings.NewReader(page))
	decoder.Strict, decoder.AutoClose, decoder.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	return decoder
}

// textOf is what a page says, without its style.
func textOf(t *testing.T, page []byte) string {
	t.Helper()
	decoder := looseDecoder(string(page))
	var text strings.Builder
	inStyle := false
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inStyle = token.Name.Local == "style"
		case xml.EndElement:
			inStyle = false
		case xml.CharData:
			if !inStyle {
				text.Write(token)
			}
		}
	}
}

func TestAPageCanBeRead(t *testing.T) {
	for kind, title := range map[string]string{"access": "What is kept about you", "accounting": "Who had data about you"} {
		w, path := reported(t, kind, "Jane Doe")
		page := pageOf(w, path)
		text := textOf(t, page.Body)
		for _, told := range []string{
			title, "Your request DSAR-31. Made on 1 March 2026, 09:02.", "Email address", "jane@example.com", "confidential",
			"a conversation", "OpenAI openai/us", "30 days", "CUSTOMER_SUPPORT (TICKET-7)", "restorer (rob)",
			"Confidential data: 90 days", "Values that are about somebody else too.", "complain to the authority",
		} {
			if !strings.Contains(text, told) {
				t.Errorf("%s: the page does not say %q", kind, told)
			}
		}
		held, restored := strings.Index(text, "What is kept\n"), strings.Index(text, "Who had it back")
		if (restored < held) != (kind == "accounting") {
			t.Errorf("%s: what is kept at %d, who had it at %d", kind, held, restored)
		}
		if !strings.HasPrefix(string(page.Body), "<!DOCTYPE html>") || strings.Contains(text, "john@") || strings.Contains(text, "<no value>") || strings.Contains(text, "ZgotmplZ") {
			t.Errorf("%s: the page says %s", kind, text)
		}
		if into := os.Getenv("COUNTERFOIL_PAGES"); into != "" {
			if err := os.WriteFile(into+"/"+kind+".html", page.Body, 0o600); err != nil {
				t.Error(err)
			}
		}
	}
}

// Nothing is an answer, too.
func TestAReportOfNobody(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	_, path := w.open(t, intakeOf("access", m{"subject": "crm:nobody", "identity": checked()}))
	var r report
	answer := w.As("privacy").Post(path+"/report", m{}).Want(http.StatusOK)
	answer.Decode(&r)
	if r.Holdings == nil || r.Destinations == nil || r.Restorations == nil || len(r.Holdings)+len(r.Destinations)+len(r.Restorations) != 0 {
		t.Errorf("of nobody: %s", answer.Body)
	}
	text := textOf(t, pageOf(w, path+"/report").Body)
	for _, told := range []string{"Nothing was found.", "Nothing that is kept was sent anywhere.", "Nobody had any of it back."} {
		if !strings.Contains(text, told) {
			t.Errorf("the page does not say %q", told)
		}
	}
}

// Until it is established who asks there is no report, and once the request is
// closed nothing knows whom it was about.
func TestReportsThatAreNot(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	_, unknown := w.open(t, intakeOf("access", m{"subject": "x"}))
	_, closed := w.open(t, intakeOf("access", m{"subject": "x", "identity": checked()}))
	_, other := w.open(t, intakeOf("erasure", m{"subject": "x", "identity": checked()}))
	w.step(closed, "complete", m{})
	for _, path := range []string{unknown, closed, other} {
		w.As("privacy").Post(path+"/report", m{}).Want(http.StatusConflict)
	}
	// Invariant 10: who asks for values for another reason is in the log.
	before := len(w.entriesOf(t, audit.KindRequestRefused))
	_, path := w.open(t, intakeOf("access", m{"subject": "x", "identity": checked()}))
	w.As("privacy").Post(path+"/report", m{"values": true}).Want(http.StatusUnprocessableEntity)
	w.As("privacy").Post(path+"/report", m{"values": "all"}).Want(http.StatusUnprocessableEntity)
	if n := len(w.entriesOf(t, audit.KindRequestRefused)) - before; n != 2 {
		t.Errorf("%d refusals in the log", n)
	}
}

func TestNamesComeBackForAReason(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	w.aboutJane("crm:jane")
	var found searched
	w.As("privacy").Post("/v1/subjects/search", m{"identifiers": []m{{"entity": "EMAIL_ADDRESS", "value": "jane@example.com"}}}).Want(http.StatusOK).Decode(&found)
	scope, subject := found.Found[0].ScopeRef, found.SubjectRefs[0]
	reason := m{"code": "SUBJECT_ACCESS", "reference": "DSAR-31"}
	nobody := strings.Repeat("0", 32)
	var names struct {
		Scopes, Subjects map[string]string
		Audit            *audit.Receipt
	}
	w.As("privacy").Post("/v1/subjects/names", m{
		"scope_refs": []string{scope, nobody}, "subject_refs": []string{subject}, "reason": reason,
	}).Want(http.StatusOK).Decode(&names)
	if diff := cmp.Diff(map[string]string{scope: "chat-1"}, names.Scopes); diff != "" || names.Audit == nil {
		t.Errorf("scopes: %s", diff)
	}
	if diff := cmp.Diff(map[string]string{subject: "crm:jane"}, names.Subjects); diff != "" {
		t.Errorf("subjects: %s", diff)
	}
	if e := w.log.last(t); e["reason"] != "SUBJECT_ACCESS" || strings.Contains(w.log.String(), "crm:") || strings.Contains(w.log.String(), "chat-1") {
		t.Errorf("event: %v", e)
	}
	if given := w.entriesOf(t, audit.KindRestore); len(given) != 1 || given[0].Reason != "SUBJECT_ACCESS" || !slices.Equal(given[0].ScopeRefs, []string{scope}) {
		t.Errorf("entries: %+v", given)
	}
	// Erased is without a name, too.
	w.As("privacy").Post("/v1/subject-requests", erasureOf("crm:jane", nil)).Want(http.StatusCreated)
	var again struct{ Scopes, Subjects map[string]string }
	w.As("privacy").Post("/v1/subjects/names", m{"subject_refs": []string{subject}, "reason": reason}).Want(http.StatusOK).Decode(&again)
	if again.Scopes == nil || again.Subjects == nil || len(again.Subjects) != 0 {
		t.Errorf("erased, and named %v", again)
	}
	refused := len(w.entriesOf(t, audit.KindRequestRefused))
	for name, c := range map[string]struct {
		body         m
		status       int
		field, limit string
	}{
		"nobody":         {m{"reason": reason}, 422, "", ""},
		"no reason":      {m{"scope_refs": []string{scope}}, 422, "/reason", ""},
		"another reason": {m{"scope_refs": []string{scope}, "reason": m{"code": "CUSTOMER_SUPPORT", "reference": "TICKET-7"}}, 422, "/reason/code", ""},
		"a name":         {m{"scope_refs": []string{canary}, "reason": reason}, 422, "/scope_refs/0", ""},
		"an empty list":  {m{"scope_refs": []string{}, "reason": reason}, 422, "/scope_refs", ""},
		"too many":       {m{"scope_refs": slices.Repeat([]string{nobody}, 1001), "reason": reason}, 413, "/scope_refs", "names"},
		"too many in all": {
			m{"scope_refs": slices.Repeat([]string{nobody}, 600), "subject_refs": slices.Repeat([]string{nobody}, 600), "reason": reason}, 413, "", "names",
		},
	} {
		answer := w.As("privacy").Post("/v1/subjects/names", c.body)
		p := answer.Problem()
		if fields := append(p.Fields(), ""); answer.Status != c.status || fields[0] != c.field || p.Limit != c.limit {
			t.Errorf("%s: %d, fields %v, limit %q: %s", name, answer.Status, fields, p.Limit, answer.Body)
		}
	}
	if n := len(w.entriesOf(t, audit.KindRequestRefused)) - refused; n == 0 {
		t.Error("no refusal is in the log")
	}
}

func TestTheRetentionReport(t *testing.T) {
	v := vaulttest.New(t)
	w := newWorldOf(t, v.Service, httpapi.Limits{})
	type line struct {
		Class     string
		ScopeKind string `json:"scope_kind"`
		Live      int
		Expired   int
		Held      int
	}
	var r struct {
		At       time.Time
		Settings []struct {
			Class   string
			Seconds int64
		}
		Inventory struct {
			Mappings     []line
			Scopes       int
			Subjects     int
			RequestsOpen int `json:"requests_open"`
			Erasures     int
		}
		Records struct {
			Requests int64 `json:"requests_seconds"`
			Log      string
		}
		Last *struct {
			At     time.Time
			Counts map[string]int
		} `json:"last_sweep"`
	}
	read := func() {
		t.Helper()
		r.Last, r.Inventory.Mappings, r.Settings = nil, nil, nil
		w.As("operator").Get("/v1/retention/report").Want(http.StatusOK).Decode(&r)
	}
	read()
	if r.Last != nil || len(r.Inventory.Mappings) != 0 || len(r.Settings) != 4 || r.Settings[2].Class != "confidential" || r.Settings[2].Seconds != 90*24*3600 {
		t.Errorf("at first: %+v", r)
	}
	if r.Records.Requests != 730*24*3600 || r.Records.Log != "for ever" || r.At.IsZero() {
		t.Errorf("records: %+v", r.Records)
	}
	w.Post("/v1/tokenize", m{"scope": "chat-1", "subject": "crm:jane", "ttl": 60, "values": []m{{"entity": "PERSON", "value": "Jane"}}}).Want(http.StatusOK)
	w.open(t, intakeOf("access", nil))
	read()
	if diff := cmp.Diff([]line{{Class: "confidential", ScopeKind: "conversation", Live: 1}}, r.Inventory.Mappings); diff != "" ||
		r.Inventory.Scopes != 1 || r.Inventory.Subjects != 1 || r.Inventory.RequestsOpen != 1 {
		t.Errorf("inventory: %+v", r.Inventory)
	}
	v.Clock.Advance(time.Hour)
	read()
	if diff := cmp.Diff([]line{{Class: "confidential", ScopeKind: "conversation", Expired: 1}}, r.Inventory.Mappings); diff != "" {
		t.Errorf("expired: %s", diff)
	}
	if err := v.Worker.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	read()
	if r.Last == nil || r.Last.At.IsZero() || fmt.Sprint(r.Last.Counts) == "map[]" || len(r.Inventory.Mappings) != 0 {
		t.Errorf("swept: %+v %+v", r.Last, r.Inventory.Mappings)
	}
}
