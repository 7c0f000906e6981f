package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func verifying(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"verify"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

// TestVerifyFromOutside: the codes are those of counterfoil-verify.
func TestVerifyFromOutside(t *testing.T) {
	c := newChronicle(t, 10)
	bundle, key := c.bundle(t), c.signer.VerifierKey()
	log, checkpoint := write(t, string(bytes.Join(c.leaves, []byte("\n")))+"\n"), write(t, string(c.checkpoint))
	short := write(t, string(bytes.Join(c.leaves[:9], []byte("\n")))+"\n")
	none := filepath.Join(t.TempDir(), "none")
	for name, one := range map[string]struct {
		args []string
		code int
		says string
	}{
		"bundle":                 {[]string{"--bundle", bundle, "--log-key", key}, exitOK, "SOUND tenant=acme entries=10 "},
		"under its other name":   {[]string{"--bundle", bundle, "--key", key}, exitOK, "SOUND tenant=acme entries=10 "},
		"with what was kept":     {[]string{"--bundle", bundle, "--key", key, "--since", checkpoint, "--checkpoint", checkpoint}, exitOK, "SOUND"},
		"log":                    {[]string{"--log", log, "--checkpoint", checkpoint, "--key", key}, exitOK, "SOUND tenant=acme entries=10 "},
		"a log that is cut":      {[]string{"--log", short, "--checkpoint", checkpoint, "--key", key}, exitError, "checkpoint-behind"},
		"another key":            {[]string{"--bundle", bundle, "--key", madeKey(t)}, exitError, "signature"},
		"no key":                 {[]string{"--bundle", bundle}, exitUsage, "--key is missing"},
		"no checkpoint":          {[]string{"--log", log, "--key", key}, exitUsage, "--checkpoint is missing"},
		"nothing":                {nil, exitUsage, "is missing"},
		"two places":             {[]string{"--bundle", bundle, "--log", log, "--key", key}, exitUsage, "can't be used together"},
		"data and bundle":        {[]string{"--bundle", bundle, "--data", ".", "--key", key}, exitUsage, "can't be used together"},
		"data and checkpoint":    {[]string{"--data", ".", "--checkpoint", checkpoint}, exitUsage, "are for --bundle"},
		"plain http":             {[]string{"--url", "http://vault.example", "--bearer-file", log, "--key", key}, exitUsage, "plain http"},
		"url without a bearer":   {[]string{"--url", "https://vault.example", "--key", key}, exitUsage, "--bearer-file is missing"},
		"no such bundle":         {[]string{"--bundle", none, "--key", key}, exitUnread, "no such file"},
		"a handover that is not": {[]string{"--bundle", bundle, "--key", key, "--handover", none}, exitUnread, "no such file"},
	} {
		code, stdout, stderr := verifying(t, one.args...)
		if code != one.code || !strings.Contains(stdout+stderr, one.says) || code != exitOK && stdout != "" {
			t.Errorf("%s: exit %d: %s%s", name, code, stdout, stderr)
		}
	}
}
