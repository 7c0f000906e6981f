package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/httpapi"
	"github.com/counterfoil/counterfoil/internal/vault"
)

func TestBodiesThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	many := func(item string) string { return "[" + strings.Repeat(item+",", 10_000) + item + "]" }
	for name, c := range map[string]struct {
		path, body string
		status     int
		field      string // the first that the problem names
		limit      string
	}{
		"no body":             {"/v1/tokenize", "", 400, "", ""},
		"no JSON":             {"/v1/tokenize", "{", 400, "", ""},
		"no object":           {"/v1/tokenize", "[]", 422, "", ""},
		"duplicate":           {"/v1/tokenize", `{"scope":"a","scope":"b"}`, 400, "", ""},
		"no scope":            {"/v1/tokenize", `{"text":"x"}`, 422, "/scope", ""},
		"unknown field":       {"/v1/tokenize", `{"scope":"a","text":"x","extra":1}`, 422, "", ""},
		"other case":          {"/v1/tokenize", `{"Scope":"a","text":"x"}`, 422, "", ""},
		"unknown field below": {"/v1/tokenize", `{"scope":"a","text":"x","spans":[{"start":0,"end":1,"entity":"PERSON","x":1}]}`, 422, "/spans/0", ""},
		"null":                {"/v1/tokenize", `{"scope":"a","text":"x","subject":null}`, 422, "/subject", ""},
		"wrong type":          {"/v1/tokenize", `{"scope":7,"text":"x"}`, 422, "/scope", ""},
		"control character":   {"/v1/tokenize", `{"scope":"a\u0007","text":"x"}`, 422, "/scope", ""},
		"long name":           {"/v1/tokenize", `{"scope":"` + strings.Repeat("a", 257) + `","text":"x"}`, 422, "/scope", ""},
		"many bytes":          {"/v1/tokenize", `{"scope":"` + strings.Repeat("é", 200) + `","text":"x"}`, 422, "/scope", ""},
		"fraction":            {"/v1/tokenize", `{"scope":"a","text":"x","ttl":1.5}`, 422, "/ttl", ""},
		"integral fraction":   {"/v1/tokenize", `{"scope":"a","text":"x","ttl":2.0}`, 422, "/ttl", ""},
		"no ttl":              {"/v1/tokenize", `{"scope":"a","text":"x","ttl":0}`, 422, "/ttl", ""},
		"endless ttl":         {"/v1/tokenize", `{"scope":"a","text":"x","ttl":99999999999999999999}`, 422, "/ttl", ""},
		"enum":                {"/v1/tokenize", `{"scope":"a","text":"x","format":"json"}`, 422, "/format", ""},
		"free destination":    {"/v1/tokenize", `{"scope":"a","text":"x","destination":"to whom it may concern"}`, 422, "/destination", ""},
		"nothing to tokenize": {"/v1/tokenize", `{"scope":"a"}`, 422, "", ""},
		"both":                {"/v1/tokenize", `{"scope":"a","text":"x","values":[{"entity":"PERSON","value":"x"}]}`, 422, "", ""},
		"no values":           {"/v1/tokenize", `{"scope":"a","values":[]}`, 422, "/values", ""},
		"negative span":       {"/v1/tokenize", `{"scope":"a","text":"x","spans":[{"start":-1,"end":1,"entity":"PERSON"}]}`, 422, "/spans/0/start", ""},
		"too many values":     {"/v1/tokenize", `{"scope":"a","values":` + many(`{"entity":"PERSON","value":"x"}`) + `}`, 413, "/values", "findings"},
		"too many tokens":     {"/v1/detokenize", `{"scope":"a","reason":{"code":"LLM_RESPONSE"},"tokens":` + many(`"x"`) + `}`, 413, "/tokens", "findings"},
		"long text":           {"/v1/tokenize", `{"scope":"a","text":"` + strings.Repeat("x", 1<<20+1) + `"}`, 413, "/text", "text_bytes"},
		"text of many bytes":  {"/v1/tokenize", `{"scope":"a","text":"` + strings.Repeat("é", 1<<19+1) + `"}`, 413, "/text", "text_bytes"},
		"long value":          {"/v1/tokenize", `{"scope":"a","values":[{"entity":"PERSON","value":"` + strings.Repeat("x", 16<<10+1) + `"}]}`, 413, "/values/0/value", "value_bytes"},
		"large body":          {"/v1/tokenize", `{"scope":"` + strings.Repeat("x", httpapi.MaxBodyBytes) + `"}`, 413, "", "http_body_bytes"},
		"deep":                {"/v1/tokenize", strings.Repeat("[", 99) + strings.Repeat("]", 99), 413, "", "json_depth"},
		"wide":                {"/v1/tokenize", "[" + strings.Repeat("0,", httpapi.MaxNodes) + "0]", 413, "", "json_values"},
		"no code":             {"/v1/detokenize", `{"scope":"a","reason":{},"text":"x"}`, 422, "/reason/code", ""},
		"free reason":         {"/v1/detokenize", `{"scope":"a","reason":{"code":"because I want to"},"text":"x"}`, 422, "/reason/code", ""},
		"free reference":      {"/v1/detokenize", `{"scope":"a","reason":{"code":"CUSTOMER_SUPPORT","reference":"he asked"},"text":"x"}`, 422, "/reason/reference", ""},
		"on_refused":          {"/v1/detokenize", `{"scope":"a","reason":{"code":"LLM_RESPONSE"},"on_refused":"guess","text":"x"}`, 422, "/on_refused", ""},
		"kind":                {"/v1/scopes", `{"scope":"a","kind":"eternal"}`, 422, "/kind", ""},
	} {
		t.Run(name, func(t *testing.T) {
			answer := w.Post(c.path, c.body)
			p := answer.Problem()
			if answer.Status != c.status || p.Code != "invalid" || p.Limit != c.limit {
				t.Fatalf("status %d, code %s, limit %q: %s", answer.Status, p.Code, p.Limit, answer.Body)
			}
			if fields := append(p.Fields(), ""); fields[0] != c.field {
				t.Errorf("fields %v, want %q first", fields, c.field)
			}
		})
	}
}

func TestAllBrokenRulesAreToldAtOnce(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	p := w.Post("/v1/tokenize", `{"scope":"","subject":"","ttl":0,"format":"x","text":"x"}`).Want(422).Problem()
	fields := p.Fields()
	slices.Sort(fields)
	if want := []string{"/format", "/scope", "/subject", "/ttl"}; !slices.Equal(slices.Compact(fields), want) {
		t.Errorf("fields %v, want %v", fields, want)
	}
	spans := "[" + strings.Repeat(`{},`, 99) + "{}]"
	if p = w.Post("/v1/tokenize", `{"scope":"a","text":"x","spans":`+spans+`}`).Want(422).Problem(); len(p.Errors) != httpapi.MaxViolations {
		t.Errorf("%d errors are listed", len(p.Errors))
	}
}

func TestQueriesAndPathsThatAreRefused(t *testing.T) {
	auditor := newWorld(t, httpapi.Limits{}).As("auditor")
	for path, want := range map[string]struct {
		status int
		field  string
	}{
		"/v1/audit/entries?limit=0":                         {422, "query:limit"},
		"/v1/audit/entries?limit=1001":                      {422, "query:limit"},
		"/v1/audit/entries?limit=ten":                       {422, "query:limit"},
		"/v1/audit/entries?limit=1.0":                       {422, "query:limit"},
		"/v1/audit/entries?limit=5&limit=6":                 {422, "query:limit"},
		"/v1/audit/entries?limit=":                          {422, "query:limit"},
		"/v1/audit/entries?order=random":                    {422, "query:order"},
		"/v1/audit/entries?decision=maybe":                  {422, "query:decision"},
		"/v1/audit/entries?cursor=-1":                       {422, "query:cursor"},
		"/v1/audit/entries?cursor=99999999999999999999":     {422, "query:cursor"},
		"/v1/audit/entries?since=yesterday":                 {422, "query:since"},
		"/v1/audit/entries?since=2026-02-30T00:00:00Z":      {422, "query:since"},
		"/v1/audit/entries?until=2026-01-01T00:00:00+01:00": {422, "query:until"},
		"/v1/audit/entries?since=2026-01-01T00:00:60Z":      {422, "query:since"},
		"/v1/audit/entries?reason=because":                  {422, "query:reason"},
		"/v1/audit/entries?subject=x":                       {422, "query"},
		"/v1/audit/entries?request_id=1":                    {422, "query:request_id"},
		"/v1/audit/entries?actor=a%20b":                     {422, "query:actor"},
		"/v1/audit/entries?actor=%zz":                       {400, ""},
		"/v1/audit/entries?actor=a;b":                       {400, ""},
		"/v1/audit/entries/first":                           {422, "path:index"},
		"/v1/audit/entries/-1":                              {422, "path:index"},
		"/v1/audit/entries/9999999999999999999":             {422, "path:index"},
		"/v1/audit/entries?class=secret":                    {422, "query:class"},
		"/v1/audit/entries?end_user=erika":                  {422, "query:end_user"},
		"/v1/audit/entries?scope=chat-1":                    {422, "query"},
		"/v1/audit/entries?count=2":                         {422, "query:count"},
		"/v1/audit/entries/1/proof?size=0":                  {422, "query:size"},
		"/v1/audit/entries/1/proof?at=4":                    {422, "query"},
		"/v1/audit/consistency":                             {422, "query:from"},
		"/v1/audit/consistency?from=0":                      {422, "query:from"},
		"/v1/audit/consistency?from=2&to=1":                 {422, "query:to"},
		"/v1/audit/consistency?from=9007199254740992":       {422, "query:from"},
		"/v1/audit/tile/0":                                  {422, "path:path"},
		"/v1/audit/tile/0/0":                                {422, "path:path"},
		"/v1/audit/tile/6/000":                              {422, "path:path"},
		"/v1/audit/tile/0/x000/000":                         {422, "path:path"},
		"/v1/audit/tile/0/000.p/256":                        {422, "path:path"},
		"/v1/audit/tile/0/000.p/0":                          {422, "path:path"},
		"/v1/audit/tile/data/000":                           {422, "path:path"},
		"/v1/audit/tile/8/0/000":                            {422, "path:path"},
		"/v1/audit/tile/0/x999/x999/x999/x999/999":          {422, "path:path"},
		"/v1/audit/tile/0/000?width=3":                      {422, "query"},
		"/v1/evidence/1":                                    {422, "path:evidence_id"},
		"/v1/evidence?limit=101":                            {422, "query:limit"},
		"/v1/limits?all=true":                               {422, "query"},
	} {
		answer := auditor.Get(path)
		if fields := append(answer.Problem().Fields(), ""); answer.Status != want.status || fields[0] != want.field {
			t.Errorf("%s: %d %v, want %d %q", path, answer.Status, fields, want.status, want.field)
		}
	}
}

func TestTypesThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	body := []byte(`{"scope":"a","text":"x"}`)
	for _, good := range []string{"application/json; charset=utf-8", "Application/JSON;charset=UTF-8"} {
		w.With("Content-Type", good).Post("/v1/tokenize", body).Want(http.StatusOK)
	}
	for _, bad := range []string{"", "text/plain", "application/json; charset=latin1", "application/jsonp", "application/problem+json", "a/b; c"} {
		w.With("Content-Type", bad).Post("/v1/tokenize", body).Want(http.StatusUnsupportedMediaType)
	}
	w.With("Content-Type", "application/json").With("Content-Type", "application/json").Post("/v1/tokenize", body).Want(415)
	w.With("Content-Encoding", "gzip").Post("/v1/tokenize", body).Want(http.StatusUnsupportedMediaType)
}

func TestPathsAndMethodsThatAreNotThere(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	for _, path := range []string{"/", "/v1", "/v1/", "/v1/tokenize/", "/V1/tokenize", "//v1/tokenize", "/v1/audit/entries/1/", "/" + canary} {
		p := w.Get(path).Want(http.StatusNotFound).Problem()
		if p.Code != "not_found" {
			t.Errorf("%s: %+v", path, p)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		answer := w.Send(method, "/v1/tokenize", nil).Want(http.StatusMethodNotAllowed)
		if answer.Header.Get("Allow") != "POST" {
			t.Errorf("%s: Allow %q", method, answer.Header.Get("Allow"))
		}
	}
	if e := w.log.last(t); e["operation"] != "none" {
		t.Errorf("event: %v", e)
	}
	if strings.Contains(w.log.String(), canary) {
		t.Error("a path is in the log")
	}
}

func TestCredentialsThatAreRefused(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	for name, c := range map[string]struct {
		headers   []string
		challenge string
		reason    string
	}{
		"none":         {nil, "Bearer", "missing"},
		"empty":        {[]string{""}, "Bearer", "scheme"},
		"no scheme":    {[]string{"gateway"}, "Bearer", "scheme"},
		"basic":        {[]string{"Basic Z2F0ZXdheTo="}, "Bearer", "scheme"},
		"no token":     {[]string{"Bearer "}, "Bearer", "scheme"},
		"two":          {[]string{"Bearer gateway", "Bearer gateway"}, "Bearer", "repeated"},
		"not accepted": {[]string{"Bearer " + canary}, `Bearer error="invalid_token"`, "refused"},
		"and more":     {[]string{"Bearer gateway,x"}, `Bearer error="invalid_token"`, "refused"},
	} {
		client := w.As("")
		for _, h := range c.headers {
			client = client.With("Authorization", h)
		}
		for _, path := range []string{"/v1/limits", "/v1/audit/entries/1"} {
			answer := client.Get(path).Want(http.StatusUnauthorized)
			if got := answer.Header.Get("WWW-Authenticate"); got != c.challenge {
				t.Errorf("%s: challenge %q, want %q", name, got, c.challenge)
			}
		}
		if !strings.Contains(w.metrics(t), fmt.Sprintf("counterfoil_unauthenticated_total{reason=%q}", c.reason)) {
			t.Errorf("%s: not counted as %s", name, c.reason)
		}
	}
	for _, scheme := range []string{"Bearer", "bearer", "BEARER"} {
		w.As("").With("Authorization", scheme+" gateway").Get("/v1/limits").Want(http.StatusOK)
	}
	if strings.Contains(w.log.String(), canary) {
		t.Error("a credential is in the log")
	}
}

// What the authentication cannot decide is not the caller's fault.
func TestAuthenticationThatFails(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	w.authenticateBy(func(context.Context, string) (vault.Caller, error) {
		return vault.Caller{}, vault.Errorf(vault.CodeUnavailable, "keys of the issuer")
	})
	w.Get("/v1/limits").Want(http.StatusServiceUnavailable)
	w.authenticateBy(func(context.Context, string) (vault.Caller, error) {
		return vault.Caller{}, fmt.Errorf("parse %s", canary)
	})
	answer := w.Get("/v1/limits").Want(http.StatusInternalServerError)
	if strings.Contains(string(answer.Body)+w.log.String(), canary) {
		t.Error("the text of an error got out")
	}
	w.authenticateBy(func(context.Context, string) (vault.Caller, error) {
		return vault.Caller{}, fmt.Errorf("x: %w", authn.ErrUnauthenticated)
	})
	w.Get("/v1/limits").Want(http.StatusUnauthorized)
}

func TestTheEndUserOfTheHeader(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	body := func(scope string) m { return m{"scope": scope, "text": prompt} }
	const header = "Counterfoil-End-User"
	for name, c := range map[string]struct {
		bearer string
		values []string
		status int
	}{
		"a gateway names one":         {"gateway", []string{"erika"}, 200},
		"the credential's own":        {"onbehalf", []string{"erika"}, 200},
		"another than the credential": {"onbehalf", []string{"max"}, 403},
		"a caller that may not":       {"auditor", []string{"erika"}, 403},
		"twice":                       {"gateway", []string{"erika", "erika"}, 422},
		"empty":                       {"gateway", []string{""}, 422},
		"long":                        {"gateway", []string{strings.Repeat("e", 257)}, 422},
		"control character":           {"gateway", []string{"erika\u0085"}, 422},
		"no UTF-8":                    {"gateway", []string{"erika\xff"}, 422},
		"not ASCII":                   {"gateway", []string{"Erika Mústermann"}, 200},
	} {
		client := w.As(c.bearer)
		for _, v := range c.values {
			client = client.With(header, v)
		}
		if got := client.Post("/v1/tokenize", body("chat-"+name)).Status; got != c.status {
			t.Errorf("%s: %d, want %d", name, got, c.status)
		}
	}
	// Who is named decides: the scope is bound to erika.
	w.With(header, "erika").Post("/v1/tokenize", body("bound")).Want(200)
	w.With(header, "max").Post("/v1/tokenize", body("bound")).Want(404)

	// Refusals of the header by known callers are in the log.
	var p page
	w.As("auditor").Get("/v1/audit/entries?kind=request_refused").Want(200).Decode(&p)
	if len(p.Entries) < 2 {
		t.Errorf("%d refusals are recorded", len(p.Entries))
	}
	if strings.Contains(w.log.String(), "erika") || strings.Contains(w.log.String(), "Mústermann") {
		t.Error("an end user is in the log")
	}
}

// Invariant 10: a restoration that was refused before the domain saw it is
// recorded, if it could be read at all.
func TestInvariant10_RefusedRestorationsAreRecorded(t *testing.T) {
	recorded := func(w *world) int {
		var p page
		w.As("auditor").Get("/v1/audit/entries?actor=gw-1").Want(200).Decode(&p)
		n := 0
		for _, e := range p.Entries {
			var entry struct{ Code, Kind string }
			if err := json.Unmarshal(e.Entry, &entry); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(entry.Code, "invalid") {
				n++
			}
		}
		return n
	}
	for name, c := range map[string]struct {
		path, body string
		status     int
		want       int
	}{
		"no reason":             {"/v1/detokenize", `{"scope":"a","text":"x"}`, 422, 1},
		"a reason without code": {"/v1/detokenize", `{"scope":"a","reason":{},"text":"x"}`, 422, 1},
		"an unknown field":      {"/v1/detokenize", `{"scope":"a","reason":{"code":"LLM_RESPONSE"},"text":"x","x":1}`, 422, 1},
		"too large":             {"/v1/detokenize", `{"scope":"` + strings.Repeat("a", httpapi.MaxBodyBytes) + `"}`, 413, 1},
		"no JSON":               {"/v1/detokenize", `{`, 400, 0},
		"asked for no reason":   {"/v1/restorations", `{"scope":"a","text":"x"}`, 422, 1},
		"asked with a note":     {"/v1/restorations", `{"scope":"a","reason":{"code":"LLM_RESPONSE"},"text":"x","note":"x"}`, 422, 1},
		"redeemed for less":     {"/v1/restorations/" + nobodys + "/redeem", `{"scope":"a","reason":{"code":"LLM_RESPONSE"},"tokens":[]}`, 422, 1},
		"a tokenize request":    {"/v1/tokenize", `{"scope":"a","text":"x","x":1}`, 422, 0},
	} {
		w := newWorld(t, httpapi.Limits{})
		w.Post(c.path, c.body).Want(c.status)
		if got := recorded(w); got != c.want {
			t.Errorf("%s: %d entries, want %d", name, got, c.want)
		}
	}
}

func TestTheDomainRefuses(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	w.As("auditor").Post("/v1/tokenize", m{"scope": "a", "text": prompt}).Want(http.StatusForbidden)
	w.Get("/v1/audit/entries").Want(http.StatusForbidden)
	w.As("nobody").Get("/v1/policy").Want(http.StatusForbidden)
	w.As("stranger").Post("/v1/tokenize", m{"scope": "a", "text": prompt}).Want(http.StatusForbidden)
	w.Post("/v1/detokenize", m{"scope": "a", "text": "x", "reason": m{"code": "NO_SUCH_REASON"}}).Want(422)
	p := w.Post("/v1/tokenize", m{"scope": "a", "text": "key -----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA0Z3VS5JJcds3xfnygWyF0ePqKhcsCkmJsqKJ8pVnDk5Zx0R3\n-----END RSA PRIVATE KEY-----"}).Want(422).Problem()
	if p.Code != "invalid" || strings.Contains(fmt.Sprint(p), "MIIE") {
		t.Errorf("blocked: %+v", p)
	}
}
