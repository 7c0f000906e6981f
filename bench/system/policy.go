package system

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/counterfoil/counterfoil/authz"
)

// ruleCount is how many rules the policy has at least.
const ruleCount = 100

// padding are the entities of the rules that fill a policy up.
var padding = []string{
	"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "USERNAME", "CREDIT_CARD", "IBAN_CODE", "US_SSN", "US_PASSPORT",
}

// paddingRule gives a gateway less than the shipped llm-same-end-user gives it for the
// same request, so that every decision stays what the shipped tables say it is. It is
// of the action and reason that is measured: a rule that is skipped by its action
// would cost nothing.
const paddingRule = "p, bench-%d, allow, gateway, restore, LLM_RESPONSE, public|internal|confidential|restricted, %s, same_client&same_end_user, partial\n"

// writePolicy writes the shipped policy, filled up to ruleCount, and returns how many
// rules there are.
func writePolicy(dir string) (int, error) {
	if err := os.CopyFS(dir, authz.FS); err != nil {
		return 0, fmt.Errorf("system: policy: %w", err)
	}
	const file = "policy.csv"
	text, err := fs.ReadFile(authz.FS, file)
	if err != nil {
		return 0, fmt.Errorf("system: policy: %w", err)
	}
	text, count := fill(text, ruleCount)
	if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
		return 0, fmt.Errorf("system: policy: %w", err)
	}
	return count, nil
}

// fill adds rules until there are enough.
func fill(text []byte, enough int) ([]byte, int) {
	count := 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "p,") {
			count++
		}
	}
	more := bytes.NewBuffer(bytes.Clone(text))
	for ; count < enough; count++ {
		_, _ = fmt.Fprintf(more, paddingRule, count, padding[count%len(padding)]) // a buffer takes all
	}
	return more.Bytes(), count
}
