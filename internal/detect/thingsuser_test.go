package detect_test

import "testing"

func TestUsername(t *testing.T) {
	only(t, "USERNAME",
		"username: «jdoe42»", "Username: «josephbrennan»\n", `{"username": "«j.doe»"}`, "user name = '«ada-l»'", "login=«gopher»&x=1", "user_name:\t«x_y_z»",
		"my username is «jdoe42».", "his username is \"«whoever»\"", "Benutzername: «hmeier», Passwort: geheim", "User ID: «ab1234»",
		"the username is used as fallback", "username is required", "username: string", "username string", "Username: userInfo.Name,", "username = getUser()",
		"username: your_username", "username: <name>", "Username: u.Name)", "username = userName", `"username": "usernameValue"`, "username: ${USER}", "Username: uname,\n", "usernames: jdoe42",
		"username: jdoe@example.com", "login: admin", "userid: 4711", "username", "username:", "username: ab", "the account for jdoe", "Login as jdoe",
	)
}

// TestUsernameOnRequest: names that a sentence mentions are found for those who ask for everything.
func TestUsernameOnRequest(t *testing.T) {
	onRequest(t, "USERNAME",
		"activate the account for «dking» today", "was issued to user «richard04».", "Login as «bzimmerman» with", "signed in as «x12» …", "my username is «jdoe».",
		"account for the month", "user account is", "to user 42",
	)
}
