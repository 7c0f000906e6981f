package authn_test

import (
	"testing"

	"go.uber.org/goleak"
)

// A verifier that was closed leaves nothing running.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
