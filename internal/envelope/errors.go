package envelope

import "errors"

var (
	// ErrAuthentication says that a ciphertext or a wrapped key is not what
	// this tenant put at this place: changed, cut, moved, or made by a key of
	// another tenant. It says no more than that on purpose.
	ErrAuthentication = errors.New("envelope: authentication failed")

	// ErrVersionGone says that the version of the wrapping key that wrapped
	// this key was destroyed: the key cannot be had again, by anyone.
	ErrVersionGone = errors.New("envelope: the version of the wrapping key is gone")

	// ErrUnavailable says that the key service did not answer, or answered
	// something that cannot be relied on. The same call may succeed later.
	ErrUnavailable = errors.New("envelope: the key service is unavailable")

	// ErrWiped says that the key was wiped before it was used.
	ErrWiped = errors.New("envelope: the key was wiped")

	// ErrInvalid says that an argument is one that no caller may pass, such
	// as an empty tenant. It is a mistake in the program, not in the data.
	ErrInvalid = errors.New("envelope: invalid argument")
)
