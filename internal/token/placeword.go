package token

// The states of a host name.
const (
	hostNone   = iota
	hostLabel  // letters or digits
	hostDot    // and a dot
	hostDotted // and more behind the dot: a slash now makes it a URL
)

// maxScheme is the length of the longest scheme that isScheme knows.
const maxScheme = len("javascript")

// word follows letters to find the beginning of a URL: a known scheme before a
// colon, "www.", two slashes, or a host name with a dot before a slash.
type word struct {
	letters [maxScheme]byte
	length  int  // past maxScheme it is no scheme
	host    int  // state of the host name
	lead    byte // quotation mark before it all, or 0
}

// The classes of cruise.
const (
	cruiseStop = iota // a byte that may begin something
	cruiseWord
	cruiseGap
)

var cruiseClass = func() (t [256]byte) {
	for b := range 256 {
		if isLetter(byte(b)) || isDigit(byte(b)) || b >= 0x80 {
			t[b] = cruiseWord
		}
	}
	for _, b := range []byte(" \t,;!%&*=@$|{}") {
		t[b] = cruiseGap
	}
	return t
}()

// cruise moves over letters and what only separates them, and returns how far it
// came. It does what step would do.
func (w *word) cruise(text string) int {
	i := 0
	for i < len(text) {
		begin := i
		for i < len(text) && cruiseClass[text[i]] == cruiseWord {
			i++
		}
		if i > begin {
			w.add(text[begin:i])
		}
		begin = i
		for i < len(text) && cruiseClass[text[i]] == cruiseGap {
			i++
		}
		if i > begin {
			w.reset(text[i-1])
		} else {
			break
		}
	}
	return i
}

// add moves over at least one letter.
func (w *word) add(letters string) {
	for i := 0; i < len(letters) && w.length+i < maxScheme; i++ {
		w.letters[w.length+i] = lower(letters[i])
	}
	w.length += len(letters)
	w.host = hostAfterLetter[w.host]
}

// reset begins anew behind a byte that belongs to no word.
func (w *word) reset(b byte) {
	w.length, w.host, w.lead = 0, hostNone, 0
	if b == '"' || b == '\'' {
		w.lead = b
	}
}

// step moves over one byte and says whether it makes a URL of what stands there.
func (w *word) step(b, prev byte) bool {
	switch {
	case isLetter(b), isDigit(b), b >= 0x80:
		if w.length < maxScheme {
			w.letters[w.length] = lower(b)
		}
		w.length++
		w.host = hostAfterLetter[w.host]
		return false
	case b == '.':
		www := w.is("www")
		w.host = hostAfterDot[w.host]
		w.length = 0
		return www
	case b == '-', b == '_', b == '+':
		w.length = 0
		return false
	case b == ':':
		scheme := w.length <= maxScheme && isScheme(string(w.letters[:w.length]))
		if w.length = 0; w.host != hostDotted { // else a port follows
			w.host = hostNone
		}
		return scheme
	case b == '/', b == '\\':
		// Browsers take a backslash for a slash.
		double := prev == '/' || prev == '\\'
		url := double || b == '/' && w.host == hostDotted
		w.length, w.host = 0, hostNone
		return url
	case b == '?', b == '#':
		url := w.host == hostDotted
		w.reset(b)
		return url
	default:
		w.reset(b)
		return false
	}
}

// What a letter and a dot make of the host name so far.
var (
	hostAfterLetter = [...]int{hostNone: hostLabel, hostLabel: hostLabel, hostDot: hostDotted, hostDotted: hostDotted}
	hostAfterDot    = [...]int{hostNone: hostNone, hostLabel: hostDot, hostDot: hostNone, hostDotted: hostDotted}
)

// is compares the word.
func (w *word) is(s string) bool {
	return w.length == len(s) && string(w.letters[:w.length]) == s
}

// token moves over a token, which counts as a letter. The value of a URL is the
// beginning of a longer one if text follows it closely, and a host name or
// address one if a slash does.
func (w *word) token(entity string) bool {
	w.length = 0
	switch {
	case entity == "URL":
		return true
	case entity == "DOMAIN_NAME", entity == "IP_ADDRESS":
		w.host = hostDotted
	case w.host != hostDotted:
		w.host = hostLabel
	}
	return false
}

// isScheme knows the schemes that software opens without two slashes. With
// slashes every scheme counts.
func isScheme(s string) bool {
	switch s {
	case "http", "https", "ws", "wss", "ftp", "ftps", "sftp", "file", "blob", "data",
		"javascript", "vbscript", "livescript", "about", "source", "extension",
		"mailto", "tel", "sms", "smsto", "mms", "callto", "facetime", "sip", "sips",
		"xmpp", "irc", "ircs", "skype", "whatsapp", "tg", "slack", "msteams", "zoommtg",
		"signal", "viber", "discord", "feed", "webcal", "cid", "mid", "news", "nntp",
		"intent", "market", "itms", "geo", "maps", "magnet", "bitcoin", "ethereum",
		"ldap", "ldaps", "smb", "nfs", "ssh", "git", "svn", "rtsp", "rtmp", "gopher",
		"urn", "jar", "search", "shell", "vscode", "obsidian", "link", "image":
		return true
	}
	return false
}
