package system

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"
)

const (
	audience = "counterfoil"
	keyID    = "bench"
	// validity of credentials: longer than the longest soak, and half of what the
	// service takes.
	validity = 12 * time.Hour
	// coordinate is the length of each half of a point or signature of P-256.
	coordinate = 32
)

// issuer makes credentials and publishes its key, over TLS as the service demands.
type issuer struct {
	server *httptest.Server
	key    *ecdsa.PrivateKey
}

func newIssuer() (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("system: issuer: %w", err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, fmt.Errorf("system: issuer: %w", err)
	}
	// The point is 4, x, y (SEC 1, 2.3.3).
	x, y := point[1:1+coordinate], point[1+coordinate:]
	encode := base64.RawURLEncoding.EncodeToString
	set := fmt.Appendf(nil, `{"keys":[{"kty":"EC","crv":"P-256","use":"sig","kid":%q,"x":%q,"y":%q}]}`, keyID, encode(x), encode(y))
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(set) // whoever asks notices
	}))
	return &issuer{server, key}, nil
}

// authority vouches for the issuer's key, in PEM.
func (i *issuer) authority() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.server.Certificate().Raw})
}

// claims are what a credential says.
type claims struct {
	Issuer   string   `json:"iss"`
	Audience string   `json:"aud"`
	Subject  string   `json:"sub"`
	Client   string   `json:"azp"`
	Tenant   string   `json:"tenant"`
	Roles    []string `json:"roles"`
	IssuedAt int64    `json:"iat"`
	Expires  int64    `json:"exp"`
}

// sign makes a credential of a compact JWS with ES256 (RFC 7515, RFC 7518).
func (i *issuer) sign(c claims) (string, error) {
	c.Issuer, c.Audience = i.server.URL, audience
	now := time.Now()
	c.IssuedAt, c.Expires = now.Unix(), now.Add(validity).Unix()
	body, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("system: credential: %w", err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(fmt.Appendf(nil, `{"alg":"ES256","kid":%q}`, keyID)) + "." + encode(body)
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, digest[:])
	if err != nil {
		return "", fmt.Errorf("system: credential: %w", err)
	}
	signature := append(r.FillBytes(make([]byte, coordinate)), s.FillBytes(make([]byte, coordinate))...)
	return signed + "." + encode(signature), nil
}

// Credential is a bearer token of a tenant's caller with a role of the product, valid
// for 12 h. All of them are of one client, so that a scope that one of them makes is
// its own for all.
func (s *Site) Credential(tenant, role string) string {
	return s.CredentialOf(tenant, role, "svc-"+role)
}

// CredentialOf is the same for a caller of another name: limits and refusals are
// counted for each by itself.
func (s *Site) CredentialOf(tenant, role, subject string) string {
	token, err := s.issuer.sign(claims{Subject: subject, Client: "gw-1", Tenant: tenant, Roles: []string{role}})
	if err != nil {
		panic(err) // strings and numbers marshal, and P-256 signs
	}
	return token
}
