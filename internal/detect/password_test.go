package detect_test

import (
	"testing"

	"github.com/counterfoil/counterfoil/internal/detect"
)

func TestPasswordAssigned(t *testing.T) {
	only(t, detect.Password,
		// Configurations and programs.
		"password: «hunter2»", "password=«hunter2»", "PASSWORD = \"«hunter2»\"", "db_password: '«S3cret!pass»'", "dbPassword := `«Tr0ub4dor&3»`",
		"{\"username\":\"ada\",\"password\":\"«correct-horse-7»\"}", "{\\\"password\\\":\\\"«c0rrect-horse»\\\"}", "$password = '«p4ss;word»';", "passwd=«k33pout» # remove",
		"ADMIN_PASSWORD=«Harbor12345»\nADMIN_USER=admin", "password => '«n0Entry»'", "<password>«G4rden-Gate»</password>", "<Password>\n  «G4rden-Gate»\n</Password>",
		"<add key=\"Password\" value=\"«G4rden-Gate»\" />", "password: string = \"«hunter2»\"", "MYSQL_ROOT_PASSWORD: «letmein»", "mysql --password=«hunter2» -h db",
		"the passphrase: «blue42moose»", "pwd=«hunter2»;", "Password:\n«dB2yF6@qL9vZ»\n", "spring.datasource.password=«h3ll0-db»",
		"https://api.example/login?user=ada&password=«h3ll0»&next=1", "&quot;password&quot;: x password=«h3ll0-db»&quot;,", "password:«123456»", "password: «qwerty»", "password: «p@ssion!fruit»",
		// Connection strings.
		"Server=db1;Database=app;User Id=sa;Password=«letmeplease»;Encrypt=yes", "Server=db1;Uid=app;Pwd=«plain»;", "\"Host=h;Username=u;Password=«a,b,c»\"",
		// Login data.
		"user: ada pass: «hunter2»", "login=ada pass=«hunter2»", "username ada, pw: «sommer2024»",
		// Other languages.
		"Passwort: «Sommer2024»", "Kennwort: «Sommer2024!»", "mot de passe : «Soleil75»", "contraseña: «Luna2020»", "CONTRASEÑA: «Luna2020»", "senha: «futebol10»", "wachtwoord: «fiets123»",
		"hasło: «zima2023»", "пароль: «privet123»", "密码：«woaini1314»", "パスワード：«sakura39»", "lösenord: «vinter22»",
	)
}

func TestPasswordSpoken(t *testing.T) {
	only(t, detect.Password,
		"my password is «hunter2».", "My password is «hunter2», please reset it", "the password was \"«hunter2»\"", "Set the password to «Spring2024!» today", "change my password to «n3wPass99».",
		"das Passwort ist «Sommer2024», danke", "Das Passwort lautet «Sommer2024»", "mon mot de passe est «Soleil75».", "la contraseña es «Luna2020»", "a senha é «futebol10»",
		"Reset password «O(0yl55k(gT» for ada", "Login as ada with password «d3*jos(y+DC»; docs", "password is: «hunter2»", "the passcode is «491827»",
		"the password is «letmein!»", "machine h login ada password «l0velace»", "username ada password «l0velace»,", "WITH PASSWORD '«Always1st$»'",
	)
}

// Texts about passwords are everywhere, and a false hit blocks a request.
func TestNoPassword(t *testing.T) {
	only(t, detect.Password,
		"password reset", "password: required", "password policy", "password: string", "Password:", "password", "Forgot your password?", "password is required", "password must be at least 8 characters",
		"password: must contain 8 characters", "The password is incorrect.", "the password is wrong", "password is too short", "passwords are hashed", "password: null", "password: undefined", "\"password\": true",
		"\"password\": \"string\"", "\"password\": \"password\"", "password: \"********\"", "password: ••••••••", "password: [REDACTED]", "password: <password>", "password: {{ .Values.password }}",
		"password: ${DB_PASSWORD}", "password=$DB_PASSWORD", "password: $(cat pw.txt)", "password = %s", "password=%DB_PASS1%", "password: your-password-here", "password=changeme", "password: my_password",
		"password = os.environ[\"DB_PASSWORD1\"]", "password = getpass.getpass()", "password = user.password2", "password: process.env.DB_PASSWORD", "password := r.FormValue(\"password\")", "password = req.body.password1",
		"password == password2", "const password = hashPassword2(x)", "password=password", "password: hashedPassword,", "user.password = hash(user.password)", "self.password = md5(pw1)",
		"password_hash: 5f4dcc3b5aa765d61d8327deb882cf99", "passwordHash = \"$2b$12$abcdefghijk1\"", "password_reset_token: 123abc456", "passwordField: input2", "password_min_length: 12", "PASSWORD_MAX_AGE=90d30",
		"password_expires_at: 2024-01-01", "passwordLastUsed: 2016-09-08T21:47:36Z", "Password age: 90 days", "password length: 12", "password is 12 characters long", "password is 256-bit", "the password is 8-16 chars",
		"password to 12 characters", "the password was changed on 2023-11-24", "password was last changed 3 days ago", "password is base64", "password is SHA-256 hashed", "password: bcrypt", "passwords are stored with argon2id",
		"password with PBKDF2", "password hashing with scrypt", "password OAuth2 flow", "password grant_type", "password123 is a bad choice", "use a password manager such as 1Password", "LastPass: 1st",
		"password (8+ characters)", "password/PIN", "password, 2FA and U2F", "password-based encryption", "passwordless login v2", "<input type=\"password\" id=\"pw1\">", "[type=password]:focus{color:#0094d2}",
		"--- PASS: TestInvariant4 (0.00s)", "PASS: test_case_12", "pass: v1.2", "pass 3 of 5", "pass=3 fail=2", "All tests pass: 100%", "Boarding pass: LH123", "Reisepass: C01X00T47", "Pass-Nr.: F12345671", "Pass: C01X00T47",
		"PWD=/home/ada1", "pwd: ./x1", "password file: /etc/passwd2", "/etc/passwd: root:x:0:0", "PuttyPassword=0", "password combination.\n\nR5: Regulatory--21", "passport: C01234567", "password:\n  min_length: 8",
		"password: |\n", "password: // TODO2", "password = func(x1)", "password: map[string]int{", "subPasswords := []string{\"a1\"}", "var password [16]byte", "password *string `json:\"password1\"`", "password varchar(255)",
		"def login(user, password):", "login(user, password1)", "Password: \u2026", "password:...", "password = \"\"", "password: ''", "password = 0x48", "password: example.com", "Passwort vergessen?", "Passwort: erforderlich",
		"mot de passe oublié", "mot de passe : obligatoire", "contraseña olvidada", "contraseña: requerida", "le mot de passe est incorrect", "das Passwort ist falsch", "esta es la contraseña", "parola: v2",
		"the password is in 1Password", "password is stored in ~/.pgpass1", "the password is https://x.example/1", "passwords: 14 million", "compass: 12N34", "password quality > 0.5x", "password score is 4/4", "password entropy: 77.5bits",
		"bypass=true1", "trespass: 1st degree", "en_PW: en_001", "x;pw.exports=ku});", "a=b;pwd=config;", "the password is whatever you like", "user password v2beta1", "Password is correct.&quot;", "passphrase: &#x3C;string", "the login and password 30days ago", "login password 2fa", "Q: what is the password? A: see page 3b",
	)
}

func TestPasswordInURL(t *testing.T) {
	only(t, detect.Password,
		"postgres://app:«s3cret»@db.example:5432/app", "DATABASE_URL=postgresql://app:«s3cr3t%21»@db/app", "mongodb+srv://u:«Winter-19»@c0.mongodb.example/x", "redis://:«mypw99»@cache:6379", "amqp://guest:«gue5t»@mq//",
		"mysql://root:«p@ss:w0rd»@localhost/db", "https://ada:«letmein»@example.com/", "ftp://u:«abcd»@[::1]/", "jdbc:postgresql://u:«s3cret»@h/db", "smtp://mail%40x:«pw#12»@smtp.example:587", "git clone https://oauth2:«glfoo12345»@git.example/x.git",
		"postgres://user:password@host/db", "postgres://user:pass@host/db", "postgres://$USER:$PASS@host", "postgres://${U}:${P}@host", "postgres://{user}:{password}@host", "postgres://<user>:<password>@host",
		"http://user:***@host", "http://host:8080/x@y", "http://host:8080?m=a@b.example", "http://host:80#a@b", "https://example.com", "http://[2001:db8::1]:80/", "https://token@host/", "x://:@", "://a:b@c", "http://u:xxxx@h",
		"postgres://user:secret@host", "proto://u:%s@h", "http://a:b@c", "redis://:password@cache",
	)
}

func TestPasswordOfCommands(t *testing.T) {
	only(t, detect.Password,
		"mysql -u root -p«S3cret!» db", "sshpass -p '«Secr3t!»' ssh h", "docker login -u ada -p «s3cr3tPw1» r", "$ mysqldump -h db -p«h3llo»",
		"mysql -p db", "mysql -u root -p", "docker run -p 8080:80 x", "docker login; docker run -p 80a:80", "mkdir -p a/b2", "mysql -P 3306 -p $PASS", "mysql -p${DB_PASS1}", "ssh -p 2222 h", "mysql x\nssh -p a2222b h",
	)
}

func TestPasswordInCurl(t *testing.T) {
	only(t, detect.Password,
		"curl -u elastic:«P@ssw0rd$1» https://localhost:9200", "curl -u \":«d2LkV78zLx!t»\" https://h", "curl -u \"«d2LkV78zLx!t»:\" https://h", "curl -s --user 'api:«d2LkV78zLx!t»' \\\n  https://h", "curl --user=ada:«l0velace» h",
		"curl -uada:«l0velace» h", "curl -x p --proxy-user ada:«l0velace» h", "curl --user \"a\":\"«Zq L5»\" h", "curl \\\n  -X POST \\\n  -u ada:«lovelace» h",
		"curl -u user:pass h", "curl -i -u 'test:test'", "curl -u <user:password> h", "curl -u \"${U}:${P}\" h", "curl -u \"$1:$2\" h", "curl --user ada h", "curl --user \"username:password\" h", "curl --user \"xxx:yyy\"", "curl -u \":\" h",
		"curl --user \"{{ $.Values.username }}:{{ $.Values.password }}\"", "docker run -u 1000:1000 x", "pip install x --user\n\nscript:\n  y", "curl h; chown -u root:123", "curly -u a:bcd1",
	)
}
