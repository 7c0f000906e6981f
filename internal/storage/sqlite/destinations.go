package sqlite

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/counterfoil/counterfoil/internal/vault"
)

// One statement for all tokens of a change. A row that is new enough is looked
// at and not written: a chat sends its history each turn.
const sqlNoteDestination = `
INSERT INTO mapping_destinations (tenant, scope_id, token_id, destination, first_sent, last_sent)
SELECT ?1, ?2, j.value, ?4, ?5, ?5 FROM json_each(?3) AS j WHERE TRUE
ON CONFLICT (tenant, scope_id, token_id, destination) DO UPDATE SET last_sent = excluded.last_sent
WHERE mapping_destinations.last_sent < excluded.last_sent - ?6`

// sentResolution is vault.SentResolution as the tables count.
var sentResolution = vault.SentResolution.Microseconds()

// sent keeps that tokens were sent to the destination of the change.
func (t *tokenizing) sent(destination string, tokenIDs []string) error {
	if destination == "" || len(tokenIDs) == 0 {
		return nil
	}
	if !storable(destination) {
		return fmt.Errorf("%w: a destination", ErrMalformed)
	}
	_, err := t.exec(sqlNoteDestination, t.tenant, t.scopeID, encode(tokenIDs), destination, t.now, sentResolution)
	return err
}

// sentTo is a destination as the statements list it.
type sentTo struct {
	destination string
	mappings    int
	first, last int64
}

func (s *sentTo) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&s.destination, &s.mappings, &s.first, &s.last})
}

// decodeUses reads a list of destinations, by name.
func decodeUses(text string) ([]vault.DestinationUse, error) {
	var sent []sentTo
	if err := json.Unmarshal([]byte(text), &sent); err != nil {
		return nil, fmt.Errorf("sqlite: a list of destinations: %w", err)
	}
	var uses []vault.DestinationUse
	for _, s := range sent {
		uses = append(uses, vault.DestinationUse{
			Destination: s.destination, Mappings: s.mappings, First: fromMicros(s.first), Last: fromMicros(s.last),
		})
	}
	slices.SortFunc(uses, byDestination)
	return uses, nil
}
