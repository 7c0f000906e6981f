package detect_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// Private keys that are no PEM.
func TestPrivateKeyFiles(t *testing.T) {
	putty := "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: ada\nPublic-Lines: 2\n" + strings.Repeat("A1", 32) + "\nQ==\nPrivate-Lines: 1\n" + strings.Repeat("b2", 20) + "\nPrivate-MAC: " + strings.Repeat("0f", 32)
	ssh2 := "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: \"ada\"\n" + pemBody + "\n---- END SSH2 ENCRYPTED PRIVATE KEY ----"
	openvpn := "-----BEGIN OpenVPN Static key V1-----\n" + strings.Repeat("0123456789abcdef0123456789abcdef\n", 16) + "-----END OpenVPN Static key V1-----"
	only(t, detect.PrivateKey,
		"key:\n«"+putty+"»\n\nThank you", "«"+ssh2+"»", "«"+openvpn+"»\n", "«"+strings.Split(putty, "\nPrivate-MAC")[0]+"»",
		"«"+putty+"»\n«"+putty+"»", "PuTTY-User-Key-File-2 is the first line of a .ppk file", "---- BEGIN SSH2 PUBLIC KEY ----\n"+pemBody+"\n---- END SSH2 PUBLIC KEY ----",
		"PuTTY-User-Key-File-2: ssh-rsa\nPrivate-MAC: x",
	)
}

func TestPrivateJWK(t *testing.T) {
	const part = "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"
	only(t, detect.PrivateKey,
		`the key «{"kty":"EC","crv":"P-256","x":"`+part+`","d":"`+part+`"}»`, `{"keys":[«{"kid": "1", "kty": "oct", "k": "`+part+`"}», {"kty":"RSA","n":"`+part+`","e":"AQAB"}]}`,
		`"«{\"kty\":\"OKP\",\"d\":\"`+part+`\"}»"`, "«{\n  \"d\": \""+part+"\",\n  \"kty\": \"OKP\"\n}»",
		`{"kty":"EC","x":"`+part+`"}`, `{"kty":"EC","d":"..."}`, `"kty" is the type`, `{"kty":"RSA","id":"`+part+`"}`,
	)
}

// What the rules for secrets leave alone they leave alone for the reason that the guard names: without the reason
// the same text is a secret.
func TestSecretGuards_Twin(t *testing.T) {
	const key = "Zf3D0LXCM3EIMbgJpUNnkRtOfOueHznB"
	twins := []struct{ guard, without, with string }{
		{"harmless name", "access_token=" + key, "csrf_token=" + key},
		{"whole word", "auth=" + key, "author=" + key},
		{"sole issuer", "some_token=" + key, "meraki_token=" + key},
		{"word-like value", "secret=rX7ksupzq3ktw9", "secret=supersecretvalue1"},
		{"entropy", "token: 4f3c2b1a9d8e7f60", "token: 4f4f4f4f4f4f4f4f"},
		{"digits that go up", "token: Ax1928374650b4", "token: Ax1234567890b4"},
		{"elided", "token=\"" + key + "\"", "token=\"" + key + "...\""},
		{"end of the value", "token=" + key + ";", "token=" + key + "@x"},
		{"user and password in base64", "Authorization: Basic YWRhOmwwdmVsYWNl", "Authorization: Basic YWRhX2wwdmVsYWNl"},
		{"short names as words", "etsy_key=it79wmsltc1clgvkmunk7qpt", "setSysctl=it79wmsltc1clgvkmunk7qpt"},
		{"alphabet", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_16C7e42abcdefghijklm7710c838347Ae178"},
		{"assignment in a sentence", "password: hunter2", "password hunter2"},
		{"name of another thing", "admin_password=hunter22", "admin_password_hash=hunter22"},
		{"variable", "password=dbPass12x", "password=$dbPassx"},
		{"call", "password=O(0yl55k(gT", "password=crypt(salt12)"},
		{"date", "password: 2024-x1-01", "password: 2024-01-01"},
		{"weak name", "user=ada pass: hunter2", "tests pass: hunter2"},
		{"connection string", "Server=db;Password=plain;", "mode=x;password=plain;"},
		{"measure", "the password is 12chairs-x", "the password is 12chars"},
		{"placeholder in a URL", "redis://u:s3cret@cache", "redis://u:secret@cache"},
		{"port", "redis://u:pw99@cache", "redis://u:9999?x=ada@cache"},
		{"curl", "curl -u ada:l0velace h", "chown -u ada:l0velace h"},
		{"kind", "kind: Secret\ndata:\n  a: bDB2ZWxhY2VsMHZl\n", "kind: ConfigMap\ndata:\n  a: bDB2ZWxhY2VsMHZl\n"},
	}
	d := newDetector(t, detect.Options{Entities: secretEntities})
	for _, twin := range twins {
		if len(find(t, d, twin.without)) == 0 {
			t.Errorf("%s: %q is no secret, so its twin shows nothing", twin.guard, twin.without)
		}
		if spans := find(t, d, twin.with); len(spans) > 0 {
			t.Errorf("%s: %q has %v", twin.guard, twin.with, spans)
		}
	}
}

// A password in a URL or beside a user name is covered by what is found by default, whichever finding Resolve keeps.
func TestPasswordsAreCovered(t *testing.T) {
	d := newDetector(t, detect.Options{})
	for _, text := range []string{
		"postgres://app:s3cret@db.example:5432/app", "amqp://u:gue5t-x@mq.example", "smtp://ada:l0velace@mail.example.com", "curl -u ada:l0velace@example https://example.com",
		"https://ada:l0vel$ce@example.com/x", "Server=db;Uid=ada;Password=l0velace@example.com;", "password: l0velace@example.com", "redis://:l0velace@cache:6379",
	} {
		from := strings.IndexAny(text, "0135")
		if !slices.ContainsFunc(find(t, d, text), func(s detect.Span) bool { return s.Start <= from && from < s.End }) {
			t.Errorf("%q: %v", text, find(t, d, text))
		}
	}
}

// hostileSecrets make a careless rule for secrets look at the same bytes again and again.
var hostileSecrets = map[string]string{
	"names":                "token",
	"names and spaces":     "token ",
	"names assigned":       "token=",
	"names, loose":         "the token a1b2c3d4e5f6 ",
	"names of all kinds":   "secret auth api_key creds ",
	"names and values":     "api_key=Zf3D0LXCM3EIMbgJpUNnkRtOfOueHznB;",
	"issuers":              "twitter",
	"issuers assigned":     "twitter=",
	"issuers and values":   "jira_token=dd08z4ay6nc6bt3tkvvvad2f ",
	"long value":           "token=a1B2c3D4/e5F6g7H8",
	"passwords":            "password",
	"passwords assigned":   "password=",
	"passwords quoted":     "password=\"",
	"passwords in JSON":    "\"password\":\"hunter2\",",
	"passwords spoken":     "password is hunter2 ",
	"passwords bare":       "password O(0yl55k(gT ",
	"passwords, query":     "password=a&",
	"passwords, weak":      "pass: 1 ",
	"URLs":                 "://",
	"URLs with colons":     "a://b:",
	"URLs with passwords":  "a://b:c3cret@d ",
	"authorities":          "a://" + strings.Repeat("b", 300) + ":",
	"curl":                 "curl -u ",
	"curl, quoted":         "curl -u \"",
	"curl, colons":         "curl -u a:",
	"curl, headers":        "curl -H \"Token: ",
	"Kubernetes, kinds":    "kind: secret\n",
	"Kubernetes, data":     "\ndata:",
	"Kubernetes, both":     "kind: secret\ndata:\n a: b\n",
	"PuTTY":                "PuTTY-User-Key-File-",
	"PuTTY, bodies":        "PuTTY-User-Key-File-2: MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj\n",
	"SSH2":                 "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n",
	"commands":             "mysql -p",
	"commands, options":    " -p",
	"signs":                "token='#!",
	"logins":               "login a password b1 ",
	"JWK":                  `"kty`,
	"JWK, open":            `{"kty`,
	"JWK, closed":          `{"kty"}`,
	"bars":                 "123456789012345|",
	"basic":                "authorization: basic YWRhOmwwdmVsYWNl",
	"bearer":               "bearer ",
	"schemes":              "auth: bearer basic ",
	"operators":            "token:=:=:=",
	"Chinese passwords":    "密码",
	"passwords, non-ASCII": "password: ä",
}

// TestHostileSecretsTakeLinearTime is TestHostileTextsTakeLinearTime for the rules of secrets alone.
func TestHostileSecretsTakeLinearTime(t *testing.T) {
	d := newDetector(t, detect.Options{Entities: secretEntities, Timeout: time.Minute})
	takesLinearTime(t, d, hostileSecrets, 32<<10)
}

// FuzzSecrets looks for texts that break the rules for secrets; what Find promises of its spans is checked by others.
func FuzzSecrets(f *testing.F) {
	d := newDetector(f, detect.Options{Entities: secretEntities})
	for _, unit := range hostileSecrets {
		f.Add(unit)
	}
	f.Add("password=\"l0velace\\\"; curl -u a:\"b c\" -H 'Authorization: Basic YWRhOmwwdmVsYWNl'")
	if len(hostileSecrets) == 0 {
		f.Fatal("no seeds")
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > detect.DefaultMaxText {
			return
		}
		spans, err := d.Find(context.Background(), text)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range spans {
			if s.Start >= s.End || s.End > len(text) {
				t.Fatalf("%v of %d bytes", s, len(text))
			}
		}
	})
}
