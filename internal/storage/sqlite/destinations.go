package sqlite

import (
	"fmt"

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
