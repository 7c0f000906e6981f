package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// rulesRevision is raised whenever code changes what is found. Changes of tables change the version by themselves.
const rulesRevision = 2

// phoneLibrary is the version of the phone metadata, a part of the rules. A test compares it with go.mod.
const phoneLibrary = "github.com/nyaruka/phonenumbers v1.8.1"

// fingerprint names everything that decides what a Detector finds.
func fingerprint(thresholds map[string]float64) string {
	h := sha256.New()
	put := func(v any) {
		_, _ = fmt.Fprintf(h, "%#v\n", v) // a hash takes everything; fmt prints maps in the order of their keys
	}
	put(thresholds)
	for _, f := range families() {
		for _, fact := range f.facts {
			put(fact)
		}
	}
	return fmt.Sprintf("%d-%s", rulesRevision, hex.EncodeToString(h.Sum(nil)[:8]))
}
