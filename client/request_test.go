package client_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

func TestRequestsThatCannotBeMeantAreNotSent(t *testing.T) {
	s := newStub(t, refuses(403, "denied"))
	c := s.client(t)
	ask := func(change func(*client.TokenizeRequest)) error {
		r := prompt("x")
		change(&r)
		_, err := c.Tokenize(t.Context(), r)
		return err
	}
	with := func(content client.Tokenizable) error {
		return ask(func(r *client.TokenizeRequest) { r.Content = content })
	}
	raw := func(s string) error { return with(client.Payload{JSON: json.RawMessage(s)}) }
	scope := func(r client.OpenScopeRequest) error { _, err := c.OpenScope(t.Context(), r); return err }
	give := func(r client.DetokenizeRequest) error { _, err := c.Detokenize(t.Context(), r); return err }
	for name, err := range map[string]error{
		"no content":           with(nil),
		"no content to give":   give(restore(nil)),
		"no values":            with(client.Values{}),
		"no tokens":            give(restore(client.Tokens{})),
		"no payload":           raw(""),
		"a list":               raw(`[{}]`),
		"null":                 raw(`null`),
		"two payloads":         raw(`{} {}`),
		"a field beside":       raw(`{},"scope":"other"`),
		"half a payload":       raw(`{"a":`),
		"text not UTF-8":       with(client.Text("a\xffb")),
		"span text not UTF-8":  with(client.SpannedText{Text: "\xff"}),
		"value not UTF-8":      with(client.Values{{Entity: "PERSON", Value: "a\xffb"}}),
		"token not UTF-8":      give(restore(client.Tokens{"\xff"})),
		"scope not UTF-8":      ask(func(r *client.TokenizeRequest) { r.Scope = "\xff" }),
		"a read scope":         ask(func(r *client.TokenizeRequest) { r.ReadScopes = []string{"\xff"} }),
		"note not UTF-8":       give(client.DetokenizeRequest{Scope: "a", Reason: client.Reason{Code: "A", Note: "\xff"}, Content: client.Text("x")}),
		"part of a second":     ask(func(r *client.TokenizeRequest) { r.TTL = 1500 * time.Millisecond }),
		"less than no time":    scope(client.OpenScopeRequest{Scope: "a", Kind: "case", TTL: -time.Second}),
		"part of idle":         scope(client.OpenScopeRequest{Scope: "a", Kind: "case", IdleTTL: time.Millisecond}),
		"end user with space":  ask(func(r *client.TokenizeRequest) { r.OnBehalfOf = "erika " }),
		"end user in lines":    ask(func(r *client.TokenizeRequest) { r.OnBehalfOf = "erika\nHost: x" }),
		"end user too long":    ask(func(r *client.TokenizeRequest) { r.OnBehalfOf = strings.Repeat("x", 257) }),
		"end user not UTF-8":   ask(func(r *client.TokenizeRequest) { r.OnBehalfOf = "\xff" }),
		"a key with a space":   ask(func(r *client.TokenizeRequest) { r.IdempotencyKey = "a b" }),
		"a key that is longer": ask(func(r *client.TokenizeRequest) { r.IdempotencyKey = strings.Repeat("x", 129) }),
		"a key with letters":   ask(func(r *client.TokenizeRequest) { r.IdempotencyKey = "é" }),
	} {
		if !errors.Is(err, client.ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(s.got()) != 0 {
		t.Errorf("%d requests were sent", len(s.got()))
	}
	// The twin: as they were meant, they are sent.
	for name, err := range map[string]error{
		"text": with(client.Text("a\uFFFDb")), "a payload": raw(` {"a":1} `), "an hour": ask(func(r *client.TokenizeRequest) { r.TTL = time.Hour }),
		"an end user": ask(func(r *client.TokenizeRequest) { r.OnBehalfOf = "Erika M." }), "no reason": give(client.DetokenizeRequest{Scope: "a", Content: client.Text("x")}),
	} {
		if !errors.Is(err, client.ErrDenied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(s.got()) != 5 {
		t.Errorf("%d requests were sent", len(s.got()))
	}
}

func TestARequestIsWrittenOnce(t *testing.T) {
	s := newStub(t, refuses(403, "denied"))
	c := s.client(t)
	_, _ = c.Tokenize(t.Context(), client.TokenizeRequest{
		Scope: "a<b>", Subject: "s", Destination: "d", SourceRef: "doc#4", TTL: time.Minute, Format: client.FormatOpaque, Existing: client.ExistingWrap,
		ReadScopes: []string{"r"}, Entities: []string{"PERSON"}, Content: client.Payload{JSON: json.RawMessage(`{"x" : 1e400}`), Shape: "json"},
	})
	want := `{"scope":"a<b>","subject":"s","destination":"d","source_ref":"doc#4","ttl":60,"format":"opaque","detect":{"enabled":true,"entities":["PERSON"]},` +
		`"existing_tokens":"wrap","read_scopes":["r"],"shape":"json","payload":{"x" : 1e400}}`
	if got := s.got()[0].body; got != want {
		t.Errorf("sent %s\nwant %s", got, want)
	}
	if h := s.got()[0].header; h.Get("Content-Type") != "application/json" || h.Get("Accept-Encoding") == "gzip" {
		t.Errorf("%v", h)
	}
}

// An answer of another kind than was asked for is none: what is missing would
// pass for an empty text.
func TestAnAnswerOfAnotherKindIsRefused(t *testing.T) {
	l := newLedger(t, acmeLog, 1).append(t, "a")
	r := l.receipt(t, 0, 1)
	audit, _ := json.Marshal(r)
	for name, c := range map[string]struct {
		fields  string
		content client.Restorable
		good    bool
	}{
		"text":              {`"text":""`, client.Text("x"), true},
		"no text":           {`"results":[]`, client.Text("x"), false},
		"null":              {`"text":null`, client.Text("x"), false},
		"values for text":   {`"values":["x"]`, client.Text("x"), false},
		"two kinds":         {`"text":"x","values":["x"]`, client.Text("x"), false},
		"values":            {`"values":["a","b"]`, client.Tokens{"a", "b"}, true},
		"a value too few":   {`"values":["a"]`, client.Tokens{"a", "b"}, false},
		"a value too many":  {`"values":["a","b","c"]`, client.Tokens{"a", "b"}, false},
		"payload":           {`"payload":{ }`, client.Payload{JSON: json.RawMessage(`{}`)}, true},
		"no payload":        {`"payload":null`, client.Payload{JSON: json.RawMessage(`{}`)}, false},
		"text for payload":  {`"text":"{}"`, client.Payload{JSON: json.RawMessage(`{}`)}, false},
		"payload is a list": {`"payload":[]`, client.Payload{JSON: json.RawMessage(`{}`)}, false},
	} {
		s := newStub(t, says(200, "application/json; charset=utf-8", `{`+c.fields+`,"audit":`+string(audit)+`,"later":1}`))
		one := s.client(t, func(cfg *client.Config) { cfg.LogKeys = []string{l.signer.VerifierKey()} })
		out, err := one.Detokenize(t.Context(), restore(c.content))
		if c.good != (err == nil) || c.good != (out != nil) || !c.good && !errors.Is(err, client.ErrAnswer) {
			t.Errorf("%s: %+v %v", name, out, err)
		}
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	whole := func() client.Config { return client.Config{Token: constant(secret), LogKeys: pinned(t)} }
	for address, good := range map[string]bool{
		"https://vault.example.com": true, "https://vault.example.com:8443/prefix": true, "http://127.0.0.1:8080": true, "http://[::1]:1": true, "http://localhost": true,
		"http://vault.example.com": false, "http://10.0.0.1": false, "http://localhost.example.com": false, "http://127.0.0.1.example.com": false,
		"https://user:" + secret + "@vault.example.com": false, "https://vault.example.com?x=1": false, "https://vault.example.com#x": false,
		"ftp://vault.example.com": false, "vault.example.com": false, "": false, "https://": false, "https://:443": false, "https:vault": false, "https://a b": false, "://\x00" + secret: false,
	} {
		_, err := client.New(address, whole())
		if good != (err == nil) || !good && !errors.Is(err, client.ErrConfig) {
			t.Errorf("%q: %v", address, err)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the password is in the error: %v", err)
		}
	}
	globex := newLedger(t, "vault.example/log/globex", 2).signer.VerifierKey()
	for name, change := range map[string]func(*client.Config){
		"no source":          func(cfg *client.Config) { cfg.Token = nil },
		"no keys":            func(cfg *client.Config) { cfg.LogKeys = nil },
		"keys and trust":     func(cfg *client.Config) { cfg.TrustOnFirstUse = true },
		"keys that are none": func(cfg *client.Config) { cfg.LogKeys = []string{"x"} },
		"keys of two logs":   func(cfg *client.Config) { cfg.LogKeys = append(cfg.LogKeys, globex) },
		"a key of no tenant": func(cfg *client.Config) { cfg.LogKeys = []string{newLedger(t, "acme", 1).signer.VerifierKey()} },
		"too many keys":      func(cfg *client.Config) { cfg.LogKeys = slices.Repeat(cfg.LogKeys, 33) },
		"a negative limit":   func(cfg *client.Config) { cfg.Attempts = -1 },
		"an agent in lines":  func(cfg *client.Config) { cfg.UserAgent = "a\nb" },
	} {
		cfg := whole()
		change(&cfg)
		if _, err := client.New("https://vault.example.com", cfg); !errors.Is(err, client.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	plain := whole()
	plain.AllowPlainHTTP, plain.HTTP = true, &http.Client{}
	if _, err := client.New("http://vault.example.com", plain); err != nil {
		t.Errorf("plain HTTP where it is allowed: %v", err)
	}
}
