package analyzer

import "time"

// NewImpatient makes a client whose breaker lets the next call try after a while of the test's.
func NewImpatient(c Config, breakFor time.Duration) (*Client, error) { return newClient(c, breakFor) }

// TellReserved lets what is reserved leave.
func (c *Client) TellReserved() { c.faults.tellReserved = true }

// FollowRedirects takes the word of whoever redirects.
func (c *Client) FollowRedirects() { c.faults.anyRedirect = true }
