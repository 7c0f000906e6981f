package analyzer

import (
	"time"

	"github.com/counterfoil/counterfoil/internal/detect"
)

// NewImpatient makes a client whose breaker lets the next call try after a while of the test's.
func NewImpatient(c Config, breakFor time.Duration) (*Client, error) { return newClient(c, breakFor) }

// TellReserved lets what is reserved leave.
func (c *Client) TellReserved() { c.faults.tellReserved = true }

// FollowRedirects takes the word of whoever redirects.
func (c *Client) FollowRedirects() { c.faults.anyRedirect = true }

// Read reads an answer about a text.
func Read(answer, text string, reserved [][2]int, known []string) ([]detect.Span, error) {
	found, err := parse([]byte(answer))
	if err != nil {
		return nil, err
	}
	c := &Client{config: Config{Known: known, MinScore: DefaultMinScore}}
	return c.spans(text, joined(reserved), found)
}
