package main

import (
	"strings"
	"testing"
)

// A tenant is suspended, resumed and closed on purpose, while the service is
// stopped; what the list says is what the service then does, and the logs that
// say so verify.
func TestTenantStates(t *testing.T) {
	s := newSite(t).ready()
	try := func(wantServed bool) {
		t.Helper()
		v := s.serve()
		defer v.end()
		err := roundTrip(s.client(), v.url, s.issuer.credential("acme", "llm-gateway"), "chat-1")
		if (err == nil) != wantServed {
			t.Errorf("served: %v, want %v", err, wantServed)
		}
	}
	list := func(state string) {
		t.Helper()
		if out := s.must("tenant", "list"); !strings.HasSuffix(strings.TrimSpace(out), " "+state) {
			t.Errorf("the list says %q, want %s", out, state)
		}
	}
	try(true)
	list("active")
	if out := s.must("tenant", "suspend", "--tenant", "acme"); out != "tenant acme is suspended\n" {
		t.Errorf("suspend prints %q", out)
	}
	list("suspended")
	try(false)
	if code, _, stderr := s.run("tenant", "suspend", "--tenant", "acme"); code != exitError || !strings.Contains(stderr, "in that state") {
		t.Errorf("twice: %d %s", code, stderr)
	}
	s.must("tenant", "resume", "--tenant", "acme")
	list("active")
	try(true)
	if code, _, _ := s.run("tenant", "close", "--tenant", "acme"); code == exitOK {
		t.Error("closed without --yes")
	}
	s.must("tenant", "close", "--tenant", "acme", "--yes")
	list("closed")
	if code, _, stderr := s.run("tenant", "resume", "--tenant", "acme"); code != exitError || !strings.Contains(stderr, "closed") {
		t.Errorf("resumed what was closed: %d %s", code, stderr)
	}
	try(false)
	s.must("verify")
	v := s.serve()
	defer v.end()
	if code, _, stderr := s.run("tenant", "suspend", "--tenant", "acme"); code != exitError || !strings.Contains(stderr, "the service is running") {
		t.Errorf("while it is running: %d %s", code, stderr)
	}
}
