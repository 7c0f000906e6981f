package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/counterfoil/counterfoil/client"
)

// maxBody bounds a request, and an answer that does not stream: what the vault takes.
const maxBody = 8 << 20

// passing are the headers that go on to the model: what the vendors' libraries need.
var passing = []string{
	"Authorization", "X-Api-Key", "Content-Type", "Accept", "Openai-Organization", "Openai-Project", "Openai-Beta",
	"Anthropic-Version", "Anthropic-Beta",
}

var reason = client.Reason{Code: "LLM_RESPONSE"}

type gateway struct {
	vault       *client.Client
	model       *url.URL
	destination string
}

func (g *gateway) handler() http.Handler {
	mux := http.NewServeMux()
	for _, path := range []string{"/v1/chat/completions", "/v1/responses", "/v1/messages"} {
		mux.HandleFunc("POST "+path, g.serve)
	}
	return mux
}

func (g *gateway) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	scope := scopeOf(r.Header)
	prompt, err := g.vault.Tokenize(r.Context(), client.TokenizeRequest{
		Scope: scope, Destination: g.destination, Content: client.Payload{JSON: body}, Grant: &client.GrantWish{Reason: reason},
	})
	if errors.Is(err, client.ErrInvalid) || errors.Is(err, client.ErrRequest) {
		refuse(w, http.StatusUnprocessableEntity, err) // a secret in it, perhaps: to be mended, not to be repeated
		return
	} else if err != nil {
		refuse(w, http.StatusBadGateway, err)
		return
	}
	proxy := httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(g.model)
			p.Out.URL.RawQuery, p.Out.Header = "", http.Header{"Accept-Encoding": {"identity"}}
			for _, name := range passing {
				p.Out.Header[name] = p.In.Header[name]
			}
			p.Out.Body, p.Out.ContentLength = io.NopCloser(bytes.NewReader(prompt.Payload)), int64(len(prompt.Payload))
		},
		ModifyResponse: func(answer *http.Response) error { return g.restore(answer, scope, prompt.Grant) },
		ErrorHandler:   func(w http.ResponseWriter, _ *http.Request, err error) { refuse(w, http.StatusBadGateway, err) },
	}
	proxy.ServeHTTP(w, r)
}

// restore puts what gives the values back in the place of the model's answer. Nobody
// has seen anything of it yet: after an error nobody will.
func (g *gateway) restore(answer *http.Response, scope string, grant *client.Grant) error {
	media, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	switch {
	case answer.Header.Get("Content-Encoding") != "" || media != client.EventStream && media != "application/json":
		return fmt.Errorf("the model answered %d with what cannot be read here", answer.StatusCode)
	case grant == nil: // no token went out, so none comes back
		return nil
	case media == client.EventStream:
		answer.Body = restored{g.vault.Restorer(answer.Request.Context(), grant.ID).Stream(answer.Body), answer.Body}
	default:
		body, err := io.ReadAll(http.MaxBytesReader(nil, answer.Body, maxBody))
		if err != nil {
			return err
		}
		back, err := g.vault.Detokenize(answer.Request.Context(), client.DetokenizeRequest{
			Scope: scope, Reason: reason, Content: client.Payload{JSON: body},
		})
		if err != nil {
			return err
		}
		answer.Body = restored{io.NopCloser(bytes.NewReader(back.Payload)), answer.Body}
	}
	answer.Header.Del("Content-Length") // of the answer with tokens
	return nil
}

// restored is an answer with the values. Closing it ends the model's own.
type restored struct {
	io.ReadCloser
	model io.Closer
}

func (r restored) Close() error { return errors.Join(r.ReadCloser.Close(), r.model.Close()) }

// scopeOf names the scope of a request. A header holds no NUL, so that what is joined
// by it reads in one way only.
func scopeOf(h http.Header) string {
	conversation, key := h.Get("X-Conversation"), h.Get("Authorization")+"\x00"+h.Get("X-Api-Key")
	if conversation == "" || key == "\x00" {
		return "request-" + rand.Text()
	}
	sum := sha256.Sum256([]byte(key + "\x00" + conversation))
	return "conversation-" + hex.EncodeToString(sum[:])
}

// refuse passes nothing on. What the vault says names places and rules, never values,
// so the log may have it.
func refuse(w http.ResponseWriter, status int, err error) {
	log.Print("gateway: ", err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"error":{"type":"gateway_error","message":"the gateway passed nothing on"}}`)
}
