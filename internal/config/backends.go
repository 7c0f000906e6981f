package config

import (
	"net/url"
	"strings"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// Store is where entries and mappings are: exactly one kind.
type Store struct {
	SQLite   *SQLite   `yaml:"sqlite"`
	Postgres *Postgres `yaml:"postgres"`
}

// SQLite is a file that one process at a time can open.
type SQLite struct {
	Path string `yaml:"path"`
}

// Postgres is a database that replicas share. Each connection string is in a
// file of its own, since it may hold a password; the file holds nothing else.
type Postgres struct {
	// App and Destroy are the two roles of the service: what destroys goes by a
	// connection of its own, with rights of its own.
	App     string `yaml:"app_dsn_file"`
	Destroy string `yaml:"destroy_dsn_file"`
	// Audit is the role that only reads, for verify.
	Audit string `yaml:"audit_dsn_file"`
	// Direct is counterfoil_app past the pooler, for what helps replicas and
	// needs a session. Without a pooler App serves for it.
	Direct string `yaml:"direct_dsn_file"`
	// Owner is the role of `counterfoil migrate`. The service never reads it,
	// and better has no such file.
	Owner string `yaml:"owner_dsn_file"`
	// MaxConns bounds the connections of each role; 0 is the default.
	MaxConns int32 `yaml:"max_conns"`
	// Pooled says that PgBouncer in transaction mode stands between.
	Pooled bool `yaml:"pgbouncer"`
}

// Keys is where the wrapping keys are: exactly one kind.
type Keys struct {
	Local   *LocalKey `yaml:"local"`
	Transit *Transit  `yaml:"transit"`
}

// LocalKey is a key file.
type LocalKey struct {
	File string `yaml:"file"`
}

// Transit is the transit engine of a HashiCorp Vault or OpenBao server.
type Transit struct {
	Address   string `yaml:"address"` // https://host:port
	CA        string `yaml:"ca"`      // PEM, where the system's authorities do not vouch for it
	Namespace string `yaml:"namespace"`
	Mount     string `yaml:"mount"`      // of the engine; "transit" unless given
	KeyPrefix string `yaml:"key_prefix"` // of the names of the tenants' keys
	// Serving may encrypt, decrypt and re-wrap; Administration may rotate and
	// retire, is for `counterfoil keys` only, and better not on this machine.
	Serving *TransitLogin `yaml:"serving"`
	// Anchors keeps the anchors there, in place of the folder.
	Anchors        *AnchorPlace  `yaml:"anchors"`
	Administration *TransitLogin `yaml:"administration"`
}

// AnchorPlace is a folder in a KV engine of version 2.
type AnchorPlace struct {
	Mount  string `yaml:"mount"`  // "secret" if it is left out
	Folder string `yaml:"folder"` // "counterfoil/anchors" if it is left out
}

// TransitLogin is how a process identifies itself: exactly one of the three.
type TransitLogin struct {
	AppRole    *AppRole         `yaml:"approle"`
	Kubernetes *KubernetesLogin `yaml:"kubernetes"`
	TokenFile  string           `yaml:"token_file"`
}

// AppRole is a role id and a secret id, each in a file of its own.
type AppRole struct {
	Mount    string `yaml:"mount"`
	RoleID   string `yaml:"role_id_file"`
	SecretID string `yaml:"secret_id_file"`
}

// KubernetesLogin is the token of a service account.
type KubernetesLogin struct {
	Mount string `yaml:"mount"`
	Role  string `yaml:"role"`
	JWT   string `yaml:"jwt_file"`
}

func (s *Serve) validateBackends(report func(path, rule string)) {
	switch store := s.Store; {
	case (store.SQLite == nil) == (store.Postgres == nil):
		report("store", "must have exactly one of sqlite and postgres")
	case store.SQLite != nil && store.SQLite.Path == "":
		report("store.sqlite.path", ruleRequired)
	case store.Postgres != nil:
		store.Postgres.validate("store.postgres", report)
	}
	switch keys := s.Keys; {
	case (keys.Local == nil) == (keys.Transit == nil):
		report("keys", "must have exactly one of local and transit")
	case keys.Local != nil && keys.Local.File == "":
		report("keys.local.file", ruleRequired)
	case keys.Transit != nil:
		keys.Transit.validate("keys.transit", report)
	}
	if s.Store.Postgres != nil && s.Keys.Local != nil {
		// The processes would not see each other's new versions of the keys.
		report("keys.local", "cannot go with store.postgres: a key file is of one process")
	}
}

// maxPostgresConns is what a PostgreSQL server with its default of 100
// connections can give to two roles of one replica.
const maxPostgresConns = 48

func (p *Postgres) validate(path string, report func(path, rule string)) {
	if p.App == "" {
		report(path+".app_dsn_file", ruleRequired)
	}
	if p.Destroy == "" {
		report(path+".destroy_dsn_file", ruleRequired)
	}
	if p.MaxConns < 0 || p.MaxConns > maxPostgresConns {
		report(path+".max_conns", "must be from 1 to 48")
	}
}

func (t *Transit) validate(path string, report func(path, rule string)) {
	address, err := url.Parse(t.Address)
	switch {
	case t.Address == "":
		report(path+".address", ruleRequired)
	case err != nil, address.Host == "", address.User != nil, address.Path != "" && address.Path != "/", address.RawQuery != "":
		report(path+".address", "must be https://host:port")
	case address.Scheme != "https" && (address.Scheme != "http" || !loopback(hostPort(address))):
		// The plain keys go over this line.
		report(path+".address", "must be https, off the loopback interface")
	}
	if t.KeyPrefix != "" && !audit.IsName(t.KeyPrefix) {
		report(path+".key_prefix", "must be letters, digits or any of -._")
	}
	if t.Serving == nil {
		report(path+".serving", ruleRequired)
	} else {
		t.Serving.validate(path+".serving", report)
	}
	if t.Administration != nil {
		t.Administration.validate(path+".administration", report)
	}
}

// hostPort is the address with a port, as loopback wants it.
func hostPort(u *url.URL) string {
	if u.Port() == "" {
		return u.Host + ":80"
	}
	return u.Host
}

func (l *TransitLogin) validate(path string, report func(path, rule string)) {
	given := 0
	for _, yes := range []bool{l.AppRole != nil, l.Kubernetes != nil, l.TokenFile != ""} {
		if yes {
			given++
		}
	}
	if given != 1 {
		report(path, "must have exactly one of approle, kubernetes and token_file")
	}
	if a := l.AppRole; a != nil && (a.RoleID == "" || a.SecretID == "") {
		report(path+".approle", "needs role_id_file and secret_id_file")
	}
	if k := l.Kubernetes; k != nil && (k.Role == "" || k.JWT == "") {
		report(path+".kubernetes", "needs role and jwt_file")
	}
}

// backendPaths are the settings of this file that name a file.
func (s *Serve) backendPaths() []*string {
	var paths []*string
	if s.Store.SQLite != nil {
		paths = append(paths, &s.Store.SQLite.Path)
	}
	if p := s.Store.Postgres; p != nil {
		paths = append(paths, &p.App, &p.Destroy, &p.Audit, &p.Direct, &p.Owner)
	}
	if s.Keys.Local != nil {
		paths = append(paths, &s.Keys.Local.File)
	}
	if t := s.Keys.Transit; t != nil {
		paths = append(paths, &t.CA)
		for _, login := range []*TransitLogin{t.Serving, t.Administration} {
			if login == nil {
				continue
			}
			paths = append(paths, &login.TokenFile)
			if login.AppRole != nil {
				paths = append(paths, &login.AppRole.RoleID, &login.AppRole.SecretID)
			}
			if login.Kubernetes != nil {
				paths = append(paths, &login.Kubernetes.JWT)
			}
		}
	}
	return paths
}

// ReadSecret reads a file that holds one secret, such as a connection string:
// what stands in it, without the white space around it. Errors do not show it.
func ReadSecret(path string) (string, error) {
	text, err := readFile(path)
	return strings.TrimSpace(string(text)), err
}
