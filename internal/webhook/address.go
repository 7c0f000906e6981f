package webhook

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"
)

// reach says at which addresses an endpoint may be.
type reach int

const (
	public   reach = iota // anywhere that everybody can reach
	internal              // besides, in a network of one's own
	loopback              // this machine, and nowhere else
)

// errAddress is an address that is refused. It does not show which.
var errAddress = errors.New("webhook: the address is not one that the endpoint may have")

// control is for net.Dialer. It is called with the address that the name of the
// host was resolved to, just before the connection is made, for each address
// that is tried: there is no later look-up that could say another one.
func (r reach) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !r.allows(to.Addr()) {
		return errAddress
	}
	return nil
}

// allows judges an IPv4 address that is written as an IPv6 one by what it is.
func (r reach) allows(addr netip.Addr) bool {
	addr = addr.Unmap()
	switch {
	case !addr.IsValid() || addr.Zone() != "":
		return false
	case r == loopback:
		return addr.IsLoopback()
	case isPublic(addr):
		return true
	case r == internal:
		return addr.IsLoopback() || (within(addr, ownNetworks) && !slices.Contains(metadata, addr))
	}
	return false
}

func isPublic(addr netip.Addr) bool {
	if addr.Is4() {
		return !within(addr, special4)
	}
	return global6.Contains(addr) && !within(addr, special6)
}

func within(addr netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// ownNetworks are those that people number for themselves (RFC 1918, RFC 6598,
// RFC 4193).
var ownNetworks = prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")

// metadata are the services by which clouds hand out credentials, where they
// are not link-local.
var metadata = []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("fd20:ce::254")}

// special4 are the networks of the IANA IPv4 Special-Purpose Address Registry,
// multicast and what is reserved.
var special4 = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
)

// global6 is all that is given out (RFC 4291 section 2.4); what is beyond it is
// loopback, one's own, link-local, multicast, or a way to write IPv4.
var global6 = netip.MustParsePrefix("2000::/3")

// special6 are the networks of the IPv6 registry within it. Teredo and 6to4
// carry an IPv4 address that nobody judged.
var special6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for n, text := range texts {
		all[n] = netip.MustParsePrefix(text)
	}
	return all
}
