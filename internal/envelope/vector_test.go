package envelope_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/counterfoil/counterfoil/internal/envelope"
)

// vectorFile is testdata/vectors.json, computed by testdata/vectors.py.
type vectorFile struct {
	Seals []struct {
		Key, Plain, Sealed string
		Binding            envelope.Binding
	}
	Frames []struct {
		Purpose                 envelope.Purpose
		Tenant, ID, Key, Framed string
	}
	Digests []struct {
		Key, Label, Digest string
		Fields             []string
	}
}

func readVectors(t testing.TB) vectorFile {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectorFile
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Seals) == 0 || len(v.Frames) == 0 || len(v.Digests) == 0 {
		t.Fatal("no vectors")
	}
	return v
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVectorsSeal(t *testing.T) {
	for i, v := range readVectors(t).Seals {
		k, err := envelope.NewDataKey(v.Binding.Tenant, "id", unhex(t, v.Key))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := k.Open(v.Binding, unhex(t, v.Sealed))
		if err != nil {
			t.Errorf("vector %d: %v", i, err)
		}
		if diff := cmp.Diff(v.Plain, hex.EncodeToString(plain)); diff != "" {
			t.Errorf("vector %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestVectorsFrame(t *testing.T) {
	for i, v := range readVectors(t).Frames {
		framed := envelope.Frame(v.Purpose, v.Tenant, v.ID, unhex(t, v.Key))
		if diff := cmp.Diff(v.Framed, hex.EncodeToString(framed)); diff != "" {
			t.Errorf("vector %d (-want +got):\n%s", i, diff)
		}
		key, err := envelope.Unframe(v.Purpose, v.Tenant, v.ID, framed)
		if err != nil || hex.EncodeToString(key) != v.Key {
			t.Errorf("vector %d does not unframe: %v", i, err)
		}
	}
}

func TestVectorsDigest(t *testing.T) {
	seen := map[string]bool{}
	for i, v := range readVectors(t).Digests {
		k, err := envelope.NewIndexKey(envelope.NewSecret(unhex(t, v.Key)))
		if err != nil {
			t.Fatal(err)
		}
		got := digestOf(k, v.Label, v.Fields)
		if diff := cmp.Diff(v.Digest, hex.EncodeToString(got[:])); diff != "" {
			t.Errorf("vector %d, %s (-want +got):\n%s", i, v.Label, diff)
		}
		seen[v.Label] = true
	}
	for label := range digestFields {
		if !seen[label] {
			t.Errorf("no vector for the label %s", label)
		}
	}
}

// digestFields tells how many fields each digest takes.
var digestFields = map[string]int{
	"identity": 4, "lookup": 2, "scope": 1, "subject": 1, "end-user": 1, "client": 1, "note": 1,
}

// digestOf makes a digest by the name of its label.
func digestOf(k *envelope.IndexKey, label string, f []string) [32]byte {
	switch label {
	case "identity":
		return k.Identity(f[0], f[1], f[2], []byte(f[3]))
	case "lookup":
		return k.Lookup(f[0], f[1])
	case "scope":
		return k.Scope(f[0])
	case "subject":
		return k.Subject(f[0])
	case "end-user":
		return k.EndUser(f[0])
	case "client":
		return k.Client(f[0])
	case "note":
		return k.Note(f[0])
	}
	panic("no such label: " + label)
}
