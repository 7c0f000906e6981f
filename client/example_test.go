package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/counterfoil/counterfoil/client"
	"github.com/counterfoil/counterfoil/internal/assembly"
	"github.com/counterfoil/counterfoil/internal/authn"
	"github.com/counterfoil/counterfoil/internal/httpapi"
)

// tokens differ from run to run; in what is printed each is shown as [TOKEN].
var tokens = regexp.MustCompile(`\[[A-Z_]+_[0-9A-Z]{10}\]`)

// service starts a whole service of one machine and returns its address, the
// key of the log of acme, and bearers of a gateway of acme.
func service() (url, logKey string, bearer client.TokenSource, stop func()) {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "counterfoil")
	check(err)
	in, err := assembly.Open(ctx, dir, assembly.Options{})
	check(err)
	handler, err := httpapi.New(httpapi.Config{
		Service: in.Service, Authenticate: in.Verifier.Verify, Logger: slog.New(slog.DiscardHandler),
		Registry: prometheus.NewRegistry(), Version: "example",
	})
	check(err)
	keys, err := in.Service.LogKeys(ctx, "acme")
	check(err)
	server := httptest.NewServer(handler)
	bearer = func(context.Context) (string, error) {
		return in.Issuer.Sign(authn.Claims{Subject: "gw-1", Tenant: "acme", Roles: []string{"gateway"}, TTL: time.Minute})
	}
	return server.URL, keys[0].Key, bearer, func() {
		server.Close()
		check(in.Close(ctx))
		check(os.RemoveAll(dir))
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A prompt goes out with tokens, and the answer of the model comes back with
// the values.
func Example() {
	url, logKey, bearer, stop := service()
	defer stop()
	ctx := context.Background()

	vault, err := client.New(url, client.Config{Token: bearer, LogKeys: []string{logKey}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer vault.Close()

	out, err := vault.Tokenize(ctx, client.TokenizeRequest{
		Scope:   "chat-2041",
		Content: client.Text("Write to erika.mustermann@example.org and offer a refund."),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("to the model:", tokens.ReplaceAllString(out.Text, "[TOKEN]"))

	answer := "I wrote to " + out.Tokens[0].Token + "."
	back, err := vault.Detokenize(ctx, client.DetokenizeRequest{
		Scope:   "chat-2041",
		Reason:  client.Reason{Code: "LLM_RESPONSE"},
		Content: client.Text(answer),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("to the person:", back.Text)
	fmt.Println("recorded in:", back.Receipt.Log)
	// Output:
	// to the model: Write to [TOKEN] and offer a refund.
	// to the person: I wrote to erika.mustermann@example.org.
	// recorded in: counterfoil.local/log/acme
}

// A restoration without a reason is refused, and the refusal is recorded.
func ExampleProblem() {
	url, logKey, bearer, stop := service()
	defer stop()
	vault, err := client.New(url, client.Config{Token: bearer, LogKeys: []string{logKey}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer vault.Close()

	_, err = vault.Detokenize(context.Background(), client.DetokenizeRequest{
		Scope: "chat-2041", Content: client.Text("Hello."),
	})
	fmt.Println("invalid:", errors.Is(err, client.ErrInvalid))
	var problem *client.Problem
	if errors.As(err, &problem) {
		fmt.Println(problem.Status, problem.Title)
	}
	// Output:
	// invalid: true
	// 422 Invalid request
}

// The body of a provider goes through whole, and keeps its bytes.
func ExamplePayload() {
	url, logKey, bearer, stop := service()
	defer stop()
	ctx := context.Background()
	vault, err := client.New(url, client.Config{Token: bearer, LogKeys: []string{logKey}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer vault.Close()

	chat := json.RawMessage(`{"model": "m", "messages": [ {"role":"user", "content":"mail erika@example.org, caf\u00e9"} ]}`)
	out, err := vault.Tokenize(ctx, client.TokenizeRequest{Scope: "chat-2041", Content: client.Payload{JSON: chat}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tokens.ReplaceAllString(string(out.Payload), "[TOKEN]"))

	back, err := vault.Detokenize(ctx, client.DetokenizeRequest{
		Scope: "chat-2041", Reason: client.Reason{Code: "LLM_RESPONSE"}, Content: client.Payload{JSON: out.Payload},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the same bytes:", string(back.Payload) == string(chat))
	// Output:
	// {"model": "m", "messages": [ {"role":"user", "content":"mail [TOKEN], caf\u00e9"} ]}
	// the same bytes: true
}
