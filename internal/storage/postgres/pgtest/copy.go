package pgtest

import (
	"context"
	"fmt"
	"testing"
)

// Copy copies the database, to which nobody may be connected, under another name,
// until the test ends.
func (d *Database) Copy(t testing.TB, name string) {
	t.Helper()
	d.administer(t, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, d.Name))
	t.Cleanup(func() {
		if err := d.Server.exec(context.Background(), d.Server.admin, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
}

// PutBack replaces the database by such a copy.
func (d *Database) PutBack(t testing.TB, name string) {
	t.Helper()
	d.administer(t, fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", d.Name))
	d.administer(t, fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", d.Name, name))
}

// administer runs a statement beside the database.
func (d *Database) administer(t testing.TB, text string) {
	t.Helper()
	if err := d.Server.exec(t.Context(), d.Server.admin, text); err != nil {
		t.Fatal(err)
	}
}
