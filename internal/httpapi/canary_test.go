package httpapi_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/metrics/metricstest"
	"github.com/counterfoil/counterfoil/openapi"
)

// bodies are requests with every field there is.
var bodies = map[string][]string{
	"/v1/tokenize": {
		`{"scope":"chat-1","subject":"s-1","destination":"default","ttl":60,"format":"label","detect":{"enabled":true,"entities":["PERSON"]},"existing_tokens":"keep","dry_run":false,"text":"Ann","spans":[{"start":0,"end":3,"entity":"PERSON","subject":"s-2"}]}`,
		`{"scope":"chat-1","values":[{"entity":"PERSON","value":"Ann","subject":"s-2"}]}`,
	},
	"/v1/detokenize": {
		`{"scope":"chat-1","reason":{"code":"CUSTOMER_SUPPORT","reference":"T-1","note":"n"},"recipient":"desk","on_refused":"keep","text":"Ann"}`,
		`{"scope":"chat-1","reason":{"code":"LLM_RESPONSE"},"tokens":["Ann"]}`,
	},
	"/v1/scopes":       {`{"scope":"chat-9","kind":"case","ttl":60,"idle_ttl":60,"end_user":"erika"}`},
	"/v1/scopes/close": {`{"scope":"chat-8"}`},
	"/v1/holds": {
		`{"matter":"M-1","reference":"O-1","custodian":"c-1","match":{"subjects":["s-1"],"identifiers":[{"entity":"PERSON","value":"Ann"}],"scopes":["chat-1"],"entities":["PERSON"],"classes":["internal"],"destinations":["openai/us"],"time_field":"sent","from":"2026-01-01T00:00:00Z","to":"2027-01-01T00:00:00Z"},"applies_to":"existing","review_by":"2126-01-01T00:00:00Z","backups":true,"dry_run":false}`,
	},
	nobodysHold + "/review":  {`{"review_by":"2126-01-01T00:00:00Z"}`},
	nobodysHold + "/release": {`{"reference":"O-1"}`},
	"/v1/subjects/search":    {`{"subject":"s-1","identifiers":[{"entity":"PERSON","value":"Ann"}],"match":"variants"}`},
	"/v1/subjects/names":     {`{"scope_refs":["00000000000000000000000000000000"],"subject_refs":["00000000000000000000000000000000"],"reason":{"code":"SUBJECT_ACCESS","reference":"DSAR-1","note":"n"}}`},
	"/v1/subjects/links":     {`{"subject":"s-1","identifiers":[{"entity":"PERSON","value":"Ann"}],"undo":false}`},
	"/v1/subject-requests": {
		`{"kind":"erasure","regime":"gdpr","subject":"s-1","confirm_subject":"s-1","reference":"R-1","identity":{"method":"call","reference":"C-1","verified_by":"o-1","at":"2026-01-01T00:00:00Z"},"preview_id":"00000000000000000000000000000000"}`,
		`{"kind":"erasure","regime":"hipaa","subject":"s-1","reference":"R-1","identity":{"method":"call","reference":"C-1","verified_by":"o-1","at":"2026-01-01T00:00:00Z"},"dry_run":true,"suppress":"none"}`,
		`{"kind":"access","regime":"ccpa","subject":"s-1","identifiers":[{"entity":"PERSON","value":"Ann"}],"reference":"R-1","assignee":"o-1","received_at":"2026-01-01T00:00:00Z","identity":{"method":"call","reference":"C-1","verified_by":"o-1","at":"2026-01-01T00:00:00Z"}}`,
	},
	"/v1/restorations": {
		`{"scope":"chat-1","reason":{"code":"CUSTOMER_SUPPORT","reference":"T-1","note":"n"},"recipient":"desk","text":"Ann","read_scopes":["docs-1"]}`,
		`{"scope":"chat-1","reason":{"code":"CUSTOMER_SUPPORT","reference":"T-1"},"tokens":["Ann"]}`,
	},
	"/v1/restorations/" + nobodys + "/approvals": {`{"decision":"approve","note":"n"}`},
	"/v1/restorations/" + nobodys + "/redeem": {
		`{"scope":"chat-1","reason":{"code":"CUSTOMER_SUPPORT","reference":"T-1","note":"n"},"recipient":"desk","on_refused":"keep","text":"Ann"}`,
	},
	"/v1/approvals": {`{"operation":"hold_release","target":"` + nobodys + `","reference":"O-1"}`},
	"/v1/approvals/" + nobodys + "/decisions": {`{"decision":"reject","note":"n"}`},
	"/v1/reviews/" + nobodys + "/close":       {`{"finding":"justified","reference":"I-1"}`},
	"/v1/consents":                            {`{"subject":"s-1","purpose":"marketing","reference":"C-1","expires_at":"2126-01-01T00:00:00Z"}`},
	"/v1/consents/search":                     {`{"subject":"s-1","open":true,"limit":5}`},
	"/v1/consents/" + nobodys + "/withdraw":   {`{"reference":"L-1"}`},
	"/v1/suspensions": {
		`{"match":{"callers":["rob"],"clients":["desk"],"end_users":["erika"],"scopes":["chat-9"],"reasons":["CUSTOMER_SUPPORT"],"entities":["PERSON"],"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z"},"reason":"I-1"}`,
	},
	"/v1/suspensions/" + nobodys + "/lift": {`{"reference":"I-1"}`},
	"/v1/incidents/assess": {
		`{"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z","actor":"rob","client":"desk","reason":"CUSTOMER_SUPPORT","entity":"PERSON","destination":"default","scope":"chat-1","subject_ref":"` + nobodys + `","tokenized":true}`,
	},
	"/v1/incidents":                                {`{"reference":"I-1","aware_at":"2026-01-03T00:00:00Z","from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z"}`},
	"/v1/incidents/" + nobodys + "/events":         {`{"kind":"contained","reference":"I-1"}`},
	"/v1/incidents/" + nobodys + "/close":          {`{"outcome":"no_risk","reference":"I-1"}`},
	"/v1/policy/reload":                            {`{}`},
	"/v1/policy/proposals":                         {`{"bundle":"AAAA","tenants":["acme"],"change":{"pr":"88","commit":"3f78685","tests_digest":"` + nobodys + nobodys + `","notes":"n"}}`},
	"/v1/policy/proposals/" + nobodys + "/promote": {`{"reference":"C-1","approval_id":"` + nobodys + `"}`},
	"/v1/policy/proposals/" + nobodys + "/drop":    {`{"reference":"C-1"}`},
	"/v1/policy/rollback":                          {`{"reference":"C-1"}`},
	"/v1/policy/explain": {
		`{"action":"restore","roles":["restorer"],"reason":"CUSTOMER_SUPPORT","entity":"PERSON","class":"internal","same_client":true,"end_user":"same","mfa":true,"acr":"a","attributes":[{"name":"team","value":"fraud"}],"place":"tool","tool":"crm","held":true,"restricted":true,"environment":"prod","at":"2026-01-01T00:00:00Z","address":"10.0.0.1","approved":1,"consented":true}`,
	},
	"/v1/audit/search": {
		`{"subject":"s-1","scope":"chat-1","end_user":"erika","actor":"rob","client":"desk","approver":"amy","kind":"restore","decision":"allow","reason":"CUSTOMER_SUPPORT","reference":"T-1","entity":"PERSON","class":"internal","destination":"default","policy_version":"` + nobodys + `","token":"x","request_id":"` + nobodys + `","since":"2026-01-01T00:00:00Z","until":"2026-01-02T00:00:00Z","order":"desc","limit":5,"cursor":"7","count":true}`,
		`{"subject_ref":"` + nobodys + `","scope_ref":"` + nobodys + `","end_user_digest":"` + nobodys + `"}`,
	},
	"/v1/dispatches": {
		`{"request_id":"` + nobodys + `","destination":"default","model":"m-1","vendor_request_id":"v-1","status":"ok","latency_ms":5,"usage":{"input_tokens":1,"output_tokens":2,"cached_tokens":3,"reasoning_tokens":4,"total_tokens":5}}`,
	},
	"/v1/evidence":               {`{"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z"}`},
	"/v1/controls/check":         {`{}`},
	"/v1/access-reviews":         {`{"from":"2026-01-01T00:00:00Z","to":"2026-04-01T00:00:00Z","reviewer":"ann","reference":"R-1","decisions":[{"rule":"r-1","decision":"keep"}]}`},
	nobodysRequest + "/identity": {`{"identity":{"method":"call","reference":"C-1","verified_by":"o-1","at":"2026-01-01T00:00:00Z"},"subject":"s-1","identifiers":[{"entity":"PERSON","value":"Ann"}]}`},
	nobodysRequest + "/assign":   {`{"assignee":"o-1"}`},
	nobodysRequest + "/notes":    {`{"text":"n"}`},
	nobodysRequest + "/extend":   {`{"reference":"L-1"}`},
	nobodysRequest + "/refuse":   {`{"refusal_code":"duplicate"}`},
	nobodysRequest + "/withdraw": {`{}`},
	nobodysRequest + "/execute":  {`{"confirm_subject":"s-1","preview_id":"00000000000000000000000000000000","dry_run":false,"suppress":"none"}`},
	nobodysRequest + "/complete": {`{"partial":true}`},
	nobodysRequest + "/lift":     {`{}`},
	nobodysRequest + "/report":   {`{"format":"html","values":true,"reason":{"code":"SUBJECT_ACCESS","reference":"DSAR-1","note":"n"},"actors":true}`},
}

// nobodys is an id that nothing has.
const nobodys = "00000000000000000000000000000000"

const nobodysHold = "/v1/holds/" + nobodys

// bearerFor is somebody who may use a path.
func bearerFor(path string) string {
	switch {
	case strings.HasPrefix(path, "/v1/holds"):
		return "legal"
	case strings.HasPrefix(path, "/v1/subject"), strings.HasPrefix(path, "/v1/consents"),
		strings.HasPrefix(path, "/v1/suspensions"), strings.HasPrefix(path, "/v1/incidents"):
		return "privacy"
	case strings.HasPrefix(path, "/v1/restorations"):
		return "restorer"
	case strings.HasPrefix(path, "/v1/reviews"), strings.HasPrefix(path, "/v1/access-reviews"),
		strings.HasPrefix(path, "/v1/audit"), strings.HasPrefix(path, "/v1/evidence"), strings.HasPrefix(path, "/v1/controls"):
		return "auditor"
	case strings.HasPrefix(path, "/v1/approvals"), strings.HasPrefix(path, "/v1/policy"):
		return "operator"
	}
	return "gateway"
}

// digits is a canary that is a number: a postcode with something behind it.
const digits = "4716029385"

// places lists the paths of all values in a body.
func places(v any, path []any) [][]any {
	all := [][]any{slices.Clone(path)}
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = append(all, places(v[name], append(path, name))...)
		}
	case []any:
		for i := range v {
			all = append(all, places(v[i], append(path, i))...)
		}
	}
	return all
}

// with returns a copy of the body with the value at path changed.
func with(v any, path []any, change func(any) any) any {
	if len(path) == 0 {
		return change(v)
	}
	switch v := v.(type) {
	case map[string]any:
		copied := maps.Clone(v)
		copied[path[0].(string)] = with(v[path[0].(string)], path[1:], change)
		return copied
	case []any:
		copied := slices.Clone(v)
		copied[path[0].(int)] = with(v[path[0].(int)], path[1:], change)
		return copied
	}
	return v
}

// mutations put canaries in the place of a value, around it and beside it.
var mutations = map[string]func(any) any{
	"string":      func(any) any { return canary },
	"long string": func(any) any { return canary + strings.Repeat("x", 20_000) },
	"spaces":      func(any) any { return " " + canary + "\n" },
	"number":      func(any) any { return json.Number(digits) },
	"fraction":    func(any) any { return json.Number(digits + ".5") },
	"array":       func(v any) any { return []any{v, canary} },
	"object":      func(v any) any { return m{canary: v, digits: canary} },
	"deep":        func(any) any { return m{digits[:5]: m{canary: json.Number("1." + digits)}} },
	"more fields": func(v any) any {
		if o, ok := v.(map[string]any); ok {
			o = maps.Clone(o)
			o[canary], o[digits[:5]] = canary, m{"text": json.Number(digits + "e3")}
			return o
		}
		return []any{}
	},
	"renamed": func(v any) any {
		if o, ok := v.(map[string]any); ok {
			renamed := m{}
			for name, value := range o {
				renamed[canary+name] = value
			}
			return renamed
		}
		return nil
	},
}

// Invariant 12, for this package: whatever a request holds wherever, nothing
// of it is in a refusal, in the operational log or in a metric.
func TestInvariant12_NothingOfARequestComesBackInARefusal(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	refused, accepted := 0, make(map[string]int)
	send := func(t *testing.T, path string, body []byte) {
		answer := w.As(bearerFor(path)).Post(path, body)
		if answer.Status < http.StatusBadRequest {
			accepted[path]++
			return
		}
		refused++
		if leaked := leak(string(answer.Body)); leaked != "" {
			t.Errorf("%s: a refusal repeats %q: %s", path, leaked, answer.Body)
		}
	}
	for path, valid := range bodies {
		for _, text := range valid {
			for name, mutate := range mutations {
				for _, place := range places(decode(t, text), nil) {
					body := encode(t, with(decode(t, text), place, mutate))
					t.Run(fmt.Sprint(path, " ", name, " ", place), func(t *testing.T) { send(t, path, body) })
				}
			}
			for i, raw := range malformedBodies(text) {
				t.Run(fmt.Sprint(path, " malformed ", i), func(t *testing.T) { send(t, path, []byte(raw)) })
			}
		}
	}
	for _, path := range canaryPaths() {
		answer := w.As("auditor").Get(path)
		if leaked := leak(string(answer.Body)); leaked != "" || answer.Status < 400 {
			t.Errorf("%d, repeats %q: %s", answer.Status, leaked, answer.Body)
		}
		refused++
	}
	if refused < 300 {
		t.Errorf("only %d requests were refused: the test has lost its point", refused)
	}
	// What was accepted is in the audit log, without what it held.
	for _, path := range []string{
		"/v1/holds", "/v1/subjects/search", "/v1/subjects/links", "/v1/subject-requests",
		"/v1/consents", "/v1/consents/search", "/v1/suspensions", "/v1/policy/explain", "/v1/audit/search",
	} {
		if accepted[path] == 0 {
			t.Errorf("%s: nothing with a canary was accepted", path)
		}
	}
	for next := "?limit=1000"; next != ""; {
		var p page
		answer := w.As("auditor").Get("/v1/audit/entries" + next).Want(http.StatusOK)
		answer.Decode(&p)
		// Hashes may have the digits of the other canary by chance.
		if strings.Contains(string(answer.Body), "kanarie") {
			t.Error("the audit log has a canary")
		}
		if next = ""; p.NextCursor != "" {
			next = "?limit=1000&cursor=" + p.NextCursor
		}
	}
	if leaked := leak(w.log.String()); leaked != "" {
		t.Errorf("the operational log has %q", leaked)
	}
	if leaked := leak(w.metrics(t)); leaked != "" {
		t.Errorf("the metrics have %q", leaked)
	}
	if wrong := metricstest.List(t, catalogue(t)).Check(w.metrics(t)); len(wrong) > 0 {
		t.Errorf("the metrics go beyond the list: %v", wrong)
	}
}

// The twin: the texts of the validator and of the decoder, which this package
// replaces, do repeat what they were given.
func TestInvariant12_NothingOfARequestComesBackInARefusal_Twin(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Document)
	if err != nil {
		t.Fatal(err)
	}
	schema := doc.Components.Schemas["TokenizeRequest"].Value
	if err := schema.VisitJSON(m{"scope": "a", "format": canary}); err == nil || leak(err.Error()) == "" {
		t.Errorf("the validator says nothing of the value: %v", err)
	}
	if err := schema.VisitJSON(m{"scope": "a", canary: "x"}); err == nil || leak(err.Error()) == "" {
		t.Errorf("the validator says nothing of the name: %v", err)
	}
	var into struct{ TTL int }
	if err := json.Unmarshal([]byte(`{"ttl":`+digits+`.5}`), &into); err == nil || leak(err.Error()) == "" {
		t.Errorf("the decoder says nothing of the number: %v", err)
	}
}

// ownDigits are the ids of requests and the times of events. One in some thirty
// thousand holds the digits that are looked for, by chance.
var ownDigits = regexp.MustCompile(`"[0-9a-f]{32}"|"time":"[0-9T:.Z+-]*"`)

// leak returns the part of a canary that text holds.
func leak(text string) string {
	text = ownDigits.ReplaceAllString(text, `""`)
	for _, part := range []string{"kanarie", digits[:5]} {
		if strings.Contains(text, part) {
			return part
		}
	}
	return ""
}

func malformedBodies(valid string) []string {
	inside := valid[:len(valid)-1]
	return []string{
		inside + `,"` + canary + `":1,"` + canary + `":2}`,
		inside + `,"text":"` + canary,
		inside + `,"text":"` + canary + `\ud800"}`,
		inside + `,"text":"` + canary + "\xff" + `"}`,
		inside + `,"text":"` + canary + `\q"}`,
		inside + `,` + canary + `}`,
		valid + canary,
		canary,
		`"` + canary + `"`,
		digits,
		`{"` + digits[:5] + `":{"x":1,"x":2}}`,
		strings.Repeat(`{"`+canary+`":`, 40) + "1" + strings.Repeat("}", 40),
	}
}

func canaryPaths() []string {
	q := url.QueryEscape(canary)
	paths := []string{
		"/" + q, "/v1/audit/entries/" + q, "/v1/audit/entries/" + digits + digits + "/proof", "/v1/audit/entries/1/" + q,
		"/v1/audit/entries?" + q + "=1", "/v1/audit/entries?limit=1&limit=" + digits, "/v1/audit/entries?x=%zz" + q,
		"/v1/limits?" + q, "/healthz?" + q + "=" + q,
		"/v1/holds/" + q, "/v1/holds/" + digits, "/v1/holds?" + q + "=1", "/v1/holds?limit=" + digits, "/v1/holds?cursor=" + q,
		"/v1/holds?standing=" + q, "/v1/subjects/search?subject=" + q, "/v1/subjects/" + q,
		"/v1/subject-requests/" + q, "/v1/subject-requests/" + digits, "/v1/subject-requests?subject=" + q, "/v1/subject-requests?status=" + q,
		"/v1/subject-requests?kind=" + q, "/v1/subject-requests?from=" + q, "/v1/subject-requests/summary?from=" + q + "&to=" + q,
		"/v1/restorations/" + q, "/v1/restorations?status=" + q, "/v1/restorations?cursor=" + q, "/v1/approvals/" + q, "/v1/approvals?limit=" + digits,
		"/v1/reviews?status=" + q, "/v1/quota?reason=" + q, "/v1/suspensions?open=" + q, "/v1/incidents/" + q, "/v1/incidents?" + q + "=1",
		"/v1/destinations/exposure?" + q, "/v1/policy/proposals?cursor=" + q, "/v1/access-reviews?limit=" + digits, "/v1/policy/matrix?format=" + q,
		"/v1/subject-requests/" + q + "/notes", "/v1/retention/report?" + q,
		"/v1/audit/entries/1/proof?size=" + q, "/v1/audit/consistency?from=" + q, "/v1/audit/consistency?from=1&to=" + digits + digits,
		"/v1/audit/consistency?" + q, "/v1/audit/entries?destination=" + q, "/v1/audit/entries?end_user=" + q, "/v1/audit/tile/" + q, "/v1/audit/tile/0/" + digits, "/v1/audit/tile/0/000/" + q, "/v1/audit/tile/entries/000.p/" + digits,
		"/v1/evidence/" + q, "/v1/evidence/" + q + "/bundle", "/v1/evidence?cursor=" + q, "/v1/evidence?limit=" + digits, "/v1/controls?" + q,
		"/v1/subject-requests?cursor=" + q, nobodysRequest + "/receipt?audience=" + q, "/v1/subject-requests/" + q + "/receipt?audience=subject",
	}
	for _, name := range []string{
		"reason", "entity", "decision", "kind", "request_id", "class", "subject_ref", "scope_ref",
		"since", "until", "order", "limit", "cursor", "count",
	} {
		paths = append(paths, "/v1/audit/entries?"+name+"="+q, "/v1/audit/entries?"+name+"="+digits+digits)
	}
	return paths
}

func decode(t *testing.T, text string) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What an event may hold. A new name here is a decision, not a habit.
var eventFields = regexp.MustCompile(`^(time|level|msg|request_id|trace_id|operation|tenant|client|actor|reason|decision|status|code|limit|latency_ms|bytes_in|bytes_out|tokens|results|not_tokenized|entries|cause|panic|stack|missing|since)$`)

func TestEachRequestLeavesOneEvent(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	var out tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": prompt}).Want(200).Decode(&out)
	w.Post("/v1/detokenize", m{"scope": "chat-1", "reason": m{"code": "LLM_RESPONSE"}, "text": *out.Text}).Want(200)
	w.Post("/v1/detokenize", m{"scope": "chat-1", "reason": m{"code": "MADE_UP"}, "text": *out.Text}).Want(422)
	w.As("auditor").Get("/v1/audit/entries?actor=gw-1&limit=2").Want(200)
	w.Get("/nowhere").Want(404)
	events := w.log.events(t)
	if len(events) != 5 {
		t.Fatalf("%d events for 5 requests", len(events))
	}
	for _, e := range events {
		for name := range e {
			if !eventFields.MatchString(name) {
				t.Errorf("an event has %s", name)
			}
		}
		if e["msg"] != "request" || e["request_id"] == nil || e["latency_ms"] == nil {
			t.Errorf("event: %v", e)
		}
	}
	first := events[0]
	if first["operation"] != "tokenize" || first["tenant"] != "acme" || first["client"] != "gw-1" || first["actor"] != "gw-1" ||
		first["status"] != 200.0 || fmt.Sprint(first["tokens"]) != "map[new:1]" || first["request_id"] != out.RequestID {
		t.Errorf("tokenize: %v", first)
	}
	if e := events[1]; e["reason"] != "LLM_RESPONSE" || fmt.Sprint(e["results"]) != "map[restored:1]" {
		t.Errorf("detokenize: %v", e)
	}
	if e := events[2]; e["reason"] != nil || e["code"] != "invalid" {
		t.Errorf("a reason that was made up: %v", e)
	}
	if e := events[3]; e["entries"] != 2.0 {
		t.Errorf("audit: %v", e)
	}
	for _, secret := range []string{"erika", "chat-1", "EMAIL_ADDRESS_", "nowhere", "limit=2"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

func TestMetricsHaveBoundedLabels(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	var out tokenized
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": prompt}).Want(200).Decode(&out)
	w.Post("/v1/tokenize", m{"scope": "chat-1", "text": prompt}).Want(200)
	w.Post("/v1/detokenize", m{"scope": "chat-1", "reason": m{"code": "LLM_RESPONSE"}, "text": *out.Text}).Want(200)
	w.Post("/v1/detokenize", m{"scope": "chat-1", "reason": m{"code": "MADE_UP"}, "text": *out.Text}).Want(422)
	w.As("").Get("/v1/policy").Want(401)
	text := w.metrics(t)
	for _, line := range []string{
		`counterfoil_http_requests_total{operation="tokenize",status="200"} 2`,
		`counterfoil_http_requests_total{operation="policy",status="401"} 1`,
		`counterfoil_http_request_seconds_count{operation="detokenize"} 2`,
		`counterfoil_refused_total{code="invalid",operation="detokenize"} 1`,
		`counterfoil_refused_total{code="unauthenticated",operation="policy"} 1`,
		`counterfoil_unauthenticated_total{reason="missing"} 1`,
		`counterfoil_tokens_total{origin="new"} 1`,
		`counterfoil_tokens_total{origin="reused"} 1`,
		`counterfoil_restorations_total{reason="LLM_RESPONSE",status="restored"} 1`,
		`counterfoil_restoration_decisions_total{decision="allow",reason="LLM_RESPONSE"} 1`,
		`counterfoil_detections_total{action="tokenize",entity="EMAIL_ADDRESS"} 2`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
	if wrong := metricstest.List(t, catalogue(t)).Check(text); len(wrong) > 0 {
		t.Errorf("beyond the list: %v", wrong)
	}
	for _, name := range []string{"acme", "gw-1", "chat-1", "MADE_UP"} {
		if strings.Contains(text, name) {
			t.Errorf("the metrics have %q", name)
		}
	}
}
