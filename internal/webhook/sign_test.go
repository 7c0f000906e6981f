package webhook_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/webhook"
)

// The vector of the specification's own libraries.
func TestSignatureOfTheSpecification(t *testing.T) {
	secret, err := webhook.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	at, body := time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	if got := webhook.Sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	header := http.Header{}
	header.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	header.Set("webhook-timestamp", "1614265330")
	header.Set("webhook-signature", "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg== v1,AAAA "+want)
	if err := webhook.Verify(header, body, secret, at); err != nil {
		t.Errorf("among others: %v", err)
	}
}

func signed() http.Header {
	return http.Header{
		webhook.HeaderID: {"n1"}, webhook.HeaderTimestamp: {fmt.Sprint(now.Unix())},
		webhook.HeaderSignature: {webhook.Sign(secretA, "n1", now, []byte("{}"))},
	}
}

func TestVerifyRefuses(t *testing.T) {
	set := func(name string, values ...string) func(http.Header) { return func(h http.Header) { h[name] = values } }
	whole := signed().Get(webhook.HeaderSignature)
	for name, tt := range map[string]struct {
		change func(http.Header)
		want   error
	}{
		"nothing":              {func(http.Header) {}, nil},
		"no id":                {set(webhook.HeaderID), webhook.ErrHeader},
		"an empty id":          {set(webhook.HeaderID, ""), webhook.ErrHeader},
		"another id":           {set(webhook.HeaderID, "n2"), webhook.ErrSignature},
		"two ids":              {set(webhook.HeaderID, "n1", "n2"), webhook.ErrHeader},
		"an id with a stop":    {set(webhook.HeaderID, "n1.1"), webhook.ErrHeader},
		"no time":              {set(webhook.HeaderTimestamp), webhook.ErrHeader},
		"a time later":         {set(webhook.HeaderTimestamp, fmt.Sprint(now.Unix()+1)), webhook.ErrSignature},
		"a time with a plus":   {set(webhook.HeaderTimestamp, "+"+fmt.Sprint(now.Unix())), webhook.ErrHeader},
		"a time with a zero":   {set(webhook.HeaderTimestamp, "0"+fmt.Sprint(now.Unix())), webhook.ErrHeader},
		"a fraction":           {set(webhook.HeaderTimestamp, fmt.Sprint(now.Unix())+".0"), webhook.ErrHeader},
		"a time in letters":    {set(webhook.HeaderTimestamp, "now"), webhook.ErrHeader},
		"a time beyond all":    {set(webhook.HeaderTimestamp, "9223372036854775808"), webhook.ErrHeader},
		"the last time":        {set(webhook.HeaderTimestamp, "9223372036854775807"), webhook.ErrStale},
		"the first time":       {set(webhook.HeaderTimestamp, "-9223372036854775808"), webhook.ErrStale},
		"no signature":         {set(webhook.HeaderSignature), webhook.ErrHeader},
		"blanks":               {set(webhook.HeaderSignature, "   "), webhook.ErrSignature},
		"no version":           {set(webhook.HeaderSignature, strings.TrimPrefix(whole, "v1,")), webhook.ErrSignature},
		"another version":      {set(webhook.HeaderSignature, "v2"+whole[2:]), webhook.ErrSignature},
		"cut":                  {set(webhook.HeaderSignature, whole[:len(whole)-1]), webhook.ErrSignature},
		"and more":             {set(webhook.HeaderSignature, whole+"="), webhook.ErrSignature},
		"with commas":          {set(webhook.HeaderSignature, "v1,x,"+whole[3:]), webhook.ErrSignature},
		"by another":           {set(webhook.HeaderSignature, webhook.Sign(secretB, "n1", now, []byte("{}"))), webhook.ErrSignature},
		"of another body":      {set(webhook.HeaderSignature, webhook.Sign(secretA, "n1", now, []byte("{ }"))), webhook.ErrSignature},
		"without a secret":     {set(webhook.HeaderSignature, webhook.Sign(nil, "n1", now, []byte("{}"))), webhook.ErrSignature},
		"one of two is ours":   {set(webhook.HeaderSignature, "v1,AAAA "+whole), nil},
		"a field for each one": {set(webhook.HeaderSignature, "v1,AAAA", whole), webhook.ErrHeader},
	} {
		header := signed()
		tt.change(header)
		if err := webhook.Verify(header, []byte("{}"), secretA, now); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	for d, ok := range map[time.Duration]bool{
		-webhook.Tolerance: true, webhook.Tolerance: true, -webhook.Tolerance - time.Second: false, webhook.Tolerance + time.Second: false,
	} {
		if err := webhook.Verify(signed(), []byte("{}"), secretA, now.Add(d)); (err == nil) != ok {
			t.Errorf("%s away: %v", d, err)
		}
	}
}

// Any change of what is signed is found, and no change leaves it good.
func TestSignatureCoversEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOfN(rapid.Byte(), 1, 64).Draw(t, "body")
		id := rapid.StringMatching(`[a-z0-9]{1,8}`).Draw(t, "id")
		header := http.Header{
			webhook.HeaderID: {id}, webhook.HeaderTimestamp: {fmt.Sprint(now.Unix())},
			webhook.HeaderSignature: {webhook.Sign(secretA, id, now, body)},
		}
		if err := webhook.Verify(header, body, secretA, now); err != nil {
			t.Fatal(err)
		}
		place := rapid.IntRange(0, len(body)-1).Draw(t, "place")
		changed := bytes.Clone(body)
		changed[place] ^= rapid.ByteRange(1, 255).Draw(t, "change")
		if webhook.Verify(header, changed, secretA, now) == nil || webhook.Verify(header, append(body, 0), secretA, now) == nil {
			t.Fatal("another body verifies")
		}
		// A stop that moves from one part to the next is another message.
		moved := header.Clone()
		moved.Set(webhook.HeaderID, id+"."+fmt.Sprint(now.Unix()))
		if webhook.Verify(moved, body, secretA, now) == nil {
			t.Fatal("another id verifies")
		}
	})
}

func FuzzParseSecret(f *testing.F) {
	encode := base64.StdEncoding.EncodeToString
	seeds := []string{
		"whsec_" + encode(secretA), "whsec_" + encode(secretB), "whsec_", "", encode(secretA), "WHSEC_" + encode(secretA),
		"whsec_" + encode(secretA[:23]), "whsec_" + encode(append(secretB, 'c')), "whsec_" + encode(secretA) + "\n", "whsec_whsec_",
		"whsec_" + base64.RawStdEncoding.EncodeToString(secretA), "whsec_" + base64.URLEncoding.EncodeToString(bytes.Repeat([]byte{255}, 24)),
	}
	parsed := 0
	for _, seed := range seeds {
		if _, err := webhook.ParseSecret(seed); err == nil {
			parsed++
		}
		f.Add(seed)
	}
	if parsed != 2 {
		f.Fatalf("%d of the seeds are secrets, want 2", parsed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		secret, err := webhook.ParseSecret(text)
		switch {
		case err != nil && (!errors.Is(err, webhook.ErrSecret) || err.Error() != webhook.ErrSecret.Error()):
			t.Fatalf("the error is %v", err)
		case err == nil && "whsec_"+encode(secret) != text:
			t.Fatal("a secret has two spellings")
		case err == nil && (len(secret) < webhook.MinSecretBytes || len(secret) > webhook.MaxSecretBytes):
			t.Fatalf("a secret of %d bytes", len(secret))
		}
	})
}

func TestNext(t *testing.T) {
	spread := map[time.Time]bool{}
	total := time.Duration(0)
	for n, wait := range webhook.Schedule {
		for range 50 {
			at := webhook.Next(n+1, now)
			if at.Before(now.Add(wait)) || at.After(now.Add(wait+webhook.Jitter(wait))) {
				t.Fatalf("after %d attempts: %s, want %s and a little more", n+1, at.Sub(now), wait)
			}
			spread[at] = true
		}
		total += wait
	}
	if len(spread) < 400 {
		t.Errorf("only %d different times: what failed together comes together", len(spread))
	}
	// A review is due in 72 hours: whoever is told of it is told until then.
	if total < 72*time.Hour || total > 96*time.Hour {
		t.Errorf("the last attempt is after %s", total)
	}
	for _, attempts := range []int{webhook.MaxAttempts, webhook.MaxAttempts + 1, 1 << 40} {
		if !webhook.Next(attempts, now).IsZero() {
			t.Errorf("another attempt after %d", attempts)
		}
	}
	for _, attempts := range []int{0, -1} {
		if at := webhook.Next(attempts, now); at.Before(now) || at.After(now.Add(10*time.Second)) {
			t.Errorf("after %d attempts: %s", attempts, at)
		}
	}
}
