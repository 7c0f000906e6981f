package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/httpapi"
)

type exposure struct {
	Name, Vendor, Region string
	Training             bool
	BAA, DPA             *struct {
		Ref     string
		InForce bool `json:"in_force"`
	}
	InClear []string `json:"in_clear"`
	Sent    []struct {
		Entity, Class string
		Mappings      int
		FirstSent     time.Time `json:"first_sent"`
	}
}

// What vendors have is told by numbers: of what several of them have, each.
func TestExposureSaysWhatVendorsHave(t *testing.T) {
	w := newWorld(t, httpapi.Limits{})
	w.Post("/v1/tokenize", m{
		"scope": "chat-1", "destinations": []string{"openai/us", "default"}, "text": "Write to kanarie@example.org",
	}).Want(http.StatusOK)
	w.Post("/v1/tokenize", m{"scope": "chat-2", "destination": "openai/us", "text": "Write to max@example.org"}).Want(http.StatusOK)
	answer := w.As("privacy").Get("/v1/destinations/exposure").Want(http.StatusOK)
	if strings.Contains(string(answer.Body), "@example") {
		t.Errorf("a value came out: %s", answer.Body)
	}
	var told struct{ Destinations []exposure }
	answer.Decode(&told)
	sent := make(map[string]int)
	for _, d := range told.Destinations {
		for _, line := range d.Sent {
			if line.Entity != "EMAIL_ADDRESS" || line.Class != "confidential" || line.FirstSent.IsZero() {
				t.Errorf("%s: %+v", d.Name, line)
			}
			sent[d.Name] += line.Mappings
		}
		if d.Name == "openai/us" && (d.Vendor != "OpenAI" || d.Region == "") {
			t.Errorf("vendor: %+v", d)
		}
	}
	if sent["openai/us"] != 2 || sent["default"] != 1 || len(sent) != 2 {
		t.Errorf("sent: %v", sent)
	}
	w.As("restorer").Get("/v1/destinations/exposure").Want(http.StatusForbidden)

	for name, c := range map[string]refused{
		"one and several": {"/v1/tokenize", m{"scope": "chat-1", "destination": "openai/us", "destinations": []string{"default"}, "text": "x"}, 422, "/destinations", "go without destination", ""},
		"none of several": {"/v1/tokenize", m{"scope": "chat-1", "destinations": []string{}, "text": "x"}, 422, "/destinations", "", ""},
		"one twice":       {"/v1/tokenize", m{"scope": "chat-1", "destinations": []string{"default", "default"}, "text": "x"}, 422, "/destinations", "must differ", ""},
		"an unknown one":  {"/v1/tokenize", m{"scope": "chat-1", "destinations": []string{"default", "nowhere"}, "text": "x"}, 422, "/destinations/1", "is not in the list of destinations", ""},
		"too many":        {"/v1/tokenize", m{"scope": "chat-1", "destinations": strings.Split("a,b,c,d,e,f,g,h,i", ","), "text": "x"}, 413, "/destinations", "", "destinations"},
	} {
		c.check(t, name, w.Client)
	}
}
