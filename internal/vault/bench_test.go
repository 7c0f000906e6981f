package vault_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/authz"
	"github.com/counterfoil/counterfoil/internal/access"
	"github.com/counterfoil/counterfoil/internal/detect"
	"github.com/counterfoil/counterfoil/internal/payload"
	"github.com/counterfoil/counterfoil/internal/token"
	"github.com/counterfoil/counterfoil/internal/vault"
	"github.com/counterfoil/counterfoil/internal/vaulttest"
)

// bodyOf is a chat of about so many bytes: messages of 1,500 bytes, in every
// fourth of which an address stands.
func bodyOf(size int) []byte {
	const filler = "The invoice of last month was sent twice, and the amount differs by some cents; please have a look. "
	var messages []string
	for written := 0; written < size; {
		text := strings.Repeat(filler, min(15, 1+(size-written)/len(filler)))
		if len(messages)%4 == 0 {
			text = fmt.Sprintf("Write to customer%d@example.com. ", len(messages)) + text
		}
		role := []string{"user", "assistant"}[len(messages)%2]
		messages = append(messages, fmt.Sprintf(`{"role":%q,"content":%q}`, role, text))
		written += len(text) + 40
	}
	return []byte(`{"model":"m","messages":[` + strings.Join(messages, ",") + `]}`)
}

var bodySizes = []struct {
	name string
	size int
}{{"2KB", 2 << 10}, {"30KB", 30 << 10}, {"1MB", 1 << 20}}

// BenchmarkStages is what each stage of a payload costs on its own.
func BenchmarkStages(b *testing.B) {
	policy, err := access.Load(authz.FS)
	if err != nil {
		b.Fatal(err)
	}
	var labels []string
	for _, e := range policy.Entities() {
		labels = append(labels, e.Name)
	}
	words, err := token.NewVocabulary(labels)
	if err != nil {
		b.Fatal(err)
	}
	detector, err := detect.New(detect.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range bodySizes {
		body := bodyOf(s.size)
		doc, err := payload.Parse(body, payload.Options{})
		if err != nil {
			b.Fatal(err)
		}
		stage := func(name string, run func() error) {
			b.Run(s.name+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if err := run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		stage("parse", func() error { _, err := payload.Parse(body, payload.Options{}); return err })
		stage("scan", func() error {
			for _, leaf := range doc.Leaves() {
				words.Scan(leaf.Text)
			}
			return nil
		})
		stage("detect", func() error {
			for _, leaf := range doc.Leaves() {
				if _, err := detector.Find(context.Background(), leaf.Text); err != nil {
					return err
				}
			}
			return nil
		})
		var edits []payload.Edit
		for i, leaf := range doc.Leaves() {
			if at := strings.Index(leaf.Text, "customer"); at >= 0 {
				minted, err := token.Mint(token.FormatLabel, "EMAIL_ADDRESS", rand.Reader)
				if err != nil {
					b.Fatal(err)
				}
				edits = append(edits, payload.Edit{Leaf: i, Start: at, End: at + 8, With: minted.String()})
			}
		}
		stage("splice", func() error { _, err := doc.Splice(edits); return err })
	}
}

// BenchmarkPayload is a payload through the service, commit included: the
// first time, when every text is new, and again, as the history of a chat.
func BenchmarkPayload(b *testing.B) {
	for _, s := range bodySizes {
		for _, remember := range []bool{false, true} {
			name := s.name + "/tokenize-searched"
			if remember {
				name = s.name + "/tokenize-remembered"
			}
			b.Run(name, func(b *testing.B) {
				v := vaulttest.New(b)
				v.Service.SetFaults(vault.Faults{IgnoreSpanCache: !remember})
				benchmarkTokenize(b, v, bodyOf(s.size))
			})
		}
		b.Run(s.name+"/detokenize", func(b *testing.B) {
			v := vaulttest.New(b)
			made := benchmarkTokenize(b, v, bodyOf(s.size))
			b.SetBytes(int64(len(made)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Service.Detokenize(b.Context(), v.Gateway(), vault.DetokenizeRequest{
					Scope: "chat", Reason: vault.ReasonGiven{Code: "LLM_RESPONSE"}, Payload: made,
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchmarkTokenize(b *testing.B, v *vaulttest.Vault, body []byte) (made []byte) {
	b.Helper()
	ask := func() {
		got, err := v.Service.Tokenize(b.Context(), v.Gateway(), vault.TokenizeRequest{Scope: "chat", Payload: body})
		if err != nil {
			b.Fatal(err)
		}
		made = got.Payload
	}
	ask() // the scope and the tokens are there already when time is taken
	if strings.HasSuffix(b.Name(), "/detokenize") {
		return made
	}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		ask()
	}
	return made
}
