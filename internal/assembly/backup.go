package assembly

import (
	"context"

	"github.com/counterfoil/counterfoil/internal/config"
	"github.com/counterfoil/counterfoil/internal/storage/sqlite"
)

// Backup writes a copy of the SQLite database of a service that is running or not.
func Backup(ctx context.Context, files config.Files, to string) error {
	return sqlite.Backup(ctx, files.Database, to)
}
