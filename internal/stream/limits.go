package stream

// Limits.
const (
	// MaxFrame bounds a frame, and so what is kept of one that is not whole yet.
	// Deltas have some hundred bytes; the frames that repeat a whole answer are
	// as long as that. Longer ones hold images, and pass as they are.
	MaxFrame = 1 << 20
	// MaxChannels bounds the texts that are under way at once: choices times the
	// tools that each may call side by side.
	MaxChannels = 256
	// MaxEnded bounds the texts that are remembered as ended. An agent's answer
	// has some hundred blocks.
	MaxEnded = 1 << 12
	// MaxHeld bounds what is held back of one text, as it is spelled. A candidate
	// of token.MaxCandidate code points, each an escape of six bytes in a string
	// in a string, has less. One that is spelled longer is not waited for.
	MaxHeld = 8 << 10
	// MaxName bounds the name of a tool, the id of a call and each member that is
	// kept for the frame of a tail. OpenAI allows names 64 characters.
	MaxName = 256

	// What was made room for is kept for the next frame, unless the frame was
	// longer than longFrame bytes, or the room is for more than usualRoom parts.
	longFrame = 64 << 10
	usualRoom = 1 << 10
)
