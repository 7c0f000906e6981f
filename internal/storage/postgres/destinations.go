package postgres

import (
	"github.com/counterfoil/counterfoil/internal/vault"
)

const (
	// When a value was first sent stays; when it was last sent is written anew
	// only where that was long ago, and where it was not its row is not even
	// locked: a chat sends its history each turn.
	sqlNoteSent = `
INSERT INTO mapping_destinations (tenant, scope_id, token_id, destination, first_sent, last_sent)
SELECT $1, r.scope_id, r.token_id, r.destination, $2, $2
FROM unnest($3::text[], $4::text[], $5::text[]) AS r (scope_id, token_id, destination)
WHERE (SELECT d.token_id FROM mapping_destinations AS d
    WHERE d.tenant = $1 AND d.scope_id = r.scope_id AND d.token_id = r.token_id AND d.destination = r.destination
        AND d.last_sent >= $2 - $6::bigint LIMIT 1) IS NULL
ON CONFLICT (tenant, scope_id, token_id, destination) DO UPDATE SET last_sent = excluded.last_sent`
	// All that is left under the keys of an erasure goes.
	sqlNoteErasedAt = `
INSERT INTO erasure_destinations (tenant, erasure_id, destination, mappings, first_sent, last_sent)
SELECT $1, $2, d.destination, count(*), min(d.first_sent), max(d.last_sent)
FROM unnest($3::text[]) AS r (key_id)
CROSS JOIN LATERAL (
    SELECT m.scope_id, m.token_id FROM mappings AS m WHERE m.tenant = $1 AND m.key_id = r.key_id OFFSET 0) AS m
CROSS JOIN LATERAL (
    SELECT d.destination, d.first_sent, d.last_sent FROM mapping_destinations AS d
    WHERE d.tenant = $1 AND d.scope_id = m.scope_id AND d.token_id = m.token_id OFFSET 0) AS d
GROUP BY d.destination
ON CONFLICT (tenant, erasure_id, destination) DO UPDATE SET mappings = erasure_destinations.mappings + excluded.mappings,
    first_sent = LEAST(erasure_destinations.first_sent, excluded.first_sent),
    last_sent = GREATEST(erasure_destinations.last_sent, excluded.last_sent)`
)

// sentResolution is vault.SentResolution as the tables count.
var sentResolution = vault.SentResolution.Microseconds()

// sent is a value on its way to a destination.
type sent struct {
	place
	destination string
}

// send notes where the tokens of an answer go, each once in a batch.
func (t *tokenizing) send(destination string, tokenIDs ...string) {
	w := &t.image.writes
	for _, id := range tokenIDs {
		s := sent{place{t.scopeID, id}, destination}
		if !t.image.sent[s] {
			put(t.image, t.image.sent, s, true)
			set(t.image, &w.sent, append(w.sent, s))
		}
	}
}

func (b *batch) writeSent(p *pipeline, all []sent) {
	if len(all) == 0 {
		return
	}
	p.exec(sqlNoteSent, b.tenant, b.now,
		column(all, func(s sent) string { return s.scopeID }), column(all, func(s sent) string { return s.tokenID }),
		column(all, func(s sent) string { return s.destination }), sentResolution)
}

// usesColumns are lists of the same length that say when values were sent where.
type usesColumns struct {
	destinations          []string
	mappings, first, last []int64
}

func (c *usesColumns) into() []any {
	return []any{&c.destinations, &c.mappings, &c.first, &c.last}
}

func (c *usesColumns) uses() (uses []vault.DestinationUse) {
	for i, name := range c.destinations {
		uses = append(uses, vault.DestinationUse{
			Destination: name, Mappings: int(c.mappings[i]), First: fromMicros(c.first[i]), Last: fromMicros(c.last[i]),
		})
	}
	return uses
}
