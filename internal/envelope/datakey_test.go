package envelope_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

func TestSealOpenProperty(t *testing.T) {
	k := knownKey(t, "key")
	rapid.Check(t, func(t *rapid.T) {
		b := place()
		b.Scope, b.Token = rapid.String().Draw(t, "scope"), rapid.String().Draw(t, "token")
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		given := bytes.Clone(plain)
		sealed, err := k.Seal(b, plain)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(plain, given) {
			t.Fatal("Seal changes its argument")
		}
		if len(sealed) != len(plain)+29 {
			t.Fatalf("%d bytes seal to %d", len(plain), len(sealed))
		}
		kept := bytes.Clone(sealed)
		opened, err := k.Open(b, sealed)
		if err != nil || !bytes.Equal(opened, plain) {
			t.Fatalf("it opens as %d bytes of %d: %v", len(opened), len(plain), err)
		}
		if !bytes.Equal(kept, sealed) {
			t.Fatal("Open changes its argument")
		}
	})
}

// TestTampering changes, cuts and extends a sealed value at every byte.
func TestTampering(t *testing.T) {
	k := knownKey(t, "key")
	sealed, err := k.Seal(place(), []byte("a value"))
	if err != nil {
		t.Fatal(err)
	}
	bad := [][]byte{nil, {}, append(bytes.Clone(sealed), 0), append([]byte{1}, sealed...)}
	for i := range sealed {
		for bit := range 8 {
			changed := bytes.Clone(sealed)
			changed[i] ^= 1 << bit
			bad = append(bad, changed)
		}
		bad = append(bad, sealed[:i], sealed[i+1:])
	}
	for i, b := range bad {
		plain, err := k.Open(place(), b)
		if !errors.Is(err, envelope.ErrAuthentication) || plain != nil {
			t.Fatalf("change %d: %d bytes of plaintext, %v", i, len(plain), err)
		}
	}
}

// TestNonces: no two seals share a nonce, and equal values do not look equal.
func TestNonces(t *testing.T) {
	const seals = 20_000
	k := knownKey(t, "key")
	if err := repeatedNonce(seals, func() ([]byte, error) { return k.Seal(place(), []byte("a value")) }); err != nil {
		t.Error(err)
	}
}

func TestNoncesTwinConstantNonceIsNoticed(t *testing.T) {
	sealed, err := knownKey(t, "key").Seal(place(), []byte("a value"))
	if err != nil {
		t.Fatal(err)
	}
	if err := repeatedNonce(2, func() ([]byte, error) { return sealed, nil }); err == nil {
		t.Error("a repeated nonce was not noticed")
	}
}

func repeatedNonce(n int, seal func() ([]byte, error)) error {
	seen := map[string]bool{}
	for i := range n {
		sealed, err := seal()
		if err != nil {
			return err
		}
		nonce := string(sealed[1:13])
		if seen[nonce] {
			return fmt.Errorf("seal %d repeats a nonce", i)
		}
		seen[nonce] = true
	}
	return nil
}

func TestWipe(t *testing.T) {
	k := knownKey(t, "key")
	sealed, err := k.Seal(place(), []byte("a value"))
	if err != nil {
		t.Fatal(err)
	}
	k.Wipe()
	k.Wipe()
	if _, err := k.Seal(place(), []byte("a value")); !errors.Is(err, envelope.ErrWiped) {
		t.Errorf("Seal after Wipe: %v, not ErrWiped", err)
	}
	if _, err := k.Open(place(), sealed); !errors.Is(err, envelope.ErrWiped) {
		t.Errorf("Open after Wipe: %v, not ErrWiped", err)
	}
}

// TestWipeWhileInUse: what began before a Wipe gives the right result, what
// began after it ErrWiped, and nothing else ever. The race detector watches.
func TestWipeWhileInUse(t *testing.T) {
	for range 50 {
		k := knownKey(t, "key")
		sealed, err := k.Seal(place(), []byte("a value"))
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for {
					plain, err := k.Open(place(), sealed)
					if errors.Is(err, envelope.ErrWiped) {
						return
					}
					if err != nil || string(plain) != "a value" {
						t.Errorf("%q, %v", plain, err)
						return
					}
				}
			})
		}
		group.Go(k.Wipe)
		group.Wait()
	}
}

func TestSealRefuses(t *testing.T) {
	k := knownKey(t, "key")
	long := strings.Repeat("x", envelope.MaxField+1)
	for name, b := range map[string]envelope.Binding{
		"no purpose":     {Tenant: tenant},
		"no tenant":      {Purpose: "value"},
		"another tenant": {Purpose: "value", Tenant: "globex"},
		"long scope":     {Purpose: "value", Tenant: tenant, Scope: long},
		"long class":     {Purpose: "value", Tenant: tenant, Class: long},
	} {
		if _, err := k.Seal(b, []byte("a value")); !errors.Is(err, envelope.ErrInvalid) {
			t.Errorf("%s: %v, not ErrInvalid", name, err)
		}
	}
	if _, err := k.Seal(place(), make([]byte, envelope.MaxPlaintext+1)); !errors.Is(err, envelope.ErrInvalid) {
		t.Errorf("a value that is too long: %v, not ErrInvalid", err)
	}
	longest := envelope.Binding{Purpose: "value", Tenant: tenant, Scope: long[1:], Token: long[1:], Class: long[1:]}
	sealed, err := k.Seal(longest, []byte("a value"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Open(longest, sealed); err != nil {
		t.Errorf("the longest fields: %v", err)
	}
}

func TestDataKeySize(t *testing.T) {
	for _, n := range []int{0, 16, 24, 31, 33} { // 16 and 24 would be weaker ciphers
		if _, err := envelope.NewDataKey(tenant, "id", make([]byte, n)); !errors.Is(err, envelope.ErrAuthentication) {
			t.Errorf("%d bytes: %v, not ErrAuthentication", n, err)
		}
	}
}
