package detect

// passwordWords name a password, in the languages that texts of our users are in. The first ones are taken also at the end of a
// longer word ("dbpassword").
var passwordWords = []string{
	"password", "passwd", "passwort", "kennwort", "passphrase", "passcode", "wachtwoord", "lösenord",
	"pwd", "pass", "pass phrase", "pass word", "pass code", "pw", "mot de passe", "mots de passe", "mdp", "contraseña", "contrasena", "CONTRASEÑA", "clave de acceso",
	"senha", "palavra-passe", "parola d'ordine", "parola", "hasło", "hasła", "heslo", "salasana", "adgangskode", "kodeord", "şifre", "jelszó",
	"пароль", "密码", "密碼", "パスワード", "비밀번호",
}

// joinedPasswords is how many of passwordWords may end a longer word.
const joinedPasswords = 8

// otherPasswords are words of a name which say that its value is not the password.
var otherPasswords = setOf(`reset policy policies length len size min max minimum maximum count retry retries attempts
	hash hashed hashes hasher digest salt encrypted algorithm algo encoder encoding cost rounds iterations
	field input label placeholder hint help text message msg error errors prompt title description type id ids name key
	url uri link path file filename dir expiry expires expired expiration age changed updated created date time at
	required nr no num number nummer port enabled disabled allowed valid invalid validator strength manager store provider callback command
	confirmation confirm regex pattern requirements rules form page screen column icon less based protected auth
	ttl last used warning warn grace encryption authentication server prefix suffix scheme version complexity reuse prevention
	signature data hex content salted set get history lifetime maxage minage generator generated example sample dummy fake mock`)

// maxVerb is the longest of passwordVerbs in bytes.
const maxVerb = 8

// passwordVerbs stand between the word and the password in a sentence.
var passwordVerbs = map[string]bool{
	"is": true, "was": true, "to": true, "as": true, "are": true,
	"ist": true, "lautet": true, "war": true, "auf": true,
	"est": true, "était": true, "es": true, "era": true, "è": true, "é": true, "e": true, "zijn": true, "wordt": true,
	"är": true, "er": true, "on": true, "to:": true, "jest": true, "je": true, "bir": true,
}

// commonPasswords are the most used passwords that are letters alone, so that nothing but the list tells them; without those
// that are words of a sentence ("the password is whatever you like").
var commonPasswords = setOf(`letmein qwerty qwertyuiop qwertz qwertzuiop azerty azertyuiop asdfgh asdfghjkl zxcvbn zxcvbnm iloveyou
	sunshine princess dragon monkey superman batman starwars trustnoone welcome admin administrator root toor motdepasse
	abcdef abcdefg abcdefgh`)

// noPasswords are values that stand where a password would: words of forms and programs, names of algorithms, and what
// documentation writes. They are compared in lower case, without signs at the edges.
var noPasswords = setOf(`password passwd passwort pass pwd secret changeme change_me change-me changeit your-password yourpassword your_password mypassword
	my_password my-password p@ssword p%40ssword example test testing redacted hidden masked removed omitted none null nil undefined true false string str
	text varchar md5 sha1 sha-1 sha256 sha-256 sha512 sha-512 sha3 base64 base32 bcrypt scrypt argon2 argon2i argon2id argon2d pbkdf2
	pbkdf2-sha256 hmac-sha256 aes-256 aes256 aes-128 rc4 utf8 utf-8 oauth oauth2 2fa mfa n/a int32 int64 uint8 uint32 float32 float64 scram-sha-256 win32 web2 web3 ntlm ntlmv2 k8s ipv4
	ipv6 u2f fido2 p12 pkcs12 pkcs8 pkcs5 x509 s3 ec2 1password lastpass keepass`)
