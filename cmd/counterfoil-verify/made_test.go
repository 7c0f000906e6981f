package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

const origin = "counterfoil.local/log/acme"

// A made log is what a service would have: leaves, and a checkpoint per batch.
type made struct {
	signer      *audit.Signer
	leaves      [][]byte
	checkpoints [][]byte // by batch
	sizes       []int64
}

// newLog makes a log of some batches, with a change of several parts in it.
func newLog(t *testing.T, seed byte, batches int) *made {
	t.Helper()
	signer, err := audit.NewSigner(origin, bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		t.Fatal(err)
	}
	m := &made{signer: signer}
	for i := range batches {
		e := audit.Entry{
			Tenant: "acme", Kind: audit.KindTokenize, ChangeID: fmt.Sprintf("c%d-%d", i, seed), Actor: "svc-1",
			Channel: "api", Environment: "test", Replica: "cf-0", PolicyVersion: "5a5a5a5a", Destination: "default", Decision: audit.Allow,
			Client: audit.Client{ClientID: "svc-1"}, Entities: map[string]int{"PERSON": 1, "EMAIL_ADDRESS": 2}, Tokens: []string{"7K3QX9M2"},
		}
		if i%7 == 3 {
			e.Tokens = strings.Fields(strings.Repeat("0A1B2C3D ", audit.MaxTokens+5))
		}
		m.and(t, e)
	}
	return m
}

// and commits one change more, a second after the one before.
func (m *made) and(t *testing.T, e audit.Entry) *made {
	t.Helper()
	parts, err := audit.Link(e)
	if err != nil {
		t.Fatal(err)
	}
	leaves, err := audit.Finalise(parts, time.Date(2026, 3, 1, 8, 0, len(m.sizes), 120_000_000, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	m.leaves = append(m.leaves, leaves...)
	b, err := audit.Frontier{}.Append(m.leaves)
	if err != nil {
		t.Fatal(err)
	}
	c, err := m.signer.Sign(audit.TreeHead{Origin: origin, Size: b.Frontier.Size, Root: b.Root})
	if err != nil {
		t.Fatal(err)
	}
	m.checkpoints, m.sizes = append(m.checkpoints, c), append(m.sizes, b.Frontier.Size)
	return m
}

func (m *made) newest() []byte { return m.checkpoints[len(m.checkpoints)-1] }

func (m *made) export() []byte {
	return append(bytes.Join(m.leaves, []byte("\n")), '\n')
}

// put writes a file for one test and returns its path.
func put(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// command runs the command as a shell would.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, func(string) string { return "" }, &out, &errs)
	return code, out.String(), errs.String()
}
