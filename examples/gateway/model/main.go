// Command model is a stand-in for a model, to try the gateway without a vendor. It
// speaks OpenAI's chat completions, streams back what it was told in pieces of a few
// bytes, and prints every request as it came, for people to see what a vendor would.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"time"
)

const (
	piece   = 5       // bytes of a delta: shorter than any token, so that each is cut
	maxBody = 8 << 20 // bytes of a request
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8082", "address to listen on")
	pause := flag.Duration("pause", 20*time.Millisecond, "between two pieces")
	flag.Parse()
	http.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) { answer(w, r, *pause) })
	server := http.Server{Addr: *listen, ReadHeaderTimeout: time.Second}
	log.Fatal(server.ListenAndServe())
}

func answer(w http.ResponseWriter, r *http.Request, pause time.Duration) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var prompt struct {
		Messages []struct{ Content string }
	}
	if err == nil {
		err = json.Unmarshal(body, &prompt)
	}
	if err != nil || len(prompt.Messages) == 0 {
		http.Error(w, `{"error":{"message":"no messages"}}`, http.StatusBadRequest)
		return
	}
	fmt.Printf("the model was sent: %s\n", body)
	w.Header().Set("Content-Type", "text/event-stream")
	text := "You said: " + prompt.Messages[len(prompt.Messages)-1].Content
	for len(text) > 0 {
		n := min(piece, len(text))
		for n < len(text) && text[n]&0xC0 == 0x80 { // within a character
			n++
		}
		delta, _ := json.Marshal(text[:n]) // a string has JSON
		text = text[n:]
		_, _ = fmt.Fprintf(w, `data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"stand-in",`+
			`"choices":[{"index":0,"delta":{"role":"assistant","content":%s},"finish_reason":null}]}`+"\n\n", delta)
		_ = http.NewResponseController(w).Flush()
		time.Sleep(pause)
	}
	_, _ = io.WriteString(w, `data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"stand-in",`+
		`"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
}
