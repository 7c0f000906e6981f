//go:build unix

package assembly_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/storage/postgres"
	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
	"github.com/counterfoil/counterfoil/internal/transit"
	"github.com/counterfoil/counterfoil/internal/transit/transittest"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// estate is a service of one tenant, which is opened, closed and opened again,
// on a clock that the test moves.
type estate struct {
	*testing.T
	backends assembly.Backends
	options  assembly.Options
	clock    *vaulttest.Clock
	in       *assembly.Instance // while it is open
	db       *pgtest.Database   // nil where there is none
}

// The kinds of estates.
const (
	embedded   = "SQLite and a key file"
	sqliteKeys = "SQLite and a key service"
	production = "PostgreSQL and a key service"
)

// detector is one for all estates: they are opened often.
var detector = sync.OnceValue(func() *detect.Detector {
	d, err := detect.New(detect.Options{})
	if err != nil {
		panic(err)
	}
	return d
})

func newEstate(t *testing.T, kind string) *estate {
	t.Helper()
	e := &estate{T: t, clock: vaulttest.NewClock(), options: options}
	e.options.Clock, e.options.Detector = e.clock.Now, detector()
	dir := t.TempDir()
	e.backends.Files = config.Files{
		Anchors: filepath.Join(dir, "anchors"), LogKeys: filepath.Join(dir, "log-keys"), Evidence: filepath.Join(dir, "evidence"),
	}
	if kind == production {
		db := pgtest.New(t)
		e.db = db
		e.backends.Postgres = &postgres.Config{AppDSN: db.App, DestroyDSN: db.Destroy, AppConns: 4, DestroyConns: 2}
		e.backends.AuditDSN = db.Audit
	} else {
		e.backends.Database = filepath.Join(dir, "store", "counterfoil.db")
	}
	if kind == embedded {
		e.backends.KeyFile = filepath.Join(dir, "secret", "local.key")
		e.no(assembly.CreateKey(e.backends.Files))
	} else {
		t.Setenv("VAULT_ADDR", "") // the tests start a key service of their own
		server := transittest.Start(t)
		if kind == production { // the serving identity keeps the anchors there, too
			_, err := server.Root().Logical().Write("auth/approle/role/counterfoil-serving", map[string]any{
				"token_policies": "counterfoil-serving,counterfoil-anchors", "token_ttl": "20m",
			})
			e.no(err)
			e.backends.AnchorsAt = &transit.Place{}
		}
		serving, keys := server.Serving(t), server.Keys(t)
		e.backends.Transit, e.backends.Administration = &serving, &keys
		e.no(assembly.MakeKey(t.Context(), e.backends, vault.SystemTenant))
	}
	e.no(assembly.CreateTenant(t.Context(), e.backends, "acme", e.options))
	t.Cleanup(e.close)
	return e
}

func (e *estate) no(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// open opens the service, and fails where it is refused.
func (e *estate) open() {
	e.Helper()
	e.no(e.tryOpen())
}

func (e *estate) tryOpen() (err error) {
	e.in, err = assembly.OpenService(e.Context(), e.backends, issuers(e.T), e.options)
	return err
}

func (e *estate) close() {
	if e.in != nil {
		in := e.in
		e.in = nil
		if err := in.Close(context.Background()); err != nil {
			e.Error(err)
		}
	}
}

// scope opens a scope whose values last for a while.
func (e *estate) scope(name string) {
	e.Helper()
	_, err := e.in.Service.OpenScope(e.Context(), gateway(), vault.OpenScopeRequest{Scope: name, Kind: vault.ScopeCorpus})
	e.no(err)
}

func gateway() vault.Call { return vaulttest.Call("gw-1", "gateway") }
func officer() vault.Call { return vaulttest.Call("pia", "privacy_officer") }
func counsel() vault.Call { return vaulttest.Call("lea", "legal") }

// keep tokenizes a value, about somebody where subject is not empty.
func (e *estate) keep(scope, subject, value string) (token string) {
	e.Helper()
	got, err := e.in.Service.Tokenize(e.Context(), gateway(), vault.TokenizeRequest{
		Scope: scope, Values: []vault.Value{{Entity: "CUSTOM_ID", Value: value, Subject: subject}},
	})
	e.no(err)
	return got.Values[0]
}

// restored is what a token restores to: itself where nothing is given back.
func (e *estate) restored(scope, token string) string {
	e.Helper()
	got, err := e.in.Service.Detokenize(e.Context(), gateway(), vault.DetokenizeRequest{
		Scope: scope, Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Tokens: []string{token},
	})
	if vault.CodeOf(err) == vault.CodeDenied { // of one token alone that is refused
		return token
	}
	e.no(err)
	return got.Values[0]
}

// erase erases a person, and returns the id of the erasure.
func (e *estate) erase(subject string) vault.ErasureInfo {
	e.Helper()
	got, err := e.in.Service.EraseSubject(e.Context(), officer(), vault.ErasureRequest{
		Regime: "gdpr", Subject: subject, ConfirmSubject: subject, Reference: "DSAR-7", Suppress: "none",
		Identity: vault.IdentityCheck{Method: "in_person", Reference: "ID-9", VerifiedBy: "pia", At: e.clock.Now()},
	})
	e.no(err)
	return *got.Erasure
}

// tie ties a value to a person, wherever it stands.
func (e *estate) tie(subject, value string) {
	e.Helper()
	_, err := e.in.Service.LinkSubject(e.Context(), officer(), vault.LinkRequest{
		Subject: subject, Identifiers: []vault.Identifier{{Entity: "CUSTOM_ID", Value: value}},
	})
	e.no(err)
}

// verifies fails unless every log is sound.
func (e *estate) verifies() {
	e.Helper()
	if _, err := assembly.VerifyService(e.Context(), e.backends, e.options.LogPrefix); err != nil {
		e.Error(err)
	}
}
