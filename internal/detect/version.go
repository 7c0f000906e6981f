package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
)

// rulesRevision is raised whenever code changes what is found. Changes of tables change the version by themselves.
const rulesRevision = 1

// phoneLibrary is the version of the phone metadata, a part of the rules. A test compares it with go.mod.
const phoneLibrary = "github.com/nyaruka/phonenumbers v1.8.1"

// fingerprint names everything that decides what a Detector finds.
func fingerprint(thresholds map[string]float64) string {
	h := sha256.New()
	put := func(values ...any) {
		_, _ = fmt.Fprintf(h, "%q\n", fmt.Sprint(values...)) // a hash takes everything
	}
	put(phoneLibrary)
	for _, e := range slices.Sorted(maps.Keys(thresholds)) {
		put(e, thresholds[e])
	}
	for _, r := range secretRules {
		put(r)
	}
	for _, is := range issuers {
		put(is)
	}
	for _, country := range slices.Sorted(maps.Keys(ibanFormats)) {
		put(country, ibanFormats[country])
	}
	for _, set := range []words{cardWords, ssnWords, ipWords, ibanWords, phoneWords} {
		for _, w := range slices.Sorted(maps.Keys(set)) {
			put(w, set[w])
		}
		put("end")
	}
	return fmt.Sprintf("%d-%s", rulesRevision, hex.EncodeToString(h.Sum(nil)[:8]))
}
