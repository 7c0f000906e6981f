package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/counterfoil/counterfoil/internal/webhook"
)

// people are the callers of a script, each with a credential of a real issuer.
// Two that have an employee number in common are one person with two accounts.
var people = map[string]object{
	"gateway":      {"roles": []string{"gateway"}, "sub": "svc-chat", "azp": "gw-1"},
	"noisy":        {"roles": []string{"gateway"}, "sub": "svc-noise", "azp": "gw-2"},
	"initech":      {"roles": []string{"gateway"}, "sub": "svc-chat", "azp": "gw-1", "tenant": "initech"},
	"rita":         {"roles": []string{"restorer"}, "sub": "rita", "employee": "E-1"},
	"rita-both":    {"roles": []string{"restorer", "approver"}, "sub": "rita", "employee": "E-1"},
	"rita-alias":   {"roles": []string{"approver"}, "sub": "adm-rita", "employee": "E-1"},
	"rob":          {"roles": []string{"restorer"}, "sub": "rob"},
	"nina":         {"roles": []string{"restorer"}, "sub": "nina", "on_call": "true", "amr": []string{"pwd", "mfa"}},
	"nina-no-mfa":  {"roles": []string{"restorer"}, "sub": "nina", "on_call": "true", "amr": []string{"pwd"}},
	"nina-auditor": {"roles": []string{"restorer", "auditor"}, "sub": "nina"},
	"anna":         {"roles": []string{"approver"}, "sub": "anna"},
	"arno":         {"roles": []string{"approver"}, "sub": "arno"},
	"pia":          {"roles": []string{"privacy_officer"}, "sub": "pia"},
	"paul":         {"roles": []string{"privacy_officer"}, "sub": "paul"},
	"lena":         {"roles": []string{"legal"}, "sub": "lena"},
	"leo":          {"roles": []string{"legal"}, "sub": "leo"},
	"ada":          {"roles": []string{"auditor"}, "sub": "ada"},
	"otto":         {"roles": []string{"operator"}, "sub": "otto"},
	"olga":         {"roles": []string{"operator"}, "sub": "olga"},
	"ivan":         {"roles": []string{"operator"}, "sub": "ivan", "tenant": "initech"},
	"inga":         {"roles": []string{"operator"}, "sub": "inga", "tenant": "initech"},
	"both":         {"roles": []string{"operator", "auditor"}, "sub": "bert"},
}

// office makes what the script begins with: the folder of a configured service that
// is not started yet, the credentials of people, and somebody who is told.
func office(t testing.TB, env *testscript.Env) error {
	told := newReceiver(t, filepath.Join(env.WorkDir, "told.out"))
	s := newSite(t,
		"role_map: {llm-gateway: gateway, audit: auditor}", "role_map: {gateway: gateway, restorer: restorer, approver: approver, privacy_officer: privacy_officer, legal: legal, auditor: auditor, operator: operator}",
		"client_claim: azp", "client_claim: azp\n    person_claim: employee",
		"tls: {cert: tls.crt, key: tls.key}", `tls: {cert: tls.crt, key: tls.key}
policy: {path: policy.tar.gz, administered_by: acme}
# A person makes a few requests a minute, and who is in a loop stands out.
rates: {caller: {per_second: 1, burst: 60}, tenant: {per_second: 500, burst: 2000}}
webhooks:
  allow_hosts: ["`+told.host+`"]
  ca: told.pem
  endpoints:
    - {name: on-call, url: "`+told.URL+`", secret_file: told.secret, kinds: [review_open, approval_request, approval_decide, suspend, incident_open, policy_change], tenants: [acme, _system], internal: true}
`)
	s.write("told.pem", armour("CERTIFICATE", told.Certificate().Raw))
	s.write("told.secret", []byte(told.secret+"\n"))
	for name, claims := range people {
		s.write(name+".jwt", []byte(s.issuer.credentialWith("acme", "", claims)))
	}
	var out, stderr bytes.Buffer
	bundle := filepath.Join(s.dir, "policy.tar.gz")
	if code := run(context.Background(), []string{"policy", "pack", "-o", bundle}, &out, &stderr); code != exitOK {
		return fmt.Errorf("policy pack: %d: %s", code, stderr.String())
	}
	s.ready().must("tenant", "create", "--tenant", "initech")
	env.Setenv("CURL_CA_BUNDLE", filepath.Join(s.dir, "clients.pem"))
	return os.Symlink(s.dir, filepath.Join(env.WorkDir, "site"))
}

// receiver is an endpoint of webhooks. It writes down what it believes, a line
// each, and what it does not.
type receiver struct {
	*httptest.Server
	host, secret string
}

func newReceiver(t testing.TB, file string) *receiver {
	secret := bytes.Repeat([]byte{7}, webhook.MinSecretBytes)
	r := &receiver{secret: "whsec_" + base64.StdEncoding.EncodeToString(secret)}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err == nil {
			err = webhook.Verify(request.Header, body, secret, time.Now())
		}
		if err != nil {
			_, _ = fmt.Fprintf(out, "NOT BELIEVED %v\n", err)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		// One write a line, so that two at once do not mix.
		_, _ = fmt.Fprintf(out, "TOLD %s\n", body)
	}))
	t.Cleanup(func() {
		r.Close()
		_ = out.Close()
	})
	address, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	r.host = address.Host
	return r
}
