package evidence

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/counterfoil/counterfoil/internal/audit"
)

// populationFile is a population as JSON.
type populationFile struct {
	Kind   PopulationKind `json:"kind"`
	Period periodFile     `json:"period"`
	Filter string         `json:"filter"`
	Log    headFile       `json:"log"`
	First  int64          `json:"first"` // index of the first entry of the period
	Last   int64          `json:"last"`  // and of that after its last
	Items  int            `json:"items"`
	Pruned int            `json:"pruned"`
	SHA256 string         `json:"sha256"`
	Notes  []string       `json:"notes"`
}

type itemFile struct {
	Index     int64          `json:"index"`
	Last      int64          `json:"last_index"`
	LeafHash  audit.Hash     `json:"leaf_hash"`
	Time      time.Time      `json:"time"`
	ChangeID  string         `json:"change_id"`
	Kind      audit.Kind     `json:"kind"`
	Decision  audit.Decision `json:"decision,omitempty"`
	Reason    string         `json:"reason,omitempty"`
	Reference string         `json:"reference,omitempty"`
	Actor     string         `json:"actor,omitempty"`
	Client    string         `json:"client,omitempty"`
	EndUser   string         `json:"end_user,omitempty"`
	Code      string         `json:"code,omitempty"`
	ReplayOf  string         `json:"replay_of,omitempty"`
	Tokens    int            `json:"tokens,omitempty"`
	Denials   int            `json:"denials,omitempty"`
}

func (i *Item) file() itemFile {
	return itemFile{
		i.Index, i.Last, i.Hash, i.Time, i.ChangeID, i.Kind, i.Decision, i.Reason, i.Reference, i.Actor, i.Client, i.EndUser, i.Code,
		i.ReplayOf, i.Tokens, i.Denials,
	}
}

func (p *Population) file() populationFile {
	return populationFile{
		Kind: p.Kind, Period: periodFile{p.Period.From, p.Period.To}, Filter: p.Filter.String(), Log: headFile{p.Origin, p.Size, p.Root},
		First: p.First, Last: p.Last, Items: len(p.Items), Pruned: p.Pruned, SHA256: hex.EncodeToString(p.Digest[:]), Notes: p.notes(),
	}
}

// WriteJSON writes the population with all its items.
func (p *Population) WriteJSON(w io.Writer) error {
	out := struct {
		populationFile
		List []itemFile `json:"list"`
	}{populationFile: p.file(), List: make([]itemFile, 0, len(p.Items))}
	for i := range p.Items {
		out.List = append(out.List, p.Items[i].file())
	}
	return indented(w, out)
}

// WriteSampleJSON writes a sample with a proof for each draw: receipts are those of
// Receipts, in the same order.
func WriteSampleJSON(w io.Writer, p *Population, draws []Draw, receipts []audit.Receipt, seed string) error {
	if len(receipts) != len(draws) {
		return fmt.Errorf("%w: %d proofs for %d draws", ErrPopulation, len(receipts), len(draws))
	}
	type drawFile struct {
		Draw int    `json:"draw"`
		Key  string `json:"key"`
		itemFile
		Receipt audit.Receipt `json:"receipt"`
	}
	out := struct {
		Population populationFile `json:"population"`
		Seed       string         `json:"seed"`
		Draws      []drawFile     `json:"draws"`
	}{p.file(), seed, make([]drawFile, 0, len(draws))}
	for i := range draws {
		out.Draws = append(out.Draws, drawFile{draws[i].Draw, hex.EncodeToString(draws[i].Key[:]), draws[i].file(), receipts[i]})
	}
	return indented(w, out)
}

func indented(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(v)
}
