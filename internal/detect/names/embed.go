package names

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"sync"
)

//go:embed names.model
var embedded []byte

// Default is the model that ships with the program.
var Default = sync.OnceValue(func() *Model {
	m, err := ReadModel(embedded)
	if err != nil {
		panic("names: the embedded model is broken: " + err.Error())
	}
	return m
})

// rulesRevision is raised whenever code of this package changes what is found.
const rulesRevision = "1"

// Version names the model that ships and the rules around it, without loading it.
var Version = sync.OnceValue(func() string { return rulesRevision + "-" + hashOfModel(embedded) })

func hashOfModel(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}
