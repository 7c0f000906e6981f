//go:build unix

package failuretest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/storage/postgres/pgtest"
)

// How many calls of the key service a thousand requests make, in the steady
// state: while chats go on none, and a chat that begins takes a key that was
// wrapped in advance, some thirty in one call.
func TestKeyCallsOfAThousandRequests(t *testing.T) {
	s := newPlace(t, pgtest.New(t)).serve()
	const requests, chats = 1000, 20
	name := func(n int) string { return fmt.Sprint("chat-", n%chats) }
	for n := range chats {
		s.must(name(n), "Ann")
	}
	filled := func() bool { // the pool is filled in the background
		before := s.in.KeyCalls()
		time.Sleep(100 * time.Millisecond)
		return s.in.KeyCalls() == before
	}
	for what, row := range map[string]struct {
		chat func(n int) string
		most int64
	}{
		"chats that go on":              {name, 0},
		"every tenth begins a new chat": {func(n int) string { return fmt.Sprint("tenth-", n/10) }, 10},
	} {
		s.until("nothing is wrapped in advance any more", filled)
		before := s.in.KeyCalls()
		var clients sync.WaitGroup
		for client := range workers {
			clients.Go(func() {
				for n := 2 * client; n < requests; n += 2 * workers {
					chat, value := row.chat(n), fmt.Sprint("value ", n)
					a := s.tokenize(chat, value)
					if a.ok() {
						a = s.restored(note{"tokenize", chat, a.body.Values[0], value, a.body.Audit})
					}
					if !a.ok() {
						t.Errorf("%d %s", a.status, a.raw)
					}
				}
			})
		}
		clients.Wait()
		s.until("nothing is wrapped in advance any more", filled)
		after := s.in.KeyCalls()
		calls := after.Calls - before.Calls
		if calls > row.most {
			t.Errorf("%s: %d calls, want %d at most", what, calls, row.most)
		}
		t.Logf("%s: vault calls per 1,000 requests: %d, of %d keys", what, calls, after.Items-before.Items)
	}
}
