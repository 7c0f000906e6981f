package config

import (
	"crypto/x509"
	"net"
	"net/netip"
	"path/filepath"
	"strings"

	"github.com/counterfoil/counterfoil/internal/authn"
)

// Serve is the configuration of a service.
type Serve struct {
	Listen string `yaml:"listen"` // host:port
	// Environment and Replica name the process in every entry. Replica is the
	// host's name unless given.
	Environment string `yaml:"environment"`
	Replica     string `yaml:"replica"`
	// LogPrefix begins the origin of every log. Auditors know the logs by it,
	// so that it never changes.
	LogPrefix string `yaml:"log_prefix"`
	// Data is the folder of what the service writes beside its store.
	Data    string   `yaml:"data"`
	Store   Store    `yaml:"store"`
	Keys    Keys     `yaml:"keys"`
	Anchors string   `yaml:"anchors"`
	Issuers []Issuer `yaml:"issuers"`
	TLS     *TLS     `yaml:"tls"`
	Limits  Limits   `yaml:"limits"`
	// Finality says when what was erased opens nowhere any more.
	Finality *Finality `yaml:"finality"`
	// Detection is nil for what the program looks for by itself.
	Detection *Detection `yaml:"detection"`
	// Telemetry is nil where nothing is traced.
	Telemetry *Telemetry `yaml:"telemetry"`
	// Rates bounds how fast callers may call; nil does not.
	Rates *Rates `yaml:"rates"`
	// Webhooks is nil where nobody is told of what happens.
	Webhooks *Webhooks `yaml:"webhooks"`
	// Policy is nil for the policy of the program, changed by nobody.
	Policy *Policy `yaml:"policy"`
	// Export is nil where logs stay where they are.
	Export *Export `yaml:"export"`
	// Tiles is nil where the logs are not kept as folders.
	Tiles *Tiles `yaml:"tiles"`

	trusted []authn.Issuer
}

// Issuer is an issuer of credentials; see authn.Issuer for what each field
// means. Exactly one of JWKS and Keys is set.
type Issuer struct {
	Issuer      string            `yaml:"issuer"`
	JWKS        *JWKS             `yaml:"jwks"`
	Keys        []Key             `yaml:"keys"`
	Audience    string            `yaml:"audience"`
	Algorithms  []string          `yaml:"algorithms"`
	TenantClaim string            `yaml:"tenant_claim"`
	RolesClaim  string            `yaml:"roles_claim"`
	RoleMap     map[string]string `yaml:"role_map"`
	ClientClaim string            `yaml:"client_claim"`
	PersonClaim string            `yaml:"person_claim"`
	Namespace   string            `yaml:"namespace"`
	Tenants     []string          `yaml:"tenants"`
}

// JWKS is where an issuer publishes its keys. CA is a PEM file of the
// authorities that may vouch for it, where the system's may not.
type JWKS struct {
	URL string `yaml:"url"`
	CA  string `yaml:"ca"`
}

// Key is a public key of an issuer in a PEM file (SubjectPublicKeyInfo).
type Key struct {
	KID  string `yaml:"kid"`
	File string `yaml:"file"`
}

// TLS is how connections are protected.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// ClientCA makes every client show a certificate of these authorities.
	ClientCA   string `yaml:"client_ca"`
	MinVersion string `yaml:"min_version"` // "1.3" is all there is
	// TerminatedUpstream says that something in front of the service does
	// TLS, and that nobody else can reach it: the one way to plain HTTP off
	// the machine.
	TerminatedUpstream bool `yaml:"terminated_upstream"`
}

// Limits may be lowered from those that the interface has. Nil is the default.
type Limits struct {
	BodyBytes         *int64 `yaml:"body_bytes"`
	BodyBytesInFlight *int64 `yaml:"body_bytes_in_flight"`
	RequestsInFlight  *int64 `yaml:"requests_in_flight"`
	RequestSeconds    *int64 `yaml:"request_seconds"`
}

// Trusted are the issuers with their keys, as Load found them.
func (s *Serve) Trusted() []authn.Issuer { return s.trusted }

// Encrypted tells whether the service does TLS itself.
func (s *Serve) Encrypted() bool { return s.TLS != nil && s.TLS.Cert != "" }

// Advice is what works and is weaker than it need be.
func (s *Serve) Advice() []string {
	var advice []string
	files := s.Files()
	if files.Anchors != "" && (within(files.Anchors, s.Data) || beside(files.Anchors, files.Database)) {
		advice = append(advice, "anchors: better on another disk than the data: who puts back an older copy of all of it is not noticed")
	}
	if files.KeyFile != "" && (within(files.KeyFile, s.Data) || beside(files.KeyFile, files.Database)) {
		advice = append(advice, "keys.local.file: better not beside the data: a copy of the folder is a copy of every value")
	}
	if p := s.Store.Postgres; p != nil && p.Owner != "" {
		advice = append(advice, "store.postgres.owner_dsn_file: better not where the service runs: the owner can drop the tables")
	}
	if t := s.Keys.Transit; t != nil && t.Administration != nil {
		advice = append(advice, "keys.transit.administration: better not where the service runs: it can retire keys")
	}
	advice = append(advice, s.exportAdvice()...)
	return append(advice, s.Finality.advice()...)
}

// beside tells whether a path lies in the folder of a file, where there is one.
func beside(path, file string) bool { return file != "" && within(path, filepath.Dir(file)) }

// within tells whether a path is a folder or lies in it, by the names alone.
func within(path, folder string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// loopback tells whether only the machine itself can reach an address. A name
// may resolve to anything, and an empty host means every address.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && addr.IsLoopback())
}

// authnIssuer is the issuer without its keys.
func (i Issuer) authnIssuer() authn.Issuer {
	c := authn.Issuer{
		Issuer: i.Issuer, Audience: i.Audience, Algorithms: i.Algorithms,
		TenantClaim: i.TenantClaim, RolesClaim: i.RolesClaim, ClientClaim: i.ClientClaim,
		PersonClaim: i.PersonClaim, Namespace: i.Namespace,
		Tenants: i.Tenants, RoleMap: i.RoleMap,
	}
	if i.JWKS != nil {
		c.JWKS = &authn.JWKS{URL: i.JWKS.URL, Roots: (*x509.CertPool)(nil)}
	}
	return c
}
