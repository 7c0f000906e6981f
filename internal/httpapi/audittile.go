package httpapi

import (
	"context"
	"net/http"

	"github.com/counterfoil/counterfoil/internal/audit"
	"github.com/counterfoil/counterfoil/internal/httpapi/gen"
	"github.com/counterfoil/counterfoil/internal/vault"
)

// AuditTile serves a tile of the log or an entry bundle.
func (a *api) AuditTile(ctx context.Context, r gen.AuditTileRequestObject) (gen.AuditTileResponseObject, error) {
	ctx, x := begin(ctx)
	// The pattern of the document is that of a path; whether it is the one way to
	// write a tile that there can be, only the parser says.
	asked, err := audit.ParseTile("tile/" + r.Path)
	if err != nil {
		return nil, vault.Invalid("path:path", "must be the path of a tile, as C2SP tlog-tiles writes it")
	}
	held, err := a.service.AuditTile(ctx, x.call, asked)
	if err != nil {
		return nil, err
	}
	if asked.Entries {
		x.entries = asked.Width
	}
	return tile(held), nil
}

// tile is an answer in bytes: hashes or entries.
type tile []byte

// VisitAuditTileResponse writes the bytes as they are.
func (t tile) VisitAuditTileResponse(w http.ResponseWriter) error {
	return writeBytes(w, http.StatusOK, "application/octet-stream", t)
}
