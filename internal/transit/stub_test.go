package transit_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/envelope"
	"github.com/counterfoil/counterfoil/internal/transit"
)

// stub is a server that answers what a real one cannot be brought to. It takes
// every login.
func stub(t *testing.T, answer http.HandlerFunc) transit.Config {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "approle/login") {
			_, _ = io.WriteString(w, login)
			return
		}
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return transit.Config{Address: s.URL, Login: transit.Login{AppRole: &transit.AppRole{
		RoleIDFile: written(t, "role"), SecretIDFile: written(t, "secret"),
	}}}
}

const login = `{"auth":{"client_token":"token-of-the-stub","lease_duration":3600,"renewable":true}}`

func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFaultsOfOneItem: whatever the engine says of one item, and by whatever
// status, the others are opened and nothing is concluded of the one.
func TestFaultsOfOneItem(t *testing.T) {
	for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusInternalServerError} {
		w := openWrapper(t, stub(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"data":{"batch_results":[{"plaintext":"AWs="},{"error":"canary: a disk burns"},{"plaintext":"AWs="}]}}`)
		}))
		one := envelope.Wrapped{Version: 1, Bytes: []byte("x")}
		items, err := w.Unwrap(t.Context(), "acme", []envelope.Wrapped{one, one, one})
		if err != nil {
			t.Errorf("status %d: one item fails the call: %v", status, err)
			continue
		}
		for _, i := range []int{0, 2} {
			if items[i].Err != nil || string(items[i].Plain.Reveal()) != "k" {
				t.Errorf("status %d: item %d: %v", status, i, items[i].Err)
			}
		}
		bad := items[1]
		if !errors.Is(bad.Err, envelope.ErrUnavailable) || errors.Is(bad.Err, envelope.ErrAuthentication) || bad.Plain.Len() != 0 ||
			strings.Contains(bad.Err.Error(), "canary") {
			t.Errorf("status %d: the item that failed: %v", status, bad.Err)
		}
	}
}

// TestAnswersThatAreWrong: an answer that is not what was asked for is none,
// and no item of it is used.
func TestAnswersThatAreWrong(t *testing.T) {
	for name, text := range map[string]string{
		"one result too few":  `{"data":{"batch_results":[{"plaintext":"AWs="}]}}`,
		"one result too many": `{"data":{"batch_results":[{"plaintext":"AWs="},{"plaintext":"AWs="},{"plaintext":"AWs="}]}}`,
		"no results":          `{"data":{}}`,
		"cut":                 `{"data":{"batch_results":[{"plaintext":"AWs="},`,
		"nothing":             ``,
	} {
		w := openWrapper(t, stub(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }))
		one := envelope.Wrapped{Version: 1, Bytes: []byte("x")}
		items, err := w.Unwrap(t.Context(), "acme", []envelope.Wrapped{one, one})
		if !errors.Is(err, envelope.ErrUnavailable) || items != nil {
			t.Errorf("%s: %v, %v", name, items, err)
		}
	}
}

// A redirect is not followed: the keys go to the server that was named.
func TestRedirectsAreNotFollowed(t *testing.T) {
	address, asked := somebodyElse(t, httptest.NewServer)
	w := openWrapper(t, stub(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, address+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	if _, err := w.Wrap(t.Context(), "acme", [][]byte{[]byte("key")}); !errors.Is(err, envelope.ErrUnavailable) {
		t.Errorf("redirected: %v", err)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests went where the redirect led", n)
	}
}

// TestKubernetesLogin: the token of the service account is sent to the mount
// that was named, and is read anew for each login.
func TestKubernetesLogin(t *testing.T) {
	type request struct{ Path, Role, JWT string }
	asked := make(chan request, 10)
	c := stub(t, func(w http.ResponseWriter, r *http.Request) {
		got := request{Path: r.URL.Path}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		asked <- got
		_, _ = io.WriteString(w, login)
	})
	file := written(t, "jwt-1")
	c.Login = transit.Login{Kubernetes: &transit.Kubernetes{Mount: "cluster-7", Role: "counterfoil", JWTFile: file}}
	for _, jwt := range []string{"jwt-1", "jwt-2"} {
		if err := os.WriteFile(file, []byte(jwt), 0o600); err != nil {
			t.Fatal(err)
		}
		openWrapper(t, c)
		want := request{Path: "/v1/auth/cluster-7/login", Role: "counterfoil", JWT: jwt}
		if got := <-asked; got != want {
			t.Errorf("logged in with %+v, want %+v", got, want)
		}
	}
}
