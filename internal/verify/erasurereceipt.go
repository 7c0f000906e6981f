package verify

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// MaxReceipt is the size in bytes of the largest receipt that is read: the
// longest leaf, each byte escaped by six, the largest checkpoint, and room for a
// thousand destinations.
const MaxReceipt = 6*audit.MaxLeaf + audit.MaxCheckpoint + 256<<10

// The audiences of a receipt.
const (
	audienceInternal = "internal"
	audienceSubject  = "subject"
)

// erasureReceipt is what of a receipt is checked. Fields that are not here are
// for the reader, and nothing is said of them.
type erasureReceipt struct {
	Audience  string `json:"audience"`
	RequestID string `json:"request_id"`
	Kind      string `json:"kind"`
	Status    string `json:"status"`
	Reference string `json:"reference"`
	Identity  *struct {
		Method string `json:"method"`
	} `json:"identity"`
	ErasedAt        time.Time  `json:"erased_at"`
	CompletedAt     *time.Time `json:"completed_at"`
	ExpectedFinalAt *time.Time `json:"expected_final_at"`
	FinalAt         *time.Time `json:"final_at"`
	Counts          struct {
		Erased   int `json:"erased"`
		Deferred int `json:"deferred"`
		Shared   int `json:"shared"`
		Keys     int `json:"keys"`
		Rekeyed  int `json:"rekeyed"`
	} `json:"counts"`
	Methods []string       `json:"methods"`
	Entry   *string        `json:"entry"`
	Proof   *audit.Receipt `json:"proof"`
}

func (r *erasureReceipt) counts() ErasureCounts { return ErasureCounts(r.Counts) }

// readErasureReceipt reads a receipt in which once finds nothing to be read in
// two ways. Its errors repeat nothing of it.
func readErasureReceipt(text []byte, once func(*json.Decoder) error) (*erasureReceipt, error) {
	if len(text) > MaxReceipt {
		return nil, errReceiptLong
	}
	var r erasureReceipt
	if json.Unmarshal(text, &r) != nil {
		return nil, errReceiptJSON
	}
	if err := once(json.NewDecoder(bytes.NewReader(text))); err != nil {
		return nil, err
	}
	switch {
	case r.Proof == nil:
		return nil, errReceiptProof
	case r.Audience == audienceInternal && r.Entry != nil, r.Audience == audienceSubject && r.Entry == nil:
		return &r, nil
	default:
		return nil, errReceiptEntry
	}
}

// onceEach refuses JSON in which a field could be read in two ways: encoding/json
// takes the last of two equal names and does not mind their case, and a person
// or another reader may take the first. What comes here was parsed before, so it
// is not nested deeper than that parser allows.
func onceEach(d *json.Decoder) error {
	token, err := d.Token()
	if err != nil {
		return errReceiptJSON
	}
	opened, nested := token.(json.Delim)
	if !nested {
		return nil
	}
	seen := make(map[string]bool)
	for d.More() {
		if opened == '{' {
			name, err := d.Token()
			if err != nil {
				return errReceiptJSON
			}
			text, _ := name.(string) // a name is always one
			if seen[text] || strings.ContainsFunc(text, notInName) {
				return errReceiptTwice
			}
			seen[text] = true
		}
		if err := onceEach(d); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return errReceiptJSON
	}
	return nil
}

// notInName: our names are of small letters and _, and no other letter is taken
// for one of them.
func notInName(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }
