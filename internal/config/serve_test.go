package config_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/config"
)

const good = `
listen: 127.0.0.1:8443
environment: staging
replica: vault-1
log_prefix: vault.example/log
data: data
anchors: /somewhere/anchors
store: {sqlite: {path: data/counterfoil.db}}
keys: {local: {file: secret/local.key}}
finality: {key_epoch: 7d, backup_horizon: 480h, key_backup_retention: 3d}
issuers:
  - issuer: https://a.example
    audience: counterfoil
    algorithms: [ES256]
    jwks:
      url: https://a.example/jwks
      ca: ca.pem
    tenant_claim: tenant
    roles_claim: roles
    role_map: {Gateways: gateway}
    client_claim: azp
    tenants: [acme]
  - issuer: https://b.example
    audience: counterfoil
    algorithms: [ES256, EdDSA]
    keys:
      - {kid: k1, file: ec.pem}
      - {kid: k2, file: ed.pem}
    tenant_claim: tenant
    roles_claim: roles
    tenants: [globex]
tls:
  cert: tls.crt
  key: tls.key
  client_ca: clients.crt
  min_version: "1.3"
limits:
  body_bytes: 1000
  request_seconds: 10
`

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func ptr[T any](value T) *T { return &value }

// most are the limits that the interface is said to have.
var most = config.Limits{BodyBytes: ptr[int64](1000), BodyBytesInFlight: ptr[int64](5000), RequestsInFlight: ptr[int64](10), RequestSeconds: ptr[int64](30)}

// folder writes the files that a configuration names, and the configuration.
func folder(t *testing.T, text string) (path string) {
	t.Helper()
	dir := t.TempDir()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ec := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	armour := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	public256 := armour("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(&ec.PublicKey)))
	for name, content := range map[string]string{
		"counterfoil.yaml": text,
		"ec.pem":           public256 + "\n",
		"ed.pem":           armour("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(public))),
		"two.pem":          public256 + public256,
		"private.pem":      armour("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(private))),
		"broken.pem":       armour("PUBLIC KEY", []byte("secret-canary")),
		"huge.pem":         strings.Repeat("\n", config.MaxFileBytes+1),
		"ca.pem":           armour("CERTIFICATE", must(x509.CreateCertificate(rand.Reader, ca, ca, &ec.PublicKey, ec))),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "counterfoil.yaml")
}

func noEnvironment(string) string { return "" }

func TestLoad(t *testing.T) {
	path := folder(t, good)
	s, err := config.Load(path, noEnvironment, most)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	want := config.Files{
		Database: filepath.Join(dir, "data/counterfoil.db"), KeyFile: filepath.Join(dir, "secret/local.key"),
		Anchors: "/somewhere/anchors", LogKeys: filepath.Join(dir, "data/log-keys"), Evidence: filepath.Join(dir, "data/evidence"),
	}
	if diff := cmp.Diff(want, s.Files()); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if s.Listen != "127.0.0.1:8443" || s.Environment != "staging" || s.Replica != "vault-1" || s.LogPrefix != "vault.example/log" {
		t.Errorf("names: %+v", s)
	}
	if !s.Encrypted() || s.TLS.Cert != filepath.Join(dir, "tls.crt") || *s.Limits.BodyBytes != 1000 || s.Limits.RequestsInFlight != nil {
		t.Errorf("TLS %+v, limits %+v", s.TLS, s.Limits)
	}
	trusted := s.Trusted()
	if len(trusted) != 2 || trusted[0].JWKS.Roots == nil || trusted[0].RoleMap["Gateways"] != "gateway" || trusted[0].ClientClaim != "azp" ||
		len(trusted[1].Keys) != 2 || trusted[1].Keys[1].ID != "k2" || trusted[1].RoleMap != nil {
		t.Errorf("issuers: %+v", trusted)
	}
	if faults := authn.Check(trusted); len(faults) > 0 {
		t.Errorf("what was loaded is refused: %v", faults)
	}
	if advice := s.Advice(); len(advice) != 0 {
		t.Errorf("advice: %q", advice)
	}
}

// A service on PostgreSQL and transit has the files of neither SQLite nor a
// local key, and every path of it is made absolute.
func TestLoadProduction(t *testing.T) {
	text := strings.Replace(good, "store: {sqlite: {path: data/counterfoil.db}}\nkeys: {local: {file: secret/local.key}}", `
store:
  postgres: {app_dsn_file: app.dsn, destroy_dsn_file: /run/destroy.dsn, owner_dsn_file: owner.dsn, pgbouncer: true, max_conns: 8}
keys:
  transit:
    address: http://127.0.0.1:8200
    serving: {approle: {role_id_file: role, secret_id_file: secret}}
    administration: {token_file: token}`, 1)
	path := folder(t, text)
	s, err := config.Load(path, noEnvironment, most)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	p, keys := s.Store.Postgres, s.Keys.Transit
	got := []string{p.App, p.Destroy, p.Audit, p.Owner, keys.CA, keys.Serving.AppRole.RoleID, keys.Serving.AppRole.SecretID, keys.Administration.TokenFile}
	want := []string{
		filepath.Join(dir, "app.dsn"), "/run/destroy.dsn", "", filepath.Join(dir, "owner.dsn"), "",
		filepath.Join(dir, "role"), filepath.Join(dir, "secret"), filepath.Join(dir, "token"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !p.Pooled || p.MaxConns != 8 || s.Files().Database != "" || s.Files().KeyFile != "" {
		t.Errorf("postgres %+v, files %+v", p, s.Files())
	}
	// Who can drop tables and retire keys should not be where the service is.
	if advice := s.Advice(); len(advice) != 2 {
		t.Errorf("advice: %q", advice)
	}
}

func TestReadSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dsn")
	if err := os.WriteFile(path, []byte("postgres://app@db/vault\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := config.ReadSecret(path); err != nil || got != "postgres://app@db/vault" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := config.ReadSecret(path + "x"); err == nil {
		t.Error("a file that is not there was read")
	}
}

// Each change of the good configuration and the faults that must be told, all
// of them and no others.
var changes = map[string]struct {
	old, new string
	faults   string
}{
	"no listen":               {"listen: 127.0.0.1:8443\n", "", "listen: is required"},
	"listen without a port":   {"127.0.0.1:8443", "127.0.0.1", "listen: must be host:port"},
	"listen on a huge port":   {"127.0.0.1:8443", "127.0.0.1:70000", "listen: must have a port from 0 to 65535"},
	"no environment":          {"environment: staging\n", "", "environment: must be one of development, staging, production"},
	"another environment":     {"staging", "prod", "environment: must be one of development, staging, production"},
	"replica with a blank":    {"vault-1", "vault 1", "replica: must be letters, digits or any of -._~:/@|+=%#,*"},
	"no log_prefix":           {"log_prefix: vault.example/log\n", "", "log_prefix: is required"},
	"log_prefix with a blank": {"vault.example/log", "my vault", "log_prefix: must be letters, digits or any of -._~:/, and not too long"},
	"no data":                 {"data: data\n", "", "data: is required"},
	"no anchors":              {"anchors: /somewhere/anchors\n", "", "anchors: is required"},
	"no store":                {"store: {sqlite: {path: data/counterfoil.db}}\n", "", "store: must have exactly one of sqlite and postgres"},
	"a store of no kind":      {"{sqlite: {path: data/counterfoil.db}}", "{}", "store: must have exactly one of sqlite and postgres"},
	"no path":                 {"{path: data/counterfoil.db}", "{}", "store.sqlite.path: is required"},
	"no keys":                 {"keys: {local: {file: secret/local.key}}\n", "", "keys: must have exactly one of local and transit"},
	"no issuers":              {good[strings.Index(good, "issuers:"):strings.Index(good, "tls:")], "", "issuers: is required"},
	"no issuer":               {"issuer: https://a.example\n    audience", "audience", "issuers[0].issuer: is required"},
	"an issuer twice":         {"https://b.example", "https://a.example", "issuers[1].issuer: is given twice"},
	"no audience":             {"    audience: counterfoil\n    algorithms: [ES256]\n", "    algorithms: [ES256]\n", "issuers[0].audience: is required"},
	"no algorithms":           {"    algorithms: [ES256]\n", "", "issuers[0].algorithms: is required"},
	"algorithms empty":        {"algorithms: [ES256]\n", "algorithms: []\n", "issuers[0].algorithms: is required"},
	"algorithm HS256":         {"[ES256]\n", "[ES256, HS256]\n", "issuers[0].algorithms[1]: must be one of ES256, ES384, RS256, PS256, EdDSA"},
	"algorithm none":          {"[ES256]\n", "[none]\n", "issuers[0].algorithms[0]: must be one of ES256, ES384, RS256, PS256, EdDSA"},
	"no keys of an issuer":    {"    keys:\n      - {kid: k1, file: ec.pem}\n      - {kid: k2, file: ed.pem}\n", "", "issuers[1]: must have jwks or keys"},
	"jwks and keys":           {"    keys:\n", "    jwks: {url: https://b.example}\n    keys:\n", "issuers[1]: must have jwks or keys, not both"},
	"jwks over http":          {"https://a.example/jwks", "http://a.example/jwks", "issuers[0].jwks.url: must be https, or http to a loopback address"},
	"jwks without a url":      {"      url: https://a.example/jwks\n", "", "issuers[0].jwks.url: must be a URL with a host"},
	"jwks, a CA of text":      {"ca: ca.pem", "ca: ec.pem", "issuers[0].jwks.ca: must hold certificates as PEM"},
	"no kid":                  {"{kid: k1, file: ec.pem}", "{file: ec.pem}", "issuers[1].keys[0].kid: is missing, not printable or given twice"},
	"a kid twice":             {"kid: k2", "kid: k1", "issuers[1].keys[1].kid: is missing, not printable or given twice"},
	"no key file":             {"{kid: k1, file: ec.pem}", "{kid: k1}", "issuers[1].keys[0].file: is required"},
	"a private key":           {"ec.pem", "private.pem", "issuers[1].keys[0].file: must hold one PEM block, a PUBLIC KEY"},
	"two keys in a file":      {"ec.pem", "two.pem", "issuers[1].keys[0].file: must hold one PEM block, a PUBLIC KEY"},
	"no key in the file":      {"ec.pem", "broken.pem", "issuers[1].keys[0].file: holds no public key of a known kind"},
	"a key file too large":    {"ec.pem", "huge.pem", "issuers[1].keys[0].file: is larger than 1048576 bytes"},
	"a key that fits nothing": {"[ES256, EdDSA]", "[ES256]", "issuers[1].keys[1]: fits none of the algorithms"},
	"no tenant_claim":         {"    tenant_claim: tenant\n    roles_claim: roles\n    role_map", "    roles_claim: roles\n    role_map", "issuers[0].tenant_claim: is required"},
	"no roles_claim":          {"    roles_claim: roles\n    role_map", "    role_map", "issuers[0].roles_claim: is required"},
	"one claim for both":      {"roles_claim: roles\n    role_map", "roles_claim: tenant\n    role_map", "issuers[0].roles_claim: must differ from the other claims: who assigns the one would assign the other"},
	"a registered claim":      {"tenant_claim: tenant\n    roles_claim: roles\n    role_map", "tenant_claim: sub\n    roles_claim: roles\n    role_map", "issuers[0].tenant_claim: must not be a claim that is registered for something else"},
	"a role that is none":     {"gateway}", "Gateway!}", "issuers[0].role_map: must map what is printable to roles that match ^[a-z][a-z0-9_-]{0,62}$"},
	"role_map left empty":     {"role_map: {Gateways: gateway}", "role_map:", "issuers[0].role_map: must not be left empty"},
	"a role left empty":       {"{Gateways: gateway}", "{Gateways: }", "issuers[0].role_map: must not be left empty"},
	"no tenants":              {"    tenants: [acme]\n", "", "issuers[0].tenants: is required"},
	"tenant _system":          {"[acme]", "[acme, _system]", "issuers[0].tenants[1]: must match ^[a-z0-9][a-z0-9_-]{0,62}$"},
	"every tenant":            {"[acme]", `["*"]`, "issuers[0].tenants[0]: must match ^[a-z0-9][a-z0-9_-]{0,62}$"},
	"tenants no list":         {"[acme]", "acme", "issuers[0].tenants: must be a list"},
	"no certificate":          {"  cert: tls.crt\n", "", "tls.cert: is required"},
	"no key of it":            {"  key: tls.key\n", "", "tls.key: is required"},
	"TLS 1.2":                 {`"1.3"`, `"1.2"`, `tls.min_version: must be "1.3"`},
	"upstream and a cert":     {"tls:\n", "tls:\n  terminated_upstream: true\n", "tls.terminated_upstream: cannot be true beside cert, key or client_ca"},
	"upstream no truth":       {"tls:\n", "tls:\n  terminated_upstream: probably\n", "tls.terminated_upstream: must be true or false"},
	"a limit raised":          {"body_bytes: 1000", "body_bytes: 1001", "limits.body_bytes: must be from 1 to 1000"},
	"a limit of nothing":      {"request_seconds: 10", "request_seconds: 0", "limits.request_seconds: must be from 1 to 30"},
	"a limit below nothing":   {"request_seconds: 10", "request_seconds: -1", "limits.request_seconds: must be from 1 to 30"},
	"a limit in words":        {"request_seconds: 10", "request_seconds: secret-canary", "limits.request_seconds: must be a whole number"},
	"half a limit":            {"body_bytes: 1000", "body_bytes: 999.5", "limits.body_bytes: must be a whole number"},
	"another limit":           {"body_bytes: 1000", "text_bytes: 1000", "limits.text_bytes: is no setting"},
	"an unknown setting":      {"listen:", "lisen: x\nlisten:", "lisen: is no setting"},
	"a setting misspelt":      {"audience: counterfoil\n    algorithms: [ES256]\n", "audiance: counterfoil\n    algorithms: [ES256]\n", "issuers[0].audiance: is no setting\nissuers[0].audience: is required"},
	"a setting in capitals":   {"listen:", "Listen: x\nlisten:", "Listen: is no setting"},
	"a setting twice":         {"listen:", "listen: 0.0.0.0:80\nlisten:", "listen: is given twice"},
	"a setting left empty":    {"client_ca: clients.crt", "client_ca:", "tls.client_ca: must not be left empty"},
	"a role twice":            {"{Gateways: gateway}", "{Gateways: gateway, Gateways: operator}", "issuers[0].role_map: has a name twice"},
	"an alias":                {"tenants: [globex]", "tenants: *x\n", ""},
	"an anchor":               {"tenants: [globex]", "tenants: &x [globex]", "issuers[1].tenants: must be written out: anchors and aliases are not read"},
	"merged settings":         {"listen:", "<<: {listen: x}\nlisten:", "<<: is no setting"},
	"a list for a text":       {"audience: counterfoil\n    algorithms: [ES256]\n", "audience: [counterfoil]\n    algorithms: [ES256]\n", "issuers[0].audience: must be a text"},
	"a text for a group":      {"limits:\n  body_bytes: 1000\n  request_seconds: 10\n", "limits: none\n", "limits: must be a group of settings"},
	"a list for a group":      {"{sqlite: {path: data/counterfoil.db}}", "[sqlite]", "store: must be a group of settings"},
	"a URL for postgres":      {"{sqlite: {path: data/counterfoil.db}}", "{postgres: {url: x}}", "store.postgres.url: is no setting\nstore.postgres.app_dsn_file: is required\nstore.postgres.destroy_dsn_file: is required\nkeys.local: cannot go with store.postgres: a key file is of one process"},
	"both stores":             {"{sqlite: {path: data/counterfoil.db}}", "{sqlite: {path: x}, postgres: {app_dsn_file: a, destroy_dsn_file: b}}", "store: must have exactly one of sqlite and postgres\nkeys.local: cannot go with store.postgres: a key file is of one process"},
	"both kinds of keys":      {"{local: {file: secret/local.key}}", "{local: {file: x}, transit: {address: 'https://keys.example', serving: {token_file: t}}}", "keys: must have exactly one of local and transit"},
	"transit without TLS":     {"{local: {file: secret/local.key}}", "{transit: {address: 'http://keys.example:8200', serving: {token_file: t}}}", "keys.transit.address: must be https, off the loopback interface"},
	"transit with a path":     {"{local: {file: secret/local.key}}", "{transit: {address: 'https://keys.example/v1', serving: {token_file: t}}}", "keys.transit.address: must be https://host:port"},
	"transit, a user in it":   {"{local: {file: secret/local.key}}", "{transit: {address: 'https://canary:canary@keys.example', serving: {token_file: t}}}", "keys.transit.address: must be https://host:port"},
	"transit, nobody":         {"{local: {file: secret/local.key}}", "{transit: {address: 'https://keys.example'}}", "keys.transit.serving: is required"},
	"transit, two logins":     {"{local: {file: secret/local.key}}", "{transit: {address: 'https://keys.example', serving: {token_file: t, kubernetes: {role: r, jwt_file: j}}}}", "keys.transit.serving: must have exactly one of approle, kubernetes and token_file"},
	"transit, half an id":     {"{local: {file: secret/local.key}}", "{transit: {address: 'https://keys.example', serving: {approle: {role_id_file: r}}}}", "keys.transit.serving.approle: needs role_id_file and secret_id_file"},
	"transit, half a login":   {"{local: {file: secret/local.key}}", "{transit: {address: 'https://keys.example', serving: {token_file: t}, administration: {kubernetes: {role: r}}}}", "keys.transit.administration.kubernetes: needs role and jwt_file"},
	"transit, a prefix":       {"{local: {file: secret/local.key}}", "{transit: {address: 'https://keys.example', key_prefix: 'a/b', serving: {token_file: t}}}", "keys.transit.key_prefix: must be letters, digits or any of -._"},
	"two places of anchors":   {"{local: {file: secret/local.key}}", "{transit: {address: 'https://keys.example', serving: {token_file: t}, anchors: {mount: kv}}}", "anchors: cannot go with keys.transit.anchors"},
	"no finality":             {"finality: {key_epoch: 7d, backup_horizon: 480h, key_backup_retention: 3d}\n", "", "finality.key_backup_retention: " + keyBackups},
	"no key_backup_retention": {", key_backup_retention: 3d", "", "finality.key_backup_retention: " + keyBackups},
	"an epoch of minutes":     {"key_epoch: 7d", "key_epoch: 59m", "finality.key_epoch: must be from 1h to 3650d"},
	"a horizon below nothing": {"480h", "-1h", "finality.backup_horizon: must be from 0d to 3650d"},
	"a retention for ever":    {"3d", "3651d", "finality.key_backup_retention: must be from 0d to 3650d"},
	"a number without a unit": {"480h", "480", "finality.backup_horizon: must be a time span such as 36h or 21d"},
	"days in words":           {"3d", "canaryd", "finality.key_backup_retention: must be a time span such as 36h or 21d"},
	"half a connection":       {"store: {sqlite: {path: data/counterfoil.db}}\nkeys: {local: {file: secret/local.key}}", "store: {postgres: {app_dsn_file: a, destroy_dsn_file: b, max_conns: 1.5}}\nkeys: {transit: {address: 'https://keys.example', serving: {token_file: t}}}", "store.postgres.max_conns: must be a whole number"},
	"many connections":        {"store: {sqlite: {path: data/counterfoil.db}}\nkeys: {local: {file: secret/local.key}}", "store: {postgres: {app_dsn_file: a, destroy_dsn_file: b, max_conns: 100}}\nkeys: {transit: {address: 'https://keys.example', serving: {token_file: t}}}", "store.postgres.max_conns: must be from 1 to 48"},
}

// keyBackups is what is told where nobody said how long keys are backed up.
const keyBackups = "is required: how long backups of the key service, or copies of the key file, are kept; 0d where there are none"

// TestFinality: what is left out has the defaults, and a person who is kept
// waiting for more than a month is told of.
func TestFinality(t *testing.T) {
	const given = "{key_epoch: 7d, backup_horizon: 480h, key_backup_retention: 3d}"
	for text, want := range map[string]struct {
		epoch, horizon, keys time.Duration
		advice               int
	}{
		given:                         {168 * time.Hour, 480 * time.Hour, 72 * time.Hour, 0},
		"{key_backup_retention: 48h}": {168 * time.Hour, 504 * time.Hour, 48 * time.Hour, 0},
		"{key_backup_retention: 49h}": {168 * time.Hour, 504 * time.Hour, 49 * time.Hour, 1},
		"{key_epoch: 1h, backup_horizon: 0d, key_backup_retention: 0s}": {time.Hour, 0, 0, 0},
	} {
		s, err := config.Load(folder(t, strings.Replace(good, given, text, 1)), noEnvironment, most)
		if err != nil {
			t.Fatal(err)
		}
		epoch, horizon, keys := s.Finality.Times()
		if epoch != want.epoch || horizon != want.horizon || keys != want.keys || len(s.Advice()) != want.advice {
			t.Errorf("%s: %s %s %s, advice %q", text, epoch, horizon, keys, s.Advice())
		}
	}
}

func TestLoadTellsEveryFault(t *testing.T) {
	for name, tt := range changes {
		text := strings.Replace(good, tt.old, tt.new, 1)
		if text == good {
			t.Errorf("%s: nothing changed", name)
			continue
		}
		s, err := config.Load(folder(t, text), noEnvironment, most)
		var faults config.Faults
		if !errors.As(err, &faults) || !errors.Is(err, config.ErrRefused) || s != nil {
			t.Errorf("%s: error %v", name, err)
			continue
		}
		var got []string
		for _, fault := range faults {
			got = append(got, fault.String())
		}
		if tt.faults != "" && strings.Join(got, "\n") != tt.faults {
			t.Errorf("%s:\n%s\nwant:\n%s", name, strings.Join(got, "\n"), tt.faults)
		}
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: the value is told", name)
		}
	}
}

func TestFilesThatAreNoConfiguration(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "a comment": "# nothing\n", "a text": "secret-canary", "a list": "[]", "nothing": "---\n",
		"no YAML": "listen: [secret-canary", "tabs": "listen:\n\t- secret-canary", "two documents": good + "---\nlisten: x\n",
		"too large": good + strings.Repeat("#", config.MaxFileBytes), "no UTF-8": "listen: \"\xff\"",
		"aliases that multiply": "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d]\n",
	} {
		_, err := config.Load(folder(t, text), noEnvironment, most)
		if !errors.Is(err, config.ErrRefused) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := config.Load(filepath.Join(t.TempDir(), "none.yaml"), noEnvironment, most); !errors.Is(err, config.ErrRefused) {
		t.Errorf("no file: %v", err)
	}
}

// Plain HTTP stays on the machine, unless it is said that TLS ends in front.
func TestPlainHTTPOffLoopbackIsRefused(t *testing.T) {
	plain := good[:strings.Index(good, "tls:")]
	for listen, ok := range map[string]bool{
		"127.0.0.1:8080": true, "127.9.9.9:80": true, `"[::1]:8080"`: true, "localhost:8080": true,
		`":8080"`: false, "0.0.0.0:8080": false, `"[::]:8080"`: false, "10.1.2.3:8080": false, "vault.example:80": false,
		"localhost.example:80": false, `"[::ffff:10.0.0.1]:80"`: false,
	} {
		text := strings.Replace(plain, "127.0.0.1:8443", listen, 1)
		_, err := config.Load(folder(t, text), noEnvironment, most)
		if (err == nil) != ok || (err != nil && !strings.Contains(err.Error(), "tls: is required off the loopback interface")) {
			t.Errorf("%s without TLS: %v, want ok=%v", listen, err, ok)
		}
		for _, tls := range []string{"tls: {terminated_upstream: true}\n", "tls: {cert: a, key: b}\n"} {
			s, err := config.Load(folder(t, text+tls), noEnvironment, most)
			if err != nil || s.Encrypted() == s.TLS.TerminatedUpstream {
				t.Errorf("%s with %s: %v", listen, tls, err)
			}
		}
		if _, err := config.Load(folder(t, text+"tls: {terminated_upstream: false}\n"), noEnvironment, most); err == nil {
			t.Errorf("%s with TLS that is none: accepted", listen)
		}
	}
}

func TestEnvironmentWinsOverTheFile(t *testing.T) {
	variables := map[string]string{
		"COUNTERFOIL_LISTEN": "127.0.0.1:9", "COUNTERFOIL_ENVIRONMENT": "production", "COUNTERFOIL_REPLICA": "vault-2",
		"COUNTERFOIL_DATA": "/nowhere", "COUNTERFOIL_PORT": "tcp://10.0.0.1:80",
	}
	path := folder(t, good)
	s, err := config.Load(path, func(name string) string { return variables[name] }, most)
	if err != nil {
		t.Fatal(err)
	}
	if s.Listen != "127.0.0.1:9" || s.Environment != "production" || s.Replica != "vault-2" || s.Data != filepath.Join(filepath.Dir(path), "data") {
		t.Errorf("%+v", s)
	}
	variables["COUNTERFOIL_LISTEN"] = "0.0.0.0" // the rules are for what is in force
	if _, err := config.Load(path, func(name string) string { return variables[name] }, most); err == nil {
		t.Error("a listen that is wrong in the environment: accepted")
	}
}

func TestReplicaIsTheHostUnlessGiven(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Skip("the host has no name")
	}
	s, err := config.Load(folder(t, strings.Replace(good, "replica: vault-1\n", "", 1)), noEnvironment, most)
	if err != nil || s.Replica != host {
		t.Errorf("%v, %v", s, err)
	}
}

func TestAdvice(t *testing.T) {
	for old, advice := range map[string][2]string{
		"/somewhere/anchors": {"data/anchors", "anchors:"}, "secret/local.key": {"data/local.key", "keys.local.file:"},
	} {
		s, err := config.Load(folder(t, strings.Replace(good, old, advice[0], 1)), noEnvironment, most)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Advice(); len(got) != 1 || !strings.HasPrefix(got[0], advice[1]) {
			t.Errorf("%s: %q", advice[0], got)
		}
	}
}
