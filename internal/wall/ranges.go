package wall

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"path"
	"strings"

	"masthead/internal/fault"
)

// maxRanges bounds a file of ranges: Google's largest is some 100 KB.
const maxRanges = 4 << 20

// ParseRanges reads published address ranges, in the JSON that Google, Bing,
// DuckDuckGo and others publish,
//
//	{"prefixes": [{"ipv4Prefix": "192.0.2.0/24"}, {"ipv6Prefix": "2001:db8::/32"}]}
//
// or as plain lines of ranges or addresses, where # begins a remark. Ranges
// wider than /8 (IPv6: /16) are refused as mistakes. Errors have kind
// fault.Invalid and name the line or entry.
func ParseRanges(r io.Reader) ([]netip.Prefix, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxRanges+1))
	if err != nil {
		return nil, fmt.Errorf("wall.ParseRanges: %w", err)
	}
	if len(text) > maxRanges {
		return nil, fault.New(fault.TooLarge, "a list of ranges has 4 MB at most")
	}
	if strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
		return parseJSONRanges(text)
	}
	var ranges []netip.Prefix
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		p, err := parseRange(line)
		if err != nil {
			return nil, fault.New(fault.Invalid, fmt.Sprintf("line %d: %v", n, err)).WithHint("write one range a line, such as 192.0.2.0/24")
		}
		ranges = append(ranges, p)
	}
	return ranges, nil
}

func parseJSONRanges(text []byte) ([]netip.Prefix, error) {
	var list struct {
		Prefixes []struct {
			IPv4 string `json:"ipv4Prefix"`
			IPv6 string `json:"ipv6Prefix"`
		} `json:"prefixes"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fault.New(fault.Invalid, "the ranges are no JSON that can be read: "+err.Error()).WithHint("fetch the file anew from whoever publishes it")
	}
	var ranges []netip.Prefix
	for i, entry := range list.Prefixes {
		for _, s := range []string{entry.IPv4, entry.IPv6} {
			if s == "" {
				continue
			}
			p, err := parseRange(s)
			if err != nil {
				return nil, fault.New(fault.Invalid, fmt.Sprintf("prefixes[%d]: %v", i, err)).WithHint("fetch the file anew from whoever publishes it")
			}
			ranges = append(ranges, p)
		}
	}
	return ranges, nil
}

func parseRange(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is no range of addresses", s)
	}
	if p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 16 {
		return p, fmt.Errorf("%q is too wide to be a crawler's", s)
	}
	return p.Masked(), nil
}

// LoadRanges reads every *.json and *.txt file of a folder; the file's name,
// without its ending, is the crawler's: googlebot.json, duckduckbot.json. A
// crawler that is in no list of ours is told by that name in its user agent.
func LoadRanges(folder fs.FS) (map[string][]netip.Prefix, error) {
	all := make(map[string][]netip.Prefix)
	for _, pattern := range []string{"*.json", "*.txt"} {
		names, err := fs.Glob(folder, pattern)
		if err != nil {
			return nil, fmt.Errorf("wall.LoadRanges: %w", err)
		}
		for _, name := range names {
			f, err := folder.Open(name)
			if err != nil {
				return nil, fmt.Errorf("wall.LoadRanges(%s): %w", name, err)
			}
			ranges, err := ParseRanges(f)
			f.Close()
			if err != nil {
				return nil, fmt.Errorf("wall.LoadRanges(%s): %w", name, err)
			}
			bot := strings.TrimSuffix(name, path.Ext(name))
			if bot == "" {
				return nil, fault.New(fault.Invalid, "a list of ranges without a name", "file", name).WithHint("name the file as the crawler: googlebot.json")
			}
			all[bot] = append(all[bot], ranges...)
		}
	}
	return all, nil
}
