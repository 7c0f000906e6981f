package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/client"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8081", "address to listen on")
	vault := flag.String("vault", "http://127.0.0.1:8080", "URL of the vault")
	tokenFile := flag.String("token-file", "", "file with the credential of the gateway, read for each request")
	logKey := flag.String("log-key", "", "file with the public key of the tenant's log")
	upstream := flag.String("upstream", "https://api.openai.com", "URL of the model")
	destination := flag.String("destination", "openai/us", "its name in the policy of the vault")
	flag.Parse()
	key, err := os.ReadFile(*logKey)
	exitOn(err)
	model, err := url.Parse(*upstream)
	exitOn(err)
	c, err := client.New(*vault, client.Config{
		LogKeys: []string{strings.TrimSpace(string(key))},
		Token: func(context.Context) (string, error) {
			bearer, err := os.ReadFile(*tokenFile)
			return strings.TrimSpace(string(bearer)), err
		},
	})
	exitOn(err)
	server := http.Server{
		Addr: *listen, Handler: (&gateway{c, model, *destination}).handler(),
		ReadHeaderTimeout: 10 * time.Second, // of somebody who only opens connections
	}
	exitOn(server.ListenAndServe())
}

func exitOn(err error) {
	if err != nil {
		log.Fatal("gateway: ", err)
	}
}
