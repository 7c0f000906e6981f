package detect_test

import (
	"strings"
	"testing"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// someToken is random, and of no issuer.
const someToken = "Zf3D0LXCM3EIMbgJ¦pUNnkRtOfOueHznB"

// A name of a secret makes a secret of what is assigned to it, in whatever language it is written.
func TestGenericSecret(t *testing.T) {
	forms := []string{
		`apiKey = "@"`, `api_key: '@'`, `api-key=@`, `"api_token" : "@",`, `API_TOKEN=@`, `export SOME_API_TOKEN_123=@;`, `var myToken string = "@"`, `String authToken = "@";`,
		`token := "@"`, `token ?= @`, `TOKEN :::= "@"`, `$token .= "@"`, `  "token" => "@"`, `<token>@</token>`, "<token>\n    @\n</token>", `setProperty("API_TOKEN", "@")`, `token: string = "@"`,
		`{"config.ini": "TOKEN=@\nBACKUP=true"}`, `{\"access_token\":\"@\"}`, `config['secret'] = '@'`, `client_secret=@&grant_type=x`, `https://x.example/?access_token=@&y=1`, `Authorization: Bearer @`,
		`"authorization": "Bearer @"`, `-H "X-Api-Key: @"`, `-H 'X-Auth-Token: @'`, `headers = {"Authorization": f"Token @"}`, `login --token @ --server x`, `the access token is @.`, `The secret was: @`,
		`Bearer @`, `creds = @`, `"user_auth": "@"`, `mySecretString=@`, `PRIVATE_KEY=@`, `encryption_key = "@"`, `"credentials" : "@"`, `GITHUBTOKEN=@`, `mytoken=@`, `tokens: ["@"]`,
		`Security token @ was issued`, `API key @, please`,
	}
	for i, form := range forms {
		forms[i] = strings.ReplaceAll(form, "@", "«"+someToken+"»")
	}
	only(t, detect.APIKey, forms...)
	only(t, detect.APIKey,
		"AUTH_TOKEN=«6da89121079f83b2eb6acccf8219ea98»", "api_token: «dafa7817-e246-48f3-91a7-e87653d587b8»", "secret=«am9obmRvZTpkMDY5NGIxYi1jMTcxLTQ4ODYt+TMyYS0wMmUwOWQ1/mIwNjc=»",
		"SECRET_KEY = '«k3#v9^s8d7!f6g5h4j3&k2l1z0x9c8@b7n6»'", "key: «sk¦-3f9a1c7e5b2d8046f1e3a5c7092b4d68»", "Authorization: Basic «YWRhOmwwdmVsYWNl»", "Proxy-Authorization: Basic «YWRhOmwwdmVsYWNl»", "curl -H \"Token: «3fea6af1349166ea»\" h", "curl --header 'Api-Token: «Sk94HG7f6KB»'",
	)
}

func TestNoGenericSecret(t *testing.T) {
	texts := []string{
		"api_key: your-api-key", "api_key = \"xxxxxxxxxxxxxxxx\"", "API_KEY=${API_KEY}", "token: <token>", "token = $TOKEN_2", "secret: {{ .Values.secret1 }}", "token: process.env.TOKEN2", "token: abcdefghijklmnop1234567890",
		"api_key = os.environ['API_KEY_1']", "token = getToken2(user)", "api_key: string", "token: my-secret-token-123", "secret: supersecretvalue1", "token=1234567890123456", "tokens: 128000", "max_tokens=4096",
		"Authorization: Bearer <token>", "Authorization: Bearer $API_KEY", "Authorization: Bearer XXXXXXXXXXXX", "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Authorization: Basic not-base64-1", "Authorization: required",
		"token_url = https://login.example/oauth2/v2.0/token", "secret_name: prod-db-credentials-v2", "secretArn: arn-aws-secretsmanager-eu1", "token_type: Bearer2", "key: value1", "primaryKey=cJmNNO1tpwMKV4euQJ4kxXsspGFHL",
		"publicToken = \"9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit\"", "csrf_token=Mj2qykJO5rELyHgezQ69nzUX0i3OH67V7", "nextPageToken: CAUQAA1b2c3d4e5f6g7h", "credentialsId: '29f63271-dc2f-4734-8221-5b31b5169bac'",
		"author = \"james42fake\"", "authority: 4f3c2b1a9d8e7f605142", "tokenizer = cl100kbase4f3c2b1a9d8e", "secretary: 6da89121079f83b2eb6acccf8219ea98", "github.com/x/jwt-go v3.2.0 h1:7qlOGliEKZXTDg6OTjfoBKDXWrumCAMpl/TFQ4/5kLM=",
		"github.com/x/jwt-go 4bbdd8ac624fc7a9ef7aec841c43d99b5fe65a29", "token sha256:6da89121079f83b2eb6acccf8219ea982c3d79bccc3e9c6a85856480661f8fde", "SHA256(auth)= 896c13c0f5305daed381952a128322e0", "secret_0 = 0x29265516d349daf0",
		"secret = 'a b c # d ! e $ 1 2 3 4 5'", "token: '#/components/schemas/Token1!@x'", "sk-container-id-1", "yaml/tokens.py,sha256=lTQIzSVw8Mg9wv459-TjiOQe6wVziqaRlqX2_89rp54,48", "sk-1234567890abcdef1234567890abcdef",
		"auth: /usr/lib/auth/libexample2.so", "auth.go:123:45", "token eyJhbGciOiJIUzI1NiIsInR5cCI6...", "a secret 4711", "the token 12 of 100", "Token: EXAMPLEq76owjnks3lnluwg65scbemvw", "key = 6da89121079f83b2eb6acccf8219ea98",
		"secret recipe2 with 250g flour", "auth2 = oauth2.NewClient(ctx)", "Token = token.Position{Line: 12}", "bearer of bad news 2", "Bearer token", "jwt: eyJhbGciOi", "webhook: https://hooks.example/1", "commitToken = 4bbdd8ac624fc7a9ef7aec841c43d99b5fe65a29",
		"token,4bbdd8ac", "meraki_token = 5cb4a5f04cd412fe946667b17f0129ba17aeb2e0c7b5b7264efcebf7d022bfe2R21", "sumObj = suGyI5imvADdvU", "discord=00000000000000000000000000000000", "sumOfExposures = 3Kof2VffNQ0QgYIhXUPJosVlCaQKm2hf",
		"keyVaultToStoreSecrets: cmp2-qat-1208358310", "linkedin: administratorin", "getPagesInConfluenceSpace,searchConfluenceUsingCql",
	}
	only(t, detect.APIKey, texts...)
}

// Keys whose issuer's name is all that tells them; the name may have any case and any form around it.
func TestNamedSecret(t *testing.T) {
	only(t, detect.APIKey,
		"var adafruitToken = \"«lz2s9k8lswey4-au0-¦03m3hsz9_6hj9o»\"", "ADAFRUIT_TOKEN=«lz2s9k8lswey4-au0-¦03m3hsz9_6hj9o»\\nBACKUP=true", "heroku_api_key: «12345678-abcd-4321-¦abcd-1234567890ab»", "my twitter api key: «it79wmsltc1clgvkm¦unk7qptx»", "cloudflare: «oj9Yoyq0zmOyWmPPob1a¦oY5YSNNuJ0fbZSOURBlX»", "telegram_token: «33960:A_pnu8rc_j43njcv4995¦qusi6mil64nkqxh»",
		"export BUNDLE_GEMS__CONTRIBSYS__COM=\"«cafebabe:¦deadbeef»\"", "facebook «1308742762612587|rhoK1cbv0DOU_¦RTX_87O4MkX7AI»", "etsy_key: «it79wmsltc1cl¦gvkmunk7qpt»",
		"_gitlab_session=¦x", "heroku: 12345678-abcd-4321-abcd-1234567890ab", "LinkedIn: maxmusterman84", "twitter: it79wmsltc1clgvkmunk7qptx", "linear: 4bbdd8ac624fc7a9ef7aec841c43d99b", "sourcegraph: 4bbdd8ac624fc7a9ef7aec841c43d99b5fe65a29", "heroku_version: 12345678-abcd-4321-¦abcd-1234567890ab", "adafruit = \"lz2s9k8lswey4-au0-¦03m3hsz9_6hj9oX\"", "bitbucket_commit: 4bbdd8ac624fc7a9ef7aec841c43d99b",
	)
}

func TestKubernetesSecret(t *testing.T) {
	only(t, detect.APIKey,
		"apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  user: «YWRhbG92ZWxhY2U=»\n  pw: \"«bDB2ZWxhY2VsMHZl»\"\n",
		"apiVersion: v1\ndata:\n  user: «YWRhbG92ZWxhY2U=»\n\n  b: «bDB2ZWxhY2VsMHZl»\nkind: Secret\nmetadata:\n  name: abcdefghijkl\n", "kind: Secret\nstringData:\n  a: «plain-text-1»\ntype: Opaque\n",
		"kind: ConfigMap\ndata:\n  user: YWRhbG92ZWxhY2U=\n", "kind: Secret\ndata:\n  a: {{ .Values.secret }}\n  b: \"\"\n  c: your-value-here\n", "kind: SecretStore\ndata:\n  a: YWRhbG92ZWxhY2U=\n",
		"kind: Secret\nmetadata:\n  name: YWRhbG92ZWxhY2U\n---\nkind: ConfigMap\ndata:\n  a: YWRhbG92ZWxhY2U=\n", "kind: secret ingredient\ndata: none",
	)
}
