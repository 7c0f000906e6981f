package config_test

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/webhook"
)

// loadBeside loads a configuration beside further files.
func loadBeside(t *testing.T, text string, files map[string]string) (*config.Serve, error) {
	t.Helper()
	path := folder(t, text)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return config.Load(path, noEnvironment, most)
}

// wantFaults compares all that was told, and looks for values in it.
func wantFaults(t *testing.T, name string, err error, want string) {
	t.Helper()
	var faults config.Faults
	if !errors.As(err, &faults) {
		t.Errorf("%s: error %v", name, err)
		return
	}
	var got []string
	for _, fault := range faults {
		got = append(got, fault.String())
	}
	if strings.Join(got, "\n") != want || strings.Contains(err.Error(), "canary") {
		t.Errorf("%s:\n%s\nwant:\n%s", name, strings.Join(got, "\n"), want)
	}
}

func TestIssuersOfOneTenant(t *testing.T) {
	shared := strings.Replace(good, "tenants: [globex]", "tenants: [globex, acme]", 1)
	_, err := config.Load(folder(t, shared), noEnvironment, most)
	wantFaults(t, "without a namespace", err, "issuers[1].namespace: must differ between issuers of one tenant: their subjects are different ones")
	s, err := config.Load(folder(t, strings.Replace(shared, "    tenants: [globex, acme]", "    namespace: staff\n    person_claim: email\n    tenants: [globex, acme]", 1)), noEnvironment, most)
	if err != nil {
		t.Fatal(err)
	}
	if b := s.Trusted()[1]; b.Namespace != "staff" || b.PersonClaim != "email" {
		t.Errorf("%+v", b)
	}
	_, err = config.Load(folder(t, strings.Replace(good, "client_claim: azp", "client_claim: azp\n    person_claim: tenant\n    namespace: Staff", 1)), noEnvironment, most)
	wantFaults(t, "both wrong", err, "issuers[0].namespace: must match ^[a-z0-9][a-z0-9_-]{0,31}$\n"+
		"issuers[0].person_claim: must differ from the other claims: who assigns the one would assign the other")
}

const rated = good + "rates: {caller: {per_second: 0.5, burst: 10}, tenant: {per_second: 500, burst: 1000}}\n"

func TestRates(t *testing.T) {
	if s, err := config.Load(folder(t, good), noEnvironment, most); err != nil || s.Rates != nil {
		t.Errorf("without the section: %v", err)
	}
	s, err := config.Load(folder(t, rated), noEnvironment, most)
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Rates.Caller.Config(); c.PerSecond != 0.5 || c.Burst != 10 || s.Rates.Tenant.Config().Burst != 1000 {
		t.Errorf("%+v", s.Rates)
	}
	one := strings.Replace(rated, ", tenant: {per_second: 500, burst: 1000}", "", 1)
	if s, err := config.Load(folder(t, one), noEnvironment, most); err != nil || s.Rates.Tenant != nil {
		t.Errorf("one of them: %v", err)
	}
	for name, tt := range map[string]struct{ old, new, faults string }{
		"nothing in it":   {"{caller: {per_second: 0.5, burst: 10}, tenant: {per_second: 500, burst: 1000}}", "{}", "rates: must have caller, tenant or both"},
		"no rate":         {"per_second: 0.5, ", "", "rates.caller.per_second: must be over 0 and up to 1000000"},
		"no burst":        {", burst: 1000", "", "rates.tenant.burst: must be at least 1, and no more than come back within a day"},
		"nobody may call": {"0.5", "0", "rates.caller.per_second: must be over 0 and up to 1000000"},
		"no number":       {"0.5", ".nan", "rates.caller.per_second: must be over 0 and up to 1000000"},
		"in words":        {"0.5", "canary", "rates.caller.per_second: must be a number"},
		"half a request":  {"burst: 10}", "burst: 1.5}", "rates.caller.burst: must be a whole number"},
		"a slow burst":    {"burst: 10}", "burst: 43201}", "rates.caller.burst: must be at least 1, and no more than come back within a day"},
		"another rate":    {"tenant:", "client:", "rates.client: is no setting"},
	} {
		_, err := config.Load(folder(t, strings.Replace(rated, tt.old, tt.new, 1)), noEnvironment, most)
		wantFaults(t, name, err, tt.faults)
	}
}

func TestPolicy(t *testing.T) {
	_, key, err := note.GenerateKey(nil, "policy.example")
	if err != nil {
		t.Fatal(err)
	}
	text := good + "policy: {path: bundle.tar, key: '" + key + "', administered_by: globex}\n"
	files := map[string]string{"bundle.tar": "not looked into here"}
	s, err := loadBeside(t, text, files)
	if err != nil {
		t.Fatal(err)
	}
	if p := s.Policy; !filepath.IsAbs(p.Path) || p.Key != key || p.AdministeredBy != "globex" {
		t.Errorf("%+v", p)
	}
	for _, fine := range []string{"{path: .}", "{administered_by: acme}", "{key: '" + key + "'}"} {
		if _, err := loadBeside(t, good+"policy: "+fine+"\n", nil); err != nil {
			t.Errorf("%s: %v", fine, err)
		}
	}
	for name, tt := range map[string]struct{ old, new, faults string }{
		"no such bundle":       {"bundle.tar", "canary.tar", "policy.path: must be a folder or a file that can be read"},
		"a device":             {"bundle.tar", "/dev/null", "policy.path: must be a folder or a file that can be read"},
		"no key":               {key, "canary", "policy.key: must be the verifier key of a signed note: name+hash+key"},
		"a key that is cut":    {key, key[:len(key)-4], "policy.key: must be the verifier key of a signed note: name+hash+key"},
		"a tenant of nobody":   {"globex}", "umbrella}", "policy.administered_by: must be a tenant that an issuer speaks for"},
		"the service's tenant": {"globex}", "_system}", "policy.administered_by: must be a tenant that an issuer speaks for"},
		"another setting":      {"{path: bundle", "{dir: bundle", "policy.dir: is no setting"},
		"left empty":           {"path: bundle.tar", "path: ", "policy.path: must not be left empty"},
	} {
		_, err := loadBeside(t, strings.Replace(text, tt.old, tt.new, 1), files)
		wantFaults(t, name, err, tt.faults)
	}
}

const notified = good + `webhooks:
  allow_hosts: [hooks.example.com, "10.0.0.9:8443"]
  ca: ca.pem
  endpoints:
    - {name: pager, url: "https://hooks.example.com/x?key=canary", secret_file: pager.secret, tenants: [acme, globex, _system]}
    - {name: siem, url: "https://10.0.0.9:8443/in", secret_file: siem.secret, kinds: [restore, review_open], tenants: [acme], internal: true}
`

func secretText(letter string, n int) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, n)))
}

func TestWebhooks(t *testing.T) {
	files := map[string]string{
		"pager.secret": secretText("a", 32) + "\n",
		"siem.secret":  "# until March\n" + secretText("b", 24) + "\n\n  " + secretText("c", 64) + "  \n",
	}
	if s, err := loadBeside(t, good, nil); err != nil || len(s.Webhooks.Config().Endpoints) != 0 {
		t.Errorf("without the section: %v", err)
	}
	s, err := loadBeside(t, notified, files)
	if err != nil {
		t.Fatal(err)
	}
	got := s.Webhooks.Config()
	want := []webhook.Endpoint{
		{
			Name: "pager", URL: "https://hooks.example.com/x?key=canary", Secrets: [][]byte{[]byte(strings.Repeat("a", 32))},
			Tenants: []string{"acme", "globex", "_system"},
		},
		{
			Name: "siem", URL: "https://10.0.0.9:8443/in", Kinds: []string{"restore", "review_open"}, Tenants: []string{"acme"}, Internal: true,
			Secrets: [][]byte{[]byte(strings.Repeat("b", 24)), []byte(strings.Repeat("c", 64))},
		},
	}
	if diff := cmp.Diff(want, got.Endpoints); diff != "" || got.Roots == nil || got.Development {
		t.Errorf("development %v, endpoints (-want +got):\n%s", got.Development, diff)
	}
	if _, err := webhook.New(got); err != nil {
		t.Errorf("what was loaded is refused: %v", err)
	}
	plain := strings.NewReplacer("staging", "development", "https://10.0.0.9:8443", "http://127.0.0.1:8443", "10.0.0.9", "127.0.0.1").Replace(notified)
	if _, err := loadBeside(t, plain, files); err != nil {
		t.Errorf("http to this machine in development: %v", err)
	}
	const url0, secret0 = "webhooks.endpoints[0].url: ", "webhooks.endpoints[0].secret_file: "
	for name, tt := range map[string]struct {
		old, new, secret, faults string
	}{
		"nobody":                    {notified[strings.Index(notified, "  endpoints:"):], "", "", "webhooks.endpoints: is required"},
		"plain HTTP":                {"https://hooks", "http://hooks", "", url0 + "must be https, or http to a loopback address in the development mode"},
		"plain HTTP to itself":      {"\"https://hooks.example.com/x", "\"http://127.0.0.1/x", "", url0 + "must be https, or http to a loopback address in the development mode"},
		"a host not in the list":    {"https://hooks", "https://canary", "", url0 + "must have a host that is in allow_hosts"},
		"any host":                  {"hooks.example.com, ", "'*', ", "", "webhooks.allow_hosts[0]: must be a host in lower case, or host:port, without a wildcard\n" + url0 + "must have a host that is in allow_hosts"},
		"a name twice":              {"name: siem", "name: pager", "", "webhooks.endpoints[1].name: is given twice"},
		"a kind that is none":       {"restore,", "restored,", "", "webhooks.endpoints[1].kinds[0]: must be a kind of entry"},
		"a tenant of nobody":        {"globex, _system", "umbrella, _system", "", "webhooks.endpoints[0].tenants[1]: must be a tenant that an issuer speaks for, or _system"},
		"no tenant":                 {", tenants: [acme, globex, _system]", "", "", "webhooks.endpoints[0].tenants: is required"},
		"a CA that is none":         {"  ca: ca.pem\n  end", "  ca: ec.pem\n  end", "", "webhooks.ca: must hold certificates as PEM"},
		"no secret file":            {"secret_file: pager.secret, ", "", "", secret0 + "is required"},
		"the secret in clear":       {"secret_file: pager.secret", "secret: canary", "", "webhooks.endpoints[0].secret: is no setting\n" + secret0 + "is required"},
		"an empty secret file":      {"", "", "# none\n", secret0 + "must hold from 1 to 3 secrets, one in a line"},
		"four secrets":              {"", "", strings.Repeat(secretText("a", 32)+"\n", 4), secret0 + "must hold from 1 to 3 secrets, one in a line"},
		"a secret without whsec_":   {"", "", "\n" + strings.TrimPrefix(secretText("a", 32), "whsec_"), secret0 + "has no secret in line 2: it must be whsec_ and the base64 of 24 to 64 bytes"},
		"a secret that is a text":   {"", "", "canary", secret0 + "has no secret in line 1: it must be whsec_ and the base64 of 24 to 64 bytes"},
		"a secret that is short":    {"", "", secretText("a", 23), secret0 + "has no secret in line 1: it must be whsec_ and the base64 of 24 to 64 bytes"},
		"two secrets in one line":   {"", "", secretText("a", 24) + " " + secretText("b", 24), secret0 + "has no secret in line 1: it must be whsec_ and the base64 of 24 to 64 bytes"},
		"a secret that is too long": {"", "", strings.Repeat("c", 1<<17), secret0 + "must hold from 1 to 3 secrets, one in a line"},
	} {
		changed, text := map[string]string{"pager.secret": files["pager.secret"], "siem.secret": files["siem.secret"]}, notified
		if tt.secret != "" {
			changed["pager.secret"] = tt.secret
		} else if text = strings.Replace(notified, tt.old, tt.new, 1); text == notified {
			t.Errorf("%s: nothing changed", name)
		}
		_, err := loadBeside(t, text, changed)
		wantFaults(t, name, err, tt.faults)
	}
	if _, err := loadBeside(t, notified, map[string]string{"pager.secret": files["pager.secret"]}); err == nil ||
		!strings.Contains(err.Error(), "webhooks.endpoints[1].secret_file: cannot be read") {
		t.Errorf("no file: %v", err)
	}
}
